"""Lost packets and missing pictures, on both sides of the worker: NACK, RTX, PLI, and what is not asked twice."""

from __future__ import annotations

import pytest

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import MID_ID, REPAIRED_RID_ID, VIEWER_RTX, VIEWER_VP8, Peer, Room, rtx_packet

PUBLISHER, VIEWER, OTHER = 1, 2, 3
TRACK, OTHER_TRACK = 10, 11
SLOT, OTHER_SLOT = 20, 21
SECOND = 1_000_000


def meet(room: Room, *, has_rtx: bool = True) -> tuple[Peer, Peer]:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher)
    room.subscribe(SLOT, viewer, TRACK, has_rtx=has_rtx)
    return publisher, viewer


def nack(room: Room, viewer: Peer, slot: int, *numbers: int) -> None:
    room.send_rtcp(viewer, rtcp.write_nack(1, slot, numbers))


def asked_numbers(publisher: Peer) -> list[int]:
    """Return the sequence numbers that the publisher was asked for again since the last look."""
    return [
        number
        for packet in publisher.take_rtcp()
        if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_RTPFB, rtcp.RTCP_FMT_NACK)
        for number in rtcp.read_nack(packet).numbers
    ]


def key_frame_requests(publisher: Peer) -> list[int]:
    """Return the SSRCs of which a key frame was asked since the last look."""
    return [
        rtcp.read_media_ssrc(packet)
        for packet in publisher.take_rtcp()
        if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI)
    ]


# -- viewers that miss packets ------------------------------------------------------------------------------------


def test_every_viewer_gets_its_own_picture_ids_again(room: Room) -> None:
    """Two viewers of one track, one of whom came from another: the same packet has two numbers, two picture ids."""
    publisher, viewer = meet(room)
    other = room.join(OTHER)
    room.publish_video(OTHER_TRACK, publisher)
    room.subscribe(OTHER_SLOT, other, OTHER_TRACK, first=60000)
    camera, before = Camera(77, b"10", picture_id=40), Camera(88, b"11", picture_id=9000, tl0=100)
    room.send(publisher, *before.frame(key=True), *before.frame(), *before.frame())
    room.attach(OTHER_SLOT, TRACK)
    for index in range(3):
        room.send(publisher, *camera.frame(key=index == 0))
    seen, other_seen = viewer.take_rtp(), other.take_rtp()[3:]
    assert [packet.picture.picture_id for packet in seen] == [40, 41, 42]
    assert [packet.picture.picture_id for packet in other_seen] == [9003, 9004, 9005]

    nack(room, viewer, SLOT, 101)
    nack(room, other, OTHER_SLOT, 60004)
    (again,), (other_again,) = viewer.take_rtp(), other.take_rtp()
    for resent, original in ((again, seen[1]), (other_again, other_seen[1])):
        assert resent.header.payload_type == VIEWER_RTX
        assert resent.header.ssrc == original.header.ssrc + 1_000_000
        assert resent.original_number == original.number
        assert resent.header.timestamp == original.header.timestamp
        assert resent.body[2:] == original.body
    assert again.picture.picture_id != other_again.picture.picture_id
    assert room.counters()["nack_served"] == 2


