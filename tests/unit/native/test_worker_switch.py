"""Another encoding, another temporal layer: the viewer sees one stream without a hole, and can have any part again."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native import payload, rtcp
from media.native.srtp import SrtpError
from tests.support.native_camera import TIMESTAMP_STEP, Camera
from tests.support.native_peer import AV1, DESCRIPTOR_ID, MID_ID, OPUS, RID_ID, TONES, Peer, Received, Room, rtp_packet

WRAPS = [0, 1, 127, 32767, 32768, 65534, 65535]
PUBLISHER, VIEWER = 1, 2
TRACK, SLOT = 10, 20
LOW, HIGH = 0, 1
FRAME_US = 33_333
# Chromium's three temporal layers: 0 2 1 2; a viewer may go up where the layer refers to the base layer only.
PATTERN = ((0, False), (2, True), (1, True), (2, False))


def meet(room: Room, *, encoding: int) -> tuple[Peer, Peer, Camera, Camera]:
    """Let a publisher with two encodings and a viewer join."""
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher, (b"q", b"h"))
    room.subscribe(SLOT, viewer, TRACK, encoding=encoding)
    low = Camera(77, b"10", b"q", number=65530, timestamp=2**32 - 9000, picture_id=120, tl0=250)
    high = Camera(78, b"10", b"h", number=40, timestamp=600_000, picture_id=32760, tl0=3)
    return publisher, viewer, low, high


def play(
    room: Room, publisher: Peer, cameras: Sequence[Camera], frames: int, *, key: Camera | None = None, packets: int = 1
) -> None:
    """Let all encodings send frames in step, 30 a second; the first of `key` is a key frame."""
    for index in range(frames):
        started_us = room.now_us
        for camera in cameras:
            room.send(publisher, *camera.frame(key=camera is key and index == 0, packets=packets))
        room.now_us = started_us + FRAME_US


def assert_continuous(received: Sequence[Received], *, first: int = 100) -> None:
    """Check that numbers, picture ids and TL0 indices follow each other, and that time goes on."""
    assert [packet.number for packet in received] == [(first + index) % 65536 for index in range(len(received))]
    frames = [next(group) for _, group in itertools.groupby(received, key=lambda packet: packet.header.timestamp)]
    for before, after in itertools.pairwise(frames):
        assert before.picture.picture_id is not None
        assert after.picture.picture_id == (before.picture.picture_id + 1) % 2**15
        assert before.picture.tl0 is not None
        assert after.picture.tl0 == (before.picture.tl0 + 1) % 2**8
        step = (after.header.timestamp - before.header.timestamp) % 2**32
        assert 900 <= step <= 3 * TIMESTAMP_STEP


def encodings(room: Room) -> int:
    return int(room.worker.consumer_stats(SLOT)["encoding"])


def test_up_and_down_again(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=LOW)
    play(room, publisher, (low, high), 10, key=low)
    assert encodings(room) == LOW
    room.worker.set_layers(SLOT, HIGH, 255)
    play(room, publisher, (low, high), 4)
    assert encodings(room) == LOW
    play(room, publisher, (low, high), 10, key=high, packets=3)
    assert encodings(room) == HIGH
    room.worker.set_layers(SLOT, LOW, 255)
    play(room, publisher, (low, high), 5, packets=2)
    play(room, publisher, (low, high), 10, key=low)
    assert encodings(room) == LOW
    received = viewer.take_rtp()
    assert_continuous(received)
    assert len(received) == 10 + 4 + 3 + 10 * 3 + 5 * 2 + 10  # 3: the lower frame of the instant of the switch


def test_the_switch_asks_for_a_key_frame_of_the_wanted_encoding(room: Room) -> None:
    publisher, _, low, high = meet(room, encoding=LOW)
    play(room, publisher, (low, high), 10, key=low)
    publisher.take_rtcp()
    room.worker.set_layers(SLOT, HIGH, 255)
    room.collect()
    assert [rtcp.read_media_ssrc(packet) for packet in publisher.take_rtcp()] == [78]


def test_packets_of_before_the_switch_can_be_had_again(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=LOW)
    play(room, publisher, (low, high), 10, key=low)
    room.worker.set_layers(SLOT, HIGH, 255)
    play(room, publisher, (low, high), 10, key=high)
    received = viewer.take_rtp()
    numbers = [packet.number for packet in received]
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, numbers))
    resent = viewer.take_rtp()
    assert [packet.original_number for packet in resent] == numbers
    assert [packet.body[2:] for packet in resent] == [packet.body for packet in received]
    assert [packet.header.timestamp for packet in resent] == [packet.header.timestamp for packet in received]


def test_a_late_packet_of_before_the_switch_takes_its_own_place(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=LOW)
    play(room, publisher, (low, high), 3, key=low)
    late = low.frame()[0]
    play(room, publisher, (low, high), 2)
    room.worker.set_layers(SLOT, HIGH, 255)
    play(room, publisher, (low, high), 2, key=high)
    room.send(publisher, late)
    numbers = [packet.number for packet in viewer.take_rtp()]
    assert numbers[-1] == 103
    assert sorted(numbers) == list(range(100, 109))


def test_sender_reports_join_the_clocks_exactly(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=LOW)
    ntp = 3_900_000_000 << 32
    play(room, publisher, (low, high), 3, key=low)
    for camera in (low, high):  # the next frame of each is captured at the same instant
        room.send_rtcp(publisher, rtcp.write_sender_report(camera.ssrc, rtcp.Sender(ntp, camera.timestamp, 1, 1)))
    room.worker.set_layers(SLOT, HIGH, 255)
    play(room, publisher, (low,), 1)
    high.timestamp += TIMESTAMP_STEP
    room.now_us += 70_000  # the network is late: wall time would give another step
    play(room, publisher, (high,), 2, key=high)
    steps = [
        after.header.timestamp - before.header.timestamp for before, after in itertools.pairwise(viewer.take_rtp())
    ]
    assert [step % 2**32 for step in steps] == [TIMESTAMP_STEP] * 5


def test_a_viewer_of_a_missing_encoding_gets_what_there_is(room: Room) -> None:
    publisher, viewer, low, _ = meet(room, encoding=HIGH)
    play(room, publisher, (low,), 5, key=low)
    assert len(viewer.take_rtp()) == 5


def test_an_encoding_that_stops_is_left_for_one_that_flows(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=HIGH)
    play(room, publisher, (low, high), 3, key=high)
    assert encodings(room) == HIGH
    for _ in range(30):
        play(room, publisher, (low,), 1)
        room.pass_time(30)
    play(room, publisher, (low,), 3, key=low)
    assert encodings(room) == LOW
    assert_continuous_numbers(viewer.take_rtp())


def assert_continuous_numbers(received: Sequence[Received]) -> None:
    assert [packet.number for packet in received] == [100 + index for index in range(len(received))]


# -- temporal layers ----------------------------------------------------------------------------------------------


def play_layers(room: Room, publisher: Peer, camera: Camera, frames: int, *, start: int = 0, packets: int = 1) -> None:
    for index in range(start, start + frames):
        temporal, sync = PATTERN[index % len(PATTERN)]
        room.send(publisher, *camera.frame(key=index == 0, temporal=temporal, sync=sync, packets=packets))


@pytest.mark.parametrize("packets", [1, 3])
@pytest.mark.parametrize("number", WRAPS)
@pytest.mark.parametrize("temporal", [0, 1, 2])
def test_dropped_layers_leave_no_hole_and_can_be_asked_for(
    room: Room, temporal: int, number: int, packets: int
) -> None:
    publisher, viewer, _, _ = meet(room, encoding=LOW)
    camera = Camera(77, b"10", b"q", number=number, picture_id=32765)
    room.attach(SLOT, TRACK, temporal=temporal)
    play_layers(room, publisher, camera, 24, packets=packets)
    received = viewer.take_rtp()
    kept = sum(PATTERN[index % 4][0] <= temporal for index in range(24))
    assert len(received) == kept * packets
    numbers = [packet.number for packet in received]
    assert numbers == list(range(100, 100 + len(received)))
    pictures = [packet.picture.picture_id for packet in received[::packets]]
    assert pictures == [(32765 + index) % 32768 for index in range(kept)]
    assert {packet.picture.temporal_id for packet in received} <= set(range(temporal + 1))

    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, numbers))
    resent = viewer.take_rtp()
    assert [packet.original_number for packet in resent] == numbers
    assert [packet.body[2:] for packet in resent] == [packet.body for packet in received]


def test_a_layer_comes_back_where_it_needs_the_base_layer_only(room: Room) -> None:
    publisher, viewer, _, _ = meet(room, encoding=LOW)
    camera = Camera(77, b"10", b"q")
    play_layers(room, publisher, camera, 8)
    room.worker.set_layers(SLOT, LOW, 0)
    play_layers(room, publisher, camera, 8, start=8)
    room.worker.set_layers(SLOT, LOW, 2)
    play_layers(room, publisher, camera, 1, start=19)  # 2, not a place to go up
    play_layers(room, publisher, camera, 8, start=20)
    received = viewer.take_rtp()
    assert [packet.picture.temporal_id for packet in received] == [0, 2, 1, 2] * 2 + [0, 0] + [0, 2, 1, 2] * 2
    assert_continuous_numbers(received)


# -- dependency descriptors ---------------------------------------------------------------------------------------


def av1_packet(ssrc: int, rid: bytes, number: int, frame: int, *, key: bool) -> bytes:
    body = bytes([0x18 if key else 0x10]) + bytes([0x0A if key else 0x32]) + b"\x01\x02\x03"
    extensions = ((MID_ID, b"10"), (RID_ID, rid), (DESCRIPTOR_ID, struct.pack("!BH", 0xC0, frame & 0xFFFF)))
    return rtp_packet(body, ssrc=ssrc, number=number, timestamp=number * 3000, payload_type=AV1, extensions=extensions)


def test_frame_numbers_go_on_after_a_switch(room: Room) -> None:
    publisher, viewer, _, _ = meet(room, encoding=LOW)
    for index in range(3):
        room.send(publisher, av1_packet(77, b"q", index, 65534 + index, key=index == 0))
    room.send(publisher, av1_packet(78, b"h", 500, 9, key=False))
    room.worker.set_layers(SLOT, HIGH, 255)
    for index in range(3):
        room.send(publisher, av1_packet(78, b"h", 501 + index, 10 + index, key=index == 0))
    received = viewer.take_rtp()
    descriptors = [dict(packet.header.extensions)[11] for packet in received]
    assert [payload.read_descriptor(value).frame_number for value in descriptors] == [65534, 65535, 0, 1, 2, 3]
    assert_continuous_numbers(received)
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, [104]))
    assert viewer.take_rtp() == received[4:5]


# -- no number twice ----------------------------------------------------------------------------------------------


def test_a_packet_missing_before_a_left_out_one_keeps_its_number_through_a_switch(room: Room) -> None:
    publisher, viewer, low, high = meet(room, encoding=LOW)
    room.attach(SLOT, TRACK, temporal=0)
    room.send(publisher, *low.frame(key=True))
    late = low.frame()[0]
    room.send(publisher, *low.frame(temporal=2), *high.frame())
    room.worker.set_layers(SLOT, HIGH, 0)
    room.send(publisher, *high.frame(key=True), late)
    assert [packet.number for packet in viewer.take_rtp()] == [100, 102, 101]


def test_a_late_packet_of_after_a_pause_has_no_number(room: Room) -> None:
    publisher, viewer, low, _ = meet(room, encoding=LOW)
    room.send(publisher, *low.frame(key=True), *low.frame())
    room.worker.set_paused(TRACK, True)
    room.worker.set_paused(TRACK, False)
    late = low.frame()[0]
    room.send(publisher, *low.frame(), late, *low.frame(key=True), *low.frame())
    assert [packet.number for packet in viewer.take_rtp()] == [100, 101, 102, 103]


def test_packets_of_a_new_stream_are_not_taken_for_those_of_the_old(room: Room) -> None:
    publisher, viewer, low, _ = meet(room, encoding=LOW)
    start = low.number
    for index in range(4):
        room.send(publisher, *low.frame(key=index == 0))
    assert len(viewer.take_rtp()) == 4
    again = Camera(177, b"10", b"q", number=start)
    frames = [again.frame()[0] for _ in range(4)]
    room.send(publisher, frames[0], frames[3], frames[2])
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, [100, 101, 102, 103]))
    assert viewer.take_rtp() == []
    assert room.counters()["nack_missed"] == 4


def test_packets_of_a_codec_that_the_viewer_lacks_leave_no_hole(room: Room) -> None:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_audio(TRACK, publisher)
    room.listen(SLOT, viewer, TRACK)
    for number in range(6):
        payload_type = TONES if number in {2, 3} else OPUS
        packet = rtp_packet(
            b"sound",
            ssrc=5,
            number=number,
            timestamp=960 * number,
            payload_type=payload_type,
            extensions=((MID_ID, b"10"),),
        )
        room.send(publisher, packet)
    assert [(packet.number, packet.header.timestamp) for packet in viewer.take_rtp()] == [
        (100, 0),
        (101, 960),
        (102, 960 * 4),
        (103, 960 * 5),
    ]


# -- whatever comes -----------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(("low", "low", "high", "high", "lose", "late", "layers", "mute", "restart", "new")),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps)
def test_no_number_is_ever_given_to_two_packets(actions: list[tuple[str, int, bool]]) -> None:
    """SRTP falls with it: one number with two contents under GCM gives the key of the authentication away."""
    room = Room()
    publisher, viewer, low, high = meet(room, encoding=LOW)
    lost: list[bytes] = []
    muted = False
    seen: dict[int, Received] = {}
    for action, amount, flag in actions:
        camera = high if flag else low
        if action in {"low", "high"}:
            camera = high if action == "high" else low
            frame = camera.frame(key=flag, temporal=amount % 3, sync=flag, packets=1 + amount % 2)
            send_if_sealed(room, publisher, frame)
        elif action == "lose":
            lost += camera.frame(temporal=amount % 3)
        elif action == "late" and lost:
            send_if_sealed(room, publisher, [lost.pop(amount % len(lost))])
        elif action == "layers":
            room.worker.set_layers(SLOT, HIGH if flag else LOW, amount)
        elif action == "mute":
            muted = not muted
            room.worker.set_paused(TRACK, muted)
        elif action == "restart":
            camera.number = (camera.number + 9000 * (1 + amount % 3)) % 65536
        elif action == "new":
            camera.ssrc += 100
            camera.number = (camera.number - 3 + amount) % 65536
        room.pass_time(10)
        for packet in viewer.take_rtp():
            if packet.header.ssrc == SLOT:
                assert packet.number not in seen  # VP8 has RTX here: not even the same packet comes again
                seen[packet.number] = packet
    room.close()


def send_if_sealed(room: Room, publisher: Peer, packets: Sequence[bytes]) -> None:
    """Send what the publisher's own SRTP does not refuse for its age."""
    for packet in packets:
        try:
            sealed = publisher.sealer.protect(packet)
        except SrtpError:
            continue
        room.feed(sealed, publisher.address)
