"""The worker driven by hand: transport-wide numbers toward viewers, what they report of them, probes of their paths."""

from __future__ import annotations

import struct
import time

import pytest

from media.native import rtcp
from media.native.twcc import ArrivalRecorder
from tests.support.native_camera import Camera
from tests.support.native_peer import (
    LEVEL_ID,
    MID_ID,
    NUMBER_ID,
    NUMBERED_IDS,
    OPUS,
    ORIENTATION_ID,
    OUT_IDS,
    VIEWER_RTX,
    Peer,
    Received,
    Room,
    rtp_packet,
)

PUBLISHER, VIEWER, OTHER = 1, 2, 3
TRACK, VOICE, SLOT, OTHER_SLOT, SOUND = 10, 11, 20, 21, 22
MESSAGES_MAX = 16  # of feedback in 100 ms
NACKS_MAX = 512  # numbers in 100 ms
START_BPS = 300_000


@pytest.fixture
def publisher(room: Room) -> Peer:
    peer = room.join(PUBLISHER)
    room.publish_video(TRACK, peer)
    room.publish_audio(VOICE, peer)
    return peer


@pytest.fixture
def viewer(room: Room, publisher: Peer) -> Peer:  # the producers are there first
    peer = room.join(VIEWER, out_ids=NUMBERED_IDS)
    room.subscribe(SLOT, peer, TRACK, numbered=True)
    room.listen(SOUND, peer, VOICE, numbered=True)
    return peer


@pytest.fixture
def camera() -> Camera:
    return Camera(77, b"%d" % TRACK)


def number_of(packet: Received) -> int | None:
    values = [value for element, value in packet.header.extensions if element == NUMBER_ID]
    return int.from_bytes(values[0]) if values else None


def voice(number: int) -> bytes:
    extensions = ((MID_ID, b"%d" % VOICE), (LEVEL_ID, b"\x1e"), (ORIENTATION_ID, b"\x01"))
    return rtp_packet(b"opus", ssrc=90, number=number, timestamp=960 * number, payload_type=OPUS, extensions=extensions)


class Reports:
    """What a viewer reports of the packets that it got; its path takes 20 ms."""

    def __init__(self, room: Room, peer: Peer, slot: int = SLOT) -> None:
        self.room = room
        self.peer = peer
        self.slot = slot
        self.recorder = ArrivalRecorder()

    def report(self) -> list[Received]:
        packets = self.peer.take_rtp()
        for packet in packets:
            number = number_of(packet)
            assert number is not None
            self.recorder.received(number, self.room.now_us + 20_000)
        self.room.send_rtcp(self.peer, self.recorder.build(1, self.slot))
        return packets


def told(room: Room) -> dict[int, int]:
    return {transport: bps for transport, bps, _, _ in room.worker.take_estimates()}


def test_all_packets_of_a_viewer_are_numbered_together(
    room: Room, publisher: Peer, viewer: Peer, camera: Camera
) -> None:
    room.send(publisher, *camera.frame(key=True), voice(1), *camera.frame(packets=2), voice(2))
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, [101]))
    packets = viewer.take_rtp()
    assert [number_of(packet) for packet in packets] == [0, 1, 2, 3, 4, 5]
    assert packets[-1].header.payload_type == VIEWER_RTX
    assert packets[1].header.extensions[1:] == ((10, b"\x1e"), (12, b"\x01")), "its own ones follow"
    assert packets[0].header.payload_offset == packets[2].header.payload_offset == 20


def test_slots_that_did_not_negotiate_numbers_have_none(room: Room, publisher: Peer, camera: Camera) -> None:
    without_id = room.join(VIEWER)
    room.subscribe(SLOT, without_id, TRACK, numbered=True)
    without_numbers = room.join(OTHER, out_ids=NUMBERED_IDS)
    room.subscribe(OTHER_SLOT, without_numbers, TRACK)
    room.send(publisher, *camera.frame(key=True))
    for peer in (without_id, without_numbers):
        (packet,) = peer.take_rtp()
        assert number_of(packet) is None
    Reports(room, without_numbers).room.send_rtcp(without_numbers, feedback(0, [1]))
    assert room.counters()["feedback_unasked"] == 1
    assert told(room) == {}


def test_a_packet_is_not_repeated_as_another_one_where_there_is_no_rtx(
    room: Room, publisher: Peer, camera: Camera
) -> None:
    peer = room.join(VIEWER, out_ids=NUMBERED_IDS)
    room.subscribe(SLOT, peer, TRACK, has_rtx=False, numbered=True)
    room.listen(SOUND, peer, VOICE, numbered=True)
    room.send(publisher, *camera.frame(key=True), voice(1))
    room.send_rtcp(peer, rtcp.write_nack(1, SLOT, [100]) + rtcp.write_nack(1, SOUND, [100]))
    assert len(peer.take_rtp()) == 2
    assert room.counters()["nack_missed"] == 2