def test_retransmissions_have_numbers_of_their_own(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    for index in range(5):
        room.send(publisher, *camera.frame(key=index == 0))
    viewer.take_rtp()
    nack(room, viewer, SLOT, 100, 103, 104)
    resent = viewer.take_rtp()
    assert [packet.original_number for packet in resent] == [100, 103, 104]
    assert [packet.number for packet in resent] == [0, 1, 2]


def test_without_rtx_the_same_packet_comes_again(room: Room) -> None:
    publisher, viewer = meet(room, has_rtx=False)
    room.send(publisher, *Camera(77, b"10").frame(key=True, packets=3))
    seen = viewer.take_rtp()
    nack(room, viewer, SLOT, 101)
    assert viewer.take_rtp() == seen[1:2]
    assert seen[1].header.payload_type == VIEWER_VP8


def test_numbers_that_never_were_are_missed(room: Room) -> None:
    publisher, viewer = meet(room)
    nack(room, viewer, SLOT, 100)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    viewer.take_rtp()
    nack(room, viewer, SLOT, 99, 101, 40000)
    nack(room, viewer, 999, 100)
    assert viewer.take_rtp() == []
    assert room.worker.consumer_stats(SLOT)["missed"] == 4
    assert room.counters()["nack_missed"] == 4


def test_a_number_is_not_resent_twice_within_a_round_trip(room: Room) -> None:
    publisher, viewer = meet(room)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    viewer.take_rtp()
    nack(room, viewer, SLOT, 100)
    room.now_us += 20_000
    nack(room, viewer, SLOT, 100)
    assert len(viewer.take_rtp()) == 1
    room.now_us += 30_000
    nack(room, viewer, SLOT, 100)
    assert len(viewer.take_rtp()) == 1
    assert room.counters()["nack_suppressed"] == 1


def test_the_round_trip_comes_from_the_viewers_reports(room: Room) -> None:
    publisher, viewer = meet(room)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    room.send_rtcp(publisher, rtcp.write_sender_report(77, rtcp.Sender(3_900_000_000 << 32, 1000, 1, 100)))
    room.pass_time(100)
    report = next(packet for packet in viewer.take_rtcp() if packet.packet_type == rtcp.RTCP_SR)
    middle = rtcp.read_sender(report).ntp >> 16 & 0xFFFFFFFF
    sent_us = int(room.worker.consumer_stats(SLOT)["round_trip_us"])
    assert sent_us == 0
    room.now_us += 80_000
    block = rtcp.Report(SLOT, 64, 5, 100, 33, middle, 65536 * 30 // 1000)
    room.send_rtcp(viewer, rtcp.write_receiver_report(1, [block]))
    stats = room.worker.consumer_stats(SLOT)
    assert (stats["fraction_lost"], stats["jitter"]) == (64, 33)
    assert 50_000 <= stats["round_trip_us"] <= 150_000


def test_old_packets_are_forgotten(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    for index in range(1100):
        room.send(publisher, *camera.frame(key=index == 0))
    viewer.take_rtp()
    nack(room, viewer, SLOT, 100)
    nack(room, viewer, SLOT, 1190)
    assert [packet.original_number for packet in viewer.take_rtp()] == [1190]


# -- packets that the publisher's side loses ----------------------------------------------------------------------


def test_a_lost_packet_is_asked_of_the_publisher_and_forwarded_when_it_comes(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    frames = [camera.frame(key=index == 0)[0] for index in range(4)]
    room.send(publisher, frames[0], frames[3])
    assert [packet.number for packet in viewer.take_rtp()] == [100, 103]
    assert asked_numbers(publisher) == []  # it may be late only
    room.pass_time(20)
    assert asked_numbers(publisher) == [501, 502]
    room.send(publisher, frames[1])
    room.send(publisher, rtx_packet(frames[2], ssrc=78, number=1, extensions=((MID_ID, b"10"),)))
    received = viewer.take_rtp()
    assert [packet.number for packet in received] == [101, 102]
    assert [packet.picture.picture_id for packet in received] == [41, 42]
    room.pass_time(1000)
    assert asked_numbers(publisher) == []
    assert room.counters()["nack_recovered"] == 2
    assert room.worker.encoding_stats(TRACK, 0)["recovered"] == 1


def test_retransmissions_are_recognised_by_the_rid_that_they_repair(room: Room) -> None:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher, (b"q", b"h"))
    room.subscribe(SLOT, viewer, TRACK, encoding=1)
    low, high = Camera(77, b"10", b"q"), Camera(78, b"10", b"h", number=30_000)
    for index in range(2):
        room.send(publisher, *low.frame(key=index == 0), *high.frame(key=index == 0))
    viewer.take_rtp()
    lost = high.frame()[0]
    room.send(publisher, *high.frame())
    extensions = ((MID_ID, b"10"), (REPAIRED_RID_ID, b"h"))
    room.send(publisher, rtx_packet(lost, ssrc=79, number=4, extensions=extensions))
    assert [packet.number for packet in viewer.take_rtp()] == [104, 103]


def test_a_packet_that_never_comes_ends_in_a_key_frame_request(room: Room) -> None:
    publisher, _ = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    camera.frame()
    room.send(publisher, *camera.frame())
    publisher.take_rtcp()
    asked: list[int] = []
    for _ in range(50):
        room.pass_time(100)
        asked += asked_numbers(publisher)
        room.send(publisher, *camera.frame())
    assert asked == [501] * 10
    assert room.counters()["nack_abandoned"] == 1
    assert room.counters()["key_frames_requested"] >= 1


def test_a_wide_hole_is_a_key_frames_business(room: Room) -> None:
    publisher, _ = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    room.pass_time(1500)
    publisher.take_rtcp()
    camera.number += 400
    room.send(publisher, *camera.frame())
    assert key_frame_requests(publisher) == [77]
    room.pass_time(100)
    assert asked_numbers(publisher) == []


# -- pictures -----------------------------------------------------------------------------------------------------


def test_requests_of_many_viewers_become_one(room: Room) -> None:
    publisher = room.join(PUBLISHER)
    room.publish_video(TRACK, publisher)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame())
    viewers = [room.join(100 + index) for index in range(20)]
    for index, viewer in enumerate(viewers):
        room.subscribe(1000 + index, viewer, TRACK)
    room.collect()
    assert key_frame_requests(publisher) == [77]
    room.send(publisher, *camera.frame(key=True))
    for index, viewer in enumerate(viewers):
        room.send_rtcp(viewer, rtcp.write_pli(1, 1000 + index))
        room.send_rtcp(viewer, rtcp.write_fir(1, 1000 + index, 5))
    assert key_frame_requests(publisher) == []
    room.pass_time(1100)
    assert key_frame_requests(publisher) == [77]
    assert room.worker.consumer_stats(1000)["key_frames_asked"] == 2


def test_a_request_is_repeated_until_the_key_frame_comes(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    requests = 0
    for _ in range(31):
        room.send(publisher, *camera.frame())
        room.pass_time(100)
        requests += len(key_frame_requests(publisher))
    assert requests == pytest.approx(3, abs=1)
    room.send(publisher, *camera.frame(key=True))
    room.pass_time(2500)
    assert key_frame_requests(publisher) == []
    assert len(viewer.take_rtp()) == 1


def test_nobody_asks_a_muted_publisher(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    room.worker.set_paused(TRACK, True)
    room.pass_time(1500)
    publisher.take_rtcp()
    camera.frame()
    room.send(publisher, *camera.frame())
    room.send_rtcp(viewer, rtcp.write_pli(1, SLOT))
    room.pass_time(1500)
    assert [packet for packet in publisher.take_rtcp() if packet.packet_type == rtcp.RTCP_PSFB] == []
    assert room.counters().get("nack_asked", 0) == 0
