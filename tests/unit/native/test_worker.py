"""The worker driven by hand: what viewers get of what a publisher sends, and under which numbers."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

import pytest

from media.native import rtcp
from media.native.srtp import Profile
from media.native.worker import BYE, ENCODING, FORMAT, SWITCH, Worker
from tests.support.native_camera import TIMESTAMP_STEP, Camera, vp8_body
from tests.support.native_peer import (
    DESCRIPTOR_ID,
    LEVEL_ID,
    MID_ID,
    OPUS,
    ORIENTATION_ID,
    UNKNOWN_ID,
    VIEWER_VP8,
    Peer,
    Received,
    Room,
    rtp_packet,
)

WRAPS = [0, 1, 127, 32767, 32768, 65534, 65535]
PUBLISHER, VIEWER, OTHER = 1, 2, 3
TRACK = 10
SLOT, OTHER_SLOT = 20, 21


@pytest.fixture(params=list(Profile), ids=lambda profile: profile.name)
def any_room(request: pytest.FixtureRequest) -> Iterator[Room]:
    opened = Room(request.param)
    yield opened
    opened.close()


def meet(room: Room, *, rids: tuple[bytes, ...] = (b"",), encoding: int = 0, first: int = 100) -> tuple[Peer, Peer]:
    """Let a publisher with one track and a viewer of it join."""
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher, rids)
    room.subscribe(SLOT, viewer, TRACK, encoding=encoding, first=first)
    return publisher, viewer


def numbers(received: list[Received]) -> list[int]:
    return [packet.number for packet in received]


def pictures(received: list[Received]) -> list[int | None]:
    return [packet.picture.picture_id for packet in received]


def follow_each_other(values: list[int | None], modulus: int) -> bool:
    return all(before is not None and after == (before + 1) % modulus for before, after in itertools.pairwise(values))


def test_a_viewer_gets_every_packet_under_its_own_names(any_room: Room) -> None:
    publisher, viewer = meet(any_room)
    camera = Camera(77, b"10")
    any_room.send(publisher, *camera.frame(key=True, packets=2), *camera.frame())
    received = viewer.take_rtp()
    assert numbers(received) == [100, 101, 102]
    assert {(packet.header.ssrc, packet.header.payload_type) for packet in received} == {(SLOT, VIEWER_VP8)}
    assert [packet.header.marker for packet in received] == [False, True, True]
    assert [packet.header.timestamp for packet in received] == [1000, 1000, 4000]
    assert [packet.body for packet in received] == [
        vp8_body(40, 8, key=True),
        vp8_body(40, 8, key=True, start=False),
        vp8_body(41, 9),
    ]
    assert any_room.counters()["forwarded"] == 3


def test_python_learns_of_streams_formats_and_switches(room: Room) -> None:
    publisher, _ = meet(room)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    events = [event[:6] for event in room.worker.drain_events()]
    assert events == [
        (ENCODING, PUBLISHER, TRACK, 0, 77, 0),
        (FORMAT, PUBLISHER, TRACK, 0, 96, 320 << 16 | 180),
        (SWITCH, VIEWER, SLOT, 0, 0, 0),
    ]
    stats = room.worker.encoding_stats(TRACK, 0)
    assert (stats["ssrc"], stats["active"], stats["width"], stats["height"]) == (77, 1, 320, 180)


def test_nothing_starts_but_at_a_key_frame(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(), *camera.frame())
    assert viewer.take_rtp() == []
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    assert numbers(viewer.take_rtp()) == [100, 101]


@pytest.mark.parametrize("start", WRAPS)
def test_numbers_of_the_publisher_may_wrap(room: Room, start: int) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10", number=start, timestamp=2**32 - 4000, picture_id=2**15 - 2, tl0=254)
    for index in range(6):
        room.send(publisher, *camera.frame(key=index == 0))
    received = viewer.take_rtp()
    assert numbers(received) == list(range(100, 106))
    assert follow_each_other(pictures(received), 2**15)
    assert follow_each_other([packet.picture.tl0 for packet in received], 2**8)
    assert received[-1].header.timestamp == (2**32 - 4000 + 5 * TIMESTAMP_STEP) % 2**32


@pytest.mark.parametrize("first", WRAPS)
def test_numbers_of_the_viewer_may_wrap(room: Room, first: int) -> None:
    publisher, viewer = meet(room, first=first)
    camera = Camera(77, b"10")
    for index in range(4):
        room.send(publisher, *camera.frame(key=index == 0))
    assert numbers(viewer.take_rtp()) == [(first + index) % 65536 for index in range(4)]


def test_reordered_packets_keep_the_numbers_that_were_kept_for_them(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    frames = [camera.frame(key=index == 0)[0] for index in range(5)]
    room.send(publisher, *(frames[index] for index in (0, 2, 1, 4, 3)))
    assert numbers(viewer.take_rtp()) == [100, 102, 101, 104, 103]


def test_a_packet_that_comes_twice_is_forwarded_once(room: Room) -> None:
    publisher, viewer = meet(room)
    packet = publisher.sealer.protect(Camera(77, b"10").frame(key=True)[0])
    room.feed(packet, publisher.address)
    room.feed(packet, publisher.address)
    assert len(viewer.take_rtp()) == 1
    assert room.counters()["srtp_replayed"] == 1


def test_probes_leave_no_hole(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    for padding in (255, 1, 20):
        room.send(publisher, camera.packet(b"", padding=padding))
    room.send(publisher, *camera.frame())
    room.send(
        publisher,
        rtp_packet(b"", ssrc=78, number=1, timestamp=1, payload_type=97, padding=200, extensions=((MID_ID, b"10"),)),
    )
    received = viewer.take_rtp()
    assert numbers(received) == [100, 101]
    assert follow_each_other(pictures(received), 2**15)
    assert room.counters()["probes"] == 4


def test_padding_behind_media_is_not_forwarded(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    body = vp8_body(1, 1, key=True)
    room.send(publisher, camera.packet(body, padding=40))
    assert viewer.take_rtp()[0].body == body


def test_mute_and_unmute_go_on_without_a_hole(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    room.worker.set_paused(TRACK, True)
    for _ in range(30):
        room.send(publisher, *camera.frame())
    room.worker.set_paused(TRACK, False)
    room.pass_time(1000)
    room.send(publisher, *camera.frame())  # no picture can start here
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    received = viewer.take_rtp()
    assert numbers(received) == [100, 101, 102, 103]
    assert follow_each_other(pictures(received), 2**15)
    assert received[2].header.timestamp - received[1].header.timestamp == pytest.approx(90 * 1033, abs=200)
    assert received[3].header.timestamp - received[2].header.timestamp == TIMESTAMP_STEP
    assert room.counters()["paused"] == 30


def test_a_slot_changes_its_track_without_a_hole(room: Room) -> None:
    publisher, viewer = meet(room)
    room.publish_video(11, publisher)
    first, second = Camera(77, b"10"), Camera(88, b"11", number=9000, timestamp=5, picture_id=3)
    room.send(publisher, *first.frame(key=True), *first.frame())
    room.attach(SLOT, 11)
    room.send(publisher, *first.frame(), *second.frame(key=True), *second.frame())
    received = viewer.take_rtp()
    assert numbers(received) == [100, 101, 102, 103]
    assert follow_each_other(pictures(received), 2**15)
    room.worker.detach(SLOT)
    room.send(publisher, *second.frame())
    assert viewer.take_rtp() == []


def test_a_stream_that_starts_anew_goes_on_at_its_next_key_frame(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    camera.number += 20_000
    camera.timestamp += 7_000_000
    room.send(publisher, *camera.frame(), *camera.frame(), *camera.frame())
    assert numbers(viewer.take_rtp()) == [100, 101]
    assert room.counters()["suspect"] == 1
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    received = viewer.take_rtp()
    assert numbers(received) == [102, 103]
    assert follow_each_other([41, *pictures(received)], 2**15)


def test_a_new_ssrc_under_the_same_name_goes_on_at_its_next_key_frame(room: Room) -> None:
    publisher, viewer = meet(room)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    camera = Camera(78, b"10", number=502)
    room.send(publisher, *camera.frame(), *camera.frame(key=True), *camera.frame())
    assert numbers(viewer.take_rtp()) == [100, 101, 102]


def test_audio_starts_at_once_and_keeps_its_level(room: Room) -> None:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_audio(TRACK, publisher)
    room.listen(SLOT, viewer, TRACK)
    for index in range(3):
        extensions = ((MID_ID, b"10"), (LEVEL_ID, bytes([0x80 | index])))
        packet = rtp_packet(
            b"opus", ssrc=5, number=index, timestamp=960 * index, payload_type=OPUS, extensions=extensions
        )
        room.send(publisher, packet)
    received = viewer.take_rtp()
    assert numbers(received) == [100, 101, 102]
    assert [packet.header.extensions for packet in received] == [((10, bytes([0x80 | index])),) for index in range(3)]


def test_extensions_go_out_under_the_viewers_ids(room: Room) -> None:
    publisher, viewer = meet(room)
    descriptor = struct.pack("!BH", 0x80, 300)
    extensions = (
        (MID_ID, b"10"),
        (ORIENTATION_ID, b"\x01"),
        (UNKNOWN_ID, b"unknown to the server"),
        (DESCRIPTOR_ID, descriptor),
        (200, b"never negotiated"),
    )
    room.send(publisher, rtp_packet(vp8_body(1, 1, key=True), ssrc=7, number=1, timestamp=1, extensions=extensions))
    received = viewer.take_rtp()[0]
    assert received.header.extensions == ((12, b"\x01"), (13, b"unknown to the server"), (11, descriptor))


def test_reports_tell_the_viewer_the_publishers_clock(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    ntp = 3_900_000_000 << 32
    room.send_rtcp(publisher, rtcp.write_sender_report(77, rtcp.Sender(ntp, 1000, 1, 100)))
    sent_us = room.now_us
    room.pass_time(100)
    reports = [packet for packet in viewer.take_rtcp() if packet.packet_type == rtcp.RTCP_SR]
    assert [report.ssrc for report in reports] == [SLOT]
    sender = rtcp.read_sender(reports[0])
    assert (sender.packets, sender.octets) == (1, len(viewer.take_rtp()[0].body))
    elapsed = (sender.ntp - ntp) / 2**32
    assert 0 < elapsed <= (room.now_us - sent_us) / 1e6
    assert sender.rtp_timestamp - 1000 == pytest.approx(elapsed * 90000, abs=2)


def test_the_publisher_gets_reports_and_arrival_times(room: Room) -> None:
    publisher, _ = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    room.pass_time(20)
    kinds = [(packet.packet_type, packet.count_or_format) for packet in publisher.take_rtcp()]
    assert (rtcp.RTCP_RTPFB, rtcp.RTCP_FMT_TWCC) in kinds
    assert (rtcp.RTCP_RR, 1) in kinds


def test_goodbye_is_an_event(room: Room) -> None:
    publisher, _ = meet(room)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    room.worker.drain_events()
    room.send_rtcp(publisher, rtcp.write_bye(77))
    room.send_rtcp(publisher, rtcp.write_bye(78))
    assert [event[:4] for event in room.worker.drain_events()] == [(BYE, PUBLISHER, TRACK, 0)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))), ids=str)
def test_rows_go_in_every_order(order: tuple[int, ...]) -> None:
    room = Room()
    publisher, viewer = meet(room)
    other = room.join(OTHER)
    room.subscribe(OTHER_SLOT, other, TRACK)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    removals = [
        lambda: room.worker.remove_producer(TRACK),
        lambda: room.worker.remove_consumer(SLOT),
        lambda: room.worker.remove_transport(PUBLISHER),
        lambda: room.worker.remove_transport(VIEWER),
        lambda: room.worker.remove_transport(OTHER),
    ]
    for index in order:
        removals[index]()
        room.send(publisher, *camera.frame(key=True))
        nack = viewer.sealer.protect_rtcp(rtcp.write_nack(1, SLOT, [100]))
        room.feed(nack, viewer.address)
        room.pass_time(20)
    assert room.worker.rows() == (0, 0, 0)
    room.close()
    assert other.opener.closed


def test_wrong_use_is_refused_and_changes_nothing() -> None:
    worker = Worker()
    with pytest.raises(KeyError):
        worker.set_address(1, "127.0.0.1", 1)
    with pytest.raises(ValueError, match="extension tables"):
        worker.add_transport(1, 1, b"", b"")
    worker.add_transport(1, 1, bytes(256), bytes(64))
    with pytest.raises(ValueError, match="exists"):
        worker.add_transport(1, 1, bytes(256), bytes(64))
    with pytest.raises(ValueError, match="0 encodings"):
        worker.add_producer(1, 1, b"0", True, [], [])
    with pytest.raises(ValueError, match="longer than 16"):
        worker.add_producer(1, 1, b"m" * 17, True, [], [(b"", 0, 0)])
    with pytest.raises(ValueError, match="payload type"):
        worker.add_producer(1, 1, b"0", True, [(128, 2, 90000, 255, True)], [(b"", 0, 0)])
    with pytest.raises(ValueError, match="cannot run a thread"):
        worker.start()
    assert worker.rows() == (1, 0, 0)
    assert worker.cpu_ns() == 0


def test_no_key_frame_is_asked_for_before_the_viewer_can_be_reached(room: Room) -> None:
    publisher = room.join(PUBLISHER)
    room.publish_video(TRACK, publisher)
    room.send(publisher, *Camera(77, b"10").frame(key=True))
    viewer = room.knock(VIEWER)
    room.subscribe(SLOT, viewer, TRACK)
    room.pass_time(4000)  # too old to be shown again
    assert "key_frames_requested" not in room.counters(), "the gate would hold back the one that is needed"
    room.connect(viewer)
    room.pass_time(20)
    assert room.counters()["key_frames_requested"] == 1