def test_an_estimate_is_told_once_and_when_it_changes(
    room: Room, publisher: Peer, viewer: Peer, camera: Camera
) -> None:
    reports = Reports(room, viewer)
    room.send(publisher, *camera.frame(key=True))
    assert told(room) == {}
    reports.report()
    assert told(room) == {VIEWER: START_BPS}
    assert told(room) == {}
    room.send_rtcp(viewer, rtcp.write_remb(1, 200_000, [SLOT]))
    assert told(room) == {VIEWER: 200_000}
    room.send_rtcp(viewer, rtcp.write_remb(1, 199_000, [SLOT]))
    assert told(room) == {}, "that is no change"


def test_who_cannot_report_numbers_is_believed_its_own_estimate(room: Room, publisher: Peer) -> None:
    peer = room.join(VIEWER)
    room.subscribe(SLOT, peer, TRACK)
    room.send_rtcp(peer, rtcp.write_remb(1, 1_234_000, [SLOT]))
    assert told(room) == {VIEWER: 1_234_000}
    room.send_rtcp(publisher, rtcp.write_remb(1, 1_234_000, [5]))
    assert told(room) == {}, "nothing is sent to a publisher"
    room.send_rtcp(peer, rtcp.write_remb(1, 1 << 63, [SLOT]))
    assert told(room) == {VIEWER: 50_000_000}


def test_the_round_trip_is_that_of_receiver_reports(room: Room, publisher: Peer, viewer: Peer, camera: Camera) -> None:
    room.send(publisher, *camera.frame(key=True))
    room.send_rtcp(publisher, rtcp.write_sender_report(77, rtcp.Sender(1 << 40, 5, 6, 7)))
    Reports(room, viewer).report()
    room.worker.take_estimates()
    viewer.take_rtcp()
    room.pass_time(1100)
    reports = [packet for packet in viewer.take_rtcp() if packet.packet_type == rtcp.RTCP_SR]
    middle = int.from_bytes(reports[-1].body[2:6])
    room.pass_time(50)
    room.send_rtcp(viewer, rtcp.write_receiver_report(5, [rtcp.Report(SLOT, 0, 0, 0, 0, middle, 0)]))
    ((_, _, _, round_trip_us),) = room.worker.take_estimates()
    assert 50_000 <= round_trip_us < 200_000


def feedback(base: int, deltas: list[int], reference: int = 1) -> bytes:
    """Return a message that tells that these packets came, each so many quarters of a millisecond after the last."""
    body = struct.pack("!IIHHIH", 1, SLOT, base & 0xFFFF, len(deltas), reference << 8, 0x4000 | len(deltas))
    body += b"".join(struct.pack("!h", delta) for delta in deltas)
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def test_absurd_reports_change_nothing_for_others(room: Room, publisher: Peer, viewer: Peer, camera: Camera) -> None:
    other = room.join(OTHER, out_ids=NUMBERED_IDS)
    room.subscribe(OTHER_SLOT, other, TRACK, numbered=True)
    good = Reports(room, other, OTHER_SLOT)
    room.send(publisher, *camera.frame(key=True))
    references = [0, 0xFFFFFF, 0x800000, 1, 0x7FFFFF, 5]
    for turn in range(60):
        room.send(publisher, *camera.frame(packets=3))
        room.pass_time(50)
        good.report()
        base = number_of(viewer.take_rtp()[-1]) or 0
        room.send_rtcp(viewer, feedback(base, [-32768, 32767] * 200, references[turn % len(references)]))
        room.send_rtcp(viewer, feedback(base - 5, [32767] * 9, references[-turn % len(references)]))
        room.send_rtcp(viewer, b"\x8f\xcd\x00\x02" + bytes(8), rtcp.write_remb(1, 1 << 62, [1]))
    counters = room.counters()
    assert counters["feedback_malformed"] == 60
    estimates = {transport: (bps, loss) for transport, bps, loss, _ in room.worker.take_estimates()}
    assert estimates[OTHER][0] >= START_BPS * 0.9
    assert estimates[OTHER][1] == 0
    assert 30_000 <= estimates[VIEWER][0] <= 50_000_000
    assert good.recorder.pending() == 0


def test_a_flood_of_reports_is_counted_and_not_read(room: Room, publisher: Peer, viewer: Peer, camera: Camera) -> None:
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    message = feedback(0, [1] * 200)
    packets = [viewer.sealer.protect_rtcp(message * 2 + rtcp.write_remb(1, 90_000, [SLOT])) for _ in range(2000)]
    began = time.thread_time()
    for packet in packets:
        room.worker.feed(packet, viewer.address, room.now_us)
    spent_us = (time.thread_time() - began) / len(packets) * 1e6
    print(f"{spent_us:.1f} us a packet of three messages, decryption included")
    counters = room.counters()
    assert counters["feedback"] == MESSAGES_MAX
    assert counters["feedback_flooded"] == 3 * len(packets) - MESSAGES_MAX
    assert spent_us < 100
    room.now_us += 100_000
    room.send_rtcp(viewer, message)
    assert room.counters()["feedback"] == MESSAGES_MAX + 1


