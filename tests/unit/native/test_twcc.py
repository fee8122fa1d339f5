"""Transport-wide feedback: what a decoder of the message reads is what came, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.twcc import ArrivalRecorder
from tests.oracle import twcc as oracle
from tests.oracle.twcc import decode
from tests.support.arrivals import WRAPS, Arrival, arrivals

SENDER, MEDIA = 0x1234_5678, 0x9ABC_DEF0


def record(recorder: ArrivalRecorder, start: int, came: dict[int, int]) -> None:
    for number, now_us in came.items():
        recorder.received((start + number) % 65536, now_us)


def told(packet: bytes) -> dict[int, int]:
    """Return arrival ticks by sequence number."""
    feedback = decode(packet)
    return {(feedback.base + index) % 65536: tick for index, tick in enumerate(feedback.ticks) if tick is not None}


@pytest.mark.parametrize("start", WRAPS)
def test_tells_arrivals_and_losses_across_the_wrap(start: int) -> None:
    recorder = ArrivalRecorder()
    record(recorder, start, {0: 1_000_000, 1: 1_000_249, 2: 1_000_250, 5: 1_100_000, 4: 1_100_500})
    assert recorder.pending() == 5
    feedback = decode(recorder.build(SENDER, MEDIA))
    assert (feedback.sender_ssrc, feedback.media_ssrc) == (SENDER, MEDIA)
    assert (feedback.base, feedback.reference, feedback.feedback_count) == (start, 15, 0)
    assert feedback.ticks == (4000, 4000, 4001, None, 4402, 4400)
    assert recorder.pending() == 0
    assert recorder.build(SENDER, MEDIA) == b""


def test_the_next_feedback_goes_on_where_the_last_ended() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 0, {0: 0})
    recorder.build(SENDER, MEDIA)
    record(recorder, 0, {3: 64_000})
    feedback = decode(recorder.build(SENDER, MEDIA))
    assert (feedback.base, feedback.feedback_count, feedback.reference) == (1, 1, 1)
    assert feedback.ticks == (None, None, 256)


def test_a_late_arrival_is_told_with_what_was_told_before() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 65530, {0: 0, 1: 1000, 3: 3000})
    recorder.build(SENDER, MEDIA)
    record(recorder, 65530, {2: 5000})
    assert recorder.pending() == 1
    feedback = decode(recorder.build(SENDER, MEDIA))
    assert (feedback.base, feedback.ticks) == (65532, (20, 12))


def test_duplicates_keep_the_first_time() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 0, {0: 0, 1: 250})
    record(recorder, 0, {0: 9000, 1: 9000})
    assert decode(recorder.build(SENDER, MEDIA)).ticks == (0, 1)
    record(recorder, 0, {1: 9000})
    assert recorder.pending() == 0
    assert recorder.counters() == (2, 3, 0, 0)


def test_a_delta_of_more_than_16_bits_begins_another_packet() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 0, {0: 0, 1: 32767 * 250, 2: 32767 * 250 + 32768 * 250})
    assert decode(recorder.build(SENDER, MEDIA)).ticks == (0, 32767)
    assert decode(recorder.build(SENDER, MEDIA)).ticks == (65535,)
    record(recorder, 0, {4: 0, 3: 20_000_000})  # 4 came 20 s before 3
    assert [decode(recorder.build(SENDER, MEDIA)).ticks for _ in range(2)] == [(80_000,), (0,)]


@pytest.mark.parametrize("gap", [2, 14, 15, 800, 1023])
def test_a_gap_costs_next_to_nothing(gap: int) -> None:
    recorder = ArrivalRecorder()
    record(recorder, 60_000, {0: 0, gap: 500})
    packet = recorder.build(SENDER, MEDIA)
    assert len(packet) <= 32
    assert decode(packet).ticks == (0, *[None] * (gap - 1), 2)


@pytest.mark.parametrize("gap", [1024, 5000, 32767])
def test_a_gap_beyond_the_window_is_bounded(gap: int) -> None:
    recorder = ArrivalRecorder()
    record(recorder, 60_000, {0: 0, gap: 500})
    feedback = decode(recorder.build(SENDER, MEDIA))
    assert feedback.ticks == (*[None] * 1023, 2)
    assert recorder.counters()[3] == 1


def test_a_sender_that_begins_anew_is_followed_after_two_packets() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 40_000, {0: 0, 1: 250})
    record(recorder, 20_000, {0: 500})
    assert recorder.pending() == 2
    record(recorder, 20_000, {1: 750, 2: 1000})
    assert told(recorder.build(SENDER, MEDIA)) == {20_001: 3, 20_002: 4}
    assert recorder.counters() == (4, 0, 1, 2)


def test_long_runs_and_mixed_statuses_are_packed() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 0, {number: number * 250 for number in range(700)})
    packet = recorder.build(SENDER, MEDIA)
    assert len(packet) == 20 + 2 + 700 + 2  # one run, one byte a delta, padding
    record(recorder, 700, {number: 700 * 250 + number * 250 for number in range(0, 140, 2)})
    assert len(recorder.build(SENDER, MEDIA)) == 20 + 20 + 70 + 2  # 139 statuses, 14 in a chunk


@pytest.mark.parametrize("capacity", [40, 41, 43, 44, 64, 100, 1200])
@pytest.mark.parametrize("spacing_us", [250, 100_000])
def test_a_small_packet_tells_as_much_as_fits_and_the_next_goes_on(capacity: int, spacing_us: int) -> None:
    recorder = ArrivalRecorder()
    came = {number: number * spacing_us for number in range(300) if number % 17}
    record(recorder, 65_500, came)
    heard: dict[int, int] = {}
    while packet := recorder.build(SENDER, MEDIA, capacity):
        assert len(packet) <= capacity
        heard |= told(packet)
    assert heard == {(65_500 + number) % 65536: now_us // 250 for number, now_us in came.items()}
    assert recorder.pending() == 0


def test_no_capacity_no_packet_and_nothing_lost() -> None:
    recorder = ArrivalRecorder()
    record(recorder, 0, {0: 0})
    assert [recorder.build(SENDER, MEDIA, capacity) for capacity in (0, 1, 20, 39)] == [b""] * 4
    assert recorder.pending() == 1
    assert told(recorder.build(SENDER, MEDIA, 40)) == {0: 0}


def test_the_reference_time_and_the_feedback_count_wrap() -> None:
    recorder = ArrivalRecorder()
    wrap_us = 64_000 << 24
    for index in range(257):
        recorder.received(index, wrap_us - 64_000 + index * 64_000)
        feedback = decode(recorder.build(SENDER, MEDIA))
        assert (feedback.feedback_count, feedback.reference) == (index % 256, (index - 1) % (1 << 24))


@given(
    packets=arrivals(max_size=120),
    builds=st.lists(st.sampled_from((0, 0, 0, 0, 40, 44, 100, 1200)), min_size=120, max_size=120),
)
def test_equals_a_recorder_that_keeps_all_and_encodes_apart(packets: list[Arrival], builds: list[int]) -> None:
    native, twin = ArrivalRecorder(), oracle.ArrivalRecorder()
    for (number, _, now_us), capacity in zip(packets, builds, strict=False):
        native.received(number, now_us)
        twin.received(number, now_us)
        if capacity:
            assert native.build(SENDER, MEDIA, capacity) == twin.build(SENDER, MEDIA, capacity)
        assert native.pending() == twin.pending()
    while packet := native.build(SENDER, MEDIA):
        assert packet == twin.build(SENDER, MEDIA)
        decode(packet)
    assert native.pending() == 0
    assert native.counters() == twin.counters()


@given(
    start=st.sampled_from(WRAPS),
    deltas=st.lists(st.integers(-1, 70_000) | st.integers(-1, 300), max_size=300),
    swaps=st.lists(st.integers(0, 300), max_size=20),
    capacity=st.integers(40, 300),
)
def test_every_arrival_is_told_at_its_time(start: int, deltas: list[int], swaps: list[int], capacity: int) -> None:
    came: list[tuple[int, int]] = []
    now_us = 5_000_000
    for number, delta_us in enumerate(deltas):
        if delta_us >= 0:  # else lost
            now_us += delta_us
            came.append((number, now_us))
    order = list(came)
    for index in swaps:
        if index + 1 < len(order):
            order[index], order[index + 1] = order[index + 1], order[index]
    recorder = ArrivalRecorder()
    heard: dict[int, int] = {}
    for position, (number, at_us) in enumerate(order):
        recorder.received((start + number) % 65536, at_us)
        if position % 50 == 49:
            while packet := recorder.build(SENDER, MEDIA, capacity):
                heard |= told(packet)
    while packet := recorder.build(SENDER, MEDIA, capacity):
        heard |= told(packet)
    assert heard == {(start + number) % 65536: at_us // 250 for number, at_us in came}
