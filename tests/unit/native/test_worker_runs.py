"""Packets that came in together leave viewer by viewer, levelled so that the kernel takes them as one message."""

from __future__ import annotations

import itertools

import pytest

from media.native import rtcp
from tests.support.native_camera import Camera, vp8_body
from tests.support.native_peer import VIEWER_RTX, Peer, Room

PUBLISHER = 1
TRACK, OTHER_TRACK = 10, 11
VIEWERS = (2, 3, 4)


def meet(room: Room, *, has_rtx: bool = True) -> tuple[Peer, list[Peer]]:
    """Let a publisher with two tracks come, and three viewers of the first."""
    publisher = room.join(PUBLISHER)
    room.publish_video(TRACK, publisher)
    room.publish_video(OTHER_TRACK, publisher)
    viewers = [room.join(viewer) for viewer in VIEWERS]
    for viewer in viewers:
        room.subscribe(viewer.id * 100, viewer, TRACK, has_rtx=has_rtx)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    for viewer in viewers:
        viewer.take_rtp()
    return publisher, viewers


def frame(camera: Camera, *extra_bytes: int) -> tuple[bytes, ...]:
    """Return a frame in packets that differ in size by these bytes."""
    last = len(extra_bytes) - 1
    bodies = [vp8_body(camera.picture_id, camera.tl0, start=index == 0) for index in range(len(extra_bytes))]
    size = len(bodies[0])
    return tuple(
        camera.packet(body.ljust(size + extra, b"z"), marker=index == last)
        for index, (body, extra) in enumerate(zip(bodies, extra_bytes, strict=True))
    )


def after_key_frame() -> Camera:
    camera = Camera(77, b"10")
    camera.frame(key=True)
    return camera


def test_a_batch_goes_out_viewer_by_viewer_in_the_order_it_came(room: Room) -> None:
    publisher, viewers = meet(room)
    sent = room.send_together(publisher, *after_key_frame().frame(packets=4))
    assert [address for address, _ in itertools.groupby(sent, key=lambda one: one[0])] == [
        viewer.address for viewer in viewers
    ]
    for viewer in viewers:
        assert [packet.number for packet in viewer.take_rtp()] == [101, 102, 103, 104]


def test_two_tracks_of_one_batch_do_not_interrupt_each_other(room: Room) -> None:
    publisher, (viewer, *_) = meet(room)
    room.subscribe(999, viewer, OTHER_TRACK, first=500)
    camera, other = after_key_frame(), Camera(88, b"11")
    room.send(publisher, *other.frame(key=True))
    viewer.take_rtp()
    packets, others = camera.frame(packets=3), other.frame(packets=3)
    mixed = [packet for pair in zip(packets, others, strict=True) for packet in pair]
    room.send_together(publisher, *mixed)
    assert [packet.number for packet in viewer.take_rtp()] == [101, 102, 103, 501, 502, 503]


@pytest.mark.parametrize(
    ("extra", "levelled"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((0, 0, 1), (1, 1, 1)),
        ((1, 0, 0, 1), (1, 1, 1, 1)),
        ((1, 1, 0), (1, 1, 0)),  # a run may end in a shorter one
        ((0, 2, 2), (0, 2, 2)),
        ((5, 4, 20, 21, 21), (5, 4, 21, 21, 21)),
    ],
)
def test_a_byte_of_padding_levels_neighbours(room: Room, extra: tuple[int, ...], levelled: tuple[int, ...]) -> None:
    publisher, viewers = meet(room)
    packets = frame(after_key_frame(), *extra)
    sent = room.send_together(publisher, *packets)
    sizes = [size for address, size in sent if address == viewers[0].address]
    assert tuple(size - sizes[0] + levelled[0] for size in sizes) == levelled
    for viewer in viewers:
        bodies = [packet.body for packet in viewer.take_rtp()]
        assert [body[6:] for body in bodies] == [
            packet[-len(body) + 6 :] for packet, body in zip(packets, bodies, strict=True)
        ]


def test_a_resend_of_a_padded_packet_is_the_packet(room: Room) -> None:
    publisher, (viewer, *_) = meet(room)
    room.send_together(publisher, *frame(after_key_frame(), 0, 1, 1))
    padded = viewer.take_rtp()[0]
    room.send_rtcp(viewer, rtcp.write_nack(1, 200, [padded.number]))
    (again,) = viewer.take_rtp()
    assert again.header.payload_type == VIEWER_RTX
    assert again.body[2:] == padded.body


def test_without_retransmission_streams_nothing_is_padded(room: Room) -> None:
    """What is sent again under its own number must be what was sent: two plaintexts would give a GCM key away."""
    publisher, (viewer, *_) = meet(room, has_rtx=False)
    sent = room.send_together(publisher, *frame(after_key_frame(), 0, 1, 1))
    sizes = [size for address, size in sent if address == viewer.address]
    assert sizes[1] - sizes[0] == 1
    numbers = [packet.number for packet in viewer.take_rtp()]
    room.send_rtcp(viewer, rtcp.write_nack(1, 200, numbers[:1]))
    assert [packet.number for packet in viewer.take_rtp()] == numbers[:1]


def test_a_batch_longer_than_a_plan_loses_nothing(room: Room) -> None:
    publisher, viewers = meet(room)
    room.send_together(publisher, *after_key_frame().frame(packets=200))
    for viewer in viewers:
        assert [packet.number for packet in viewer.take_rtp()] == list(range(101, 301))
    assert "overtaken" not in room.counters()


def test_more_publishers_than_plans(room: Room) -> None:
    """Twenty tracks in one batch, a packet of each in turn."""
    publisher, viewer = room.join(PUBLISHER), room.join(2)
    cameras = []
    for track in range(100, 120):
        room.publish_video(track, publisher)
        room.subscribe(track * 10, viewer, track)
        cameras.append(Camera(track, b"%d" % track))
    frames = [camera.frame(key=True, packets=3) for camera in cameras]
    room.send_together(publisher, *itertools.chain.from_iterable(zip(*frames, strict=True)))
    received = viewer.take_rtp()
    for track in range(100, 120):
        assert [packet.number for packet in received if packet.header.ssrc == track * 10] == [100, 101, 102]