def test_a_flood_of_wishes_for_packets_is_bounded(room: Room, publisher: Peer, viewer: Peer, camera: Camera) -> None:
    room.send(publisher, *camera.frame(key=True), *(packet for _ in range(100) for packet in camera.frame(packets=8)))
    viewer.take_rtp()
    for turn in range(30):
        numbers = [(100 + turn * 256 + index) % 65536 for index in range(256)]
        room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, numbers))
    counters = room.counters()
    assert counters["nack_requested"] == NACKS_MAX
    assert counters["nack_flooded"] == 30 * 256 - NACKS_MAX
    assert len(viewer.take_rtp()) <= NACKS_MAX


def start_probing(room: Room, publisher: Peer, viewer: Peer, camera: Camera, wanted_bps: int = 2_000_000) -> None:
    room.send(publisher, *camera.frame(key=True), *camera.frame(packets=2))
    Reports(room, viewer).report()
    room.worker.set_wanted(VIEWER, wanted_bps)


def test_a_probe_repeats_what_was_sent_at_the_rate_that_is_tried(
    room: Room, publisher: Peer, viewer: Peer, camera: Camera
) -> None:
    start_probing(room, publisher, viewer, camera)
    began_us = room.now_us
    while room.counters().get("path_probes", 0) == 0 or viewer.media[-1:] == [] or room.now_us < began_us + 60_000:
        room.now_us += 1000
        room.worker.tick(room.now_us)
        room.collect()
        assert room.now_us < began_us + 500_000
    packets = viewer.take_rtp()
    assert {packet.header.payload_type for packet in packets} == {VIEWER_RTX}
    assert {packet.original_number for packet in packets} <= {100, 101, 102}
    assert [number_of(packet) for packet in packets] == list(range(3, 3 + len(packets)))
    assert room.worker.counters()["path_probe_bytes"] >= 4000


def test_padding_probes_where_there_is_no_rtx_and_only_behind_a_whole_frame(
    room: Room, publisher: Peer, camera: Camera
) -> None:
    peer = room.join(VIEWER, out_ids=NUMBERED_IDS)
    room.subscribe(SLOT, peer, TRACK, has_rtx=False, numbered=True)
    start_probing(room, publisher, peer, camera)
    first, second = camera.frame(packets=2)
    room.send(publisher, first)
    peer.take_rtp()
    room.pass_time(50)
    assert peer.take_rtp() == [], "the frame goes on"
    room.send(publisher, second)
    room.pass_time(100)
    packets = peer.take_rtp()
    assert [packet.header.padding_length for packet in packets[1:]] == [255] * (len(packets) - 1)
    assert len(packets) > 5
    room.send(publisher, *camera.frame())
    numbers = [packet.number for packet in packets + peer.take_rtp()]
    assert numbers == list(range(104, 104 + len(numbers)))


def test_an_empty_slot_carries_padding_until_there_is_room_for_its_picture(room: Room, publisher: Peer) -> None:
    peer = room.join(VIEWER, out_ids=NUMBERED_IDS)
    room.listen(SOUND, peer, VOICE, numbered=True)
    room.worker.add_consumer(SLOT, VIEWER, True, SLOT, SLOT + 1_000_000, 100, True, VIEWER_RTX)
    room.worker.set_wanted(VIEWER, 2_000_000)
    room.send(publisher, voice(1))
    Reports(room, peer, SOUND).report()
    room.pass_time(100)
    packets = peer.take_rtp()
    assert len(packets) * 255 >= 4000
    assert {(packet.header.ssrc, packet.header.padding_length) for packet in packets} == {(SLOT + 1_000_000, 255)}
    assert [packet.number for packet in packets] == list(range(len(packets)))
    assert [number_of(packet) for packet in packets] == list(range(1, 1 + len(packets)))


def test_nothing_is_probed_that_nobody_wants_or_that_cannot_be_reached(
    room: Room, publisher: Peer, viewer: Peer, camera: Camera
) -> None:
    start_probing(room, publisher, viewer, camera, wanted_bps=0)
    room.pass_time(1000)
    assert "path_probes" not in room.counters()
    room.worker.clear_address(VIEWER)
    room.worker.set_wanted(VIEWER, 2_000_000)
    room.pass_time(1000)
    assert "path_probes" not in room.counters()


def test_who_leaves_while_probed_and_in_the_news_leaves_nothing(
    room: Room, publisher: Peer, viewer: Peer, camera: Camera
) -> None:
    start_probing(room, publisher, viewer, camera)
    room.pass_time(10)
    assert room.counters()["path_probes"] == 1
    room.worker.remove_transport(VIEWER)
    room.peers.pop(VIEWER).close()
    room.pass_time(500)
    assert told(room) == {}
    assert OUT_IDS != NUMBERED_IDS
    with pytest.raises(KeyError):
        room.worker.set_wanted(VIEWER, 1)
