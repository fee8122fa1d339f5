"""Reception of one stream: extended numbers, loss and jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.reception import (
    RECEPTION_LATE,
    RECEPTION_NEW,
    RECEPTION_RESTART,
    RECEPTION_SUSPECT,
    StreamReception,
)
from tests.oracle import reception as oracle
from tests.support.arrivals import WRAPS, Arrival, arrivals


def feed(stream: StreamReception, numbers: list[int]) -> list[tuple[int, int | None]]:
    return [stream.update(number % 65536, 0, 0) for number in numbers]


@pytest.mark.parametrize("start", WRAPS)
def test_extends_across_the_wrap(start: int) -> None:
    stream = StreamReception(90_000)
    numbers = [start, start + 1, start + 4, start + 3, start + 3, start + 5]
    verdicts = [RECEPTION_NEW, RECEPTION_NEW, RECEPTION_NEW, RECEPTION_LATE, RECEPTION_LATE, RECEPTION_NEW]
    assert feed(stream, numbers) == [
        (verdict, 65536 + number) for verdict, number in zip(verdicts, numbers, strict=True)
    ]
    assert stream.report(7, 0)[:4] == (7, 0, 0, start + 5)  # one lost, one twice


@pytest.mark.parametrize("start", WRAPS)
def test_a_packet_from_before_the_first_one_is_late(start: int) -> None:
    stream = StreamReception(90_000)
    assert feed(stream, [start, start - 1]) == [(RECEPTION_NEW, 65536 + start), (RECEPTION_LATE, 65535 + start)]


@pytest.mark.parametrize("start", WRAPS)
@pytest.mark.parametrize("jump", [3001, -1001, 32768])
def test_a_wild_jump_is_suspect_until_the_next_number_follows(start: int, jump: int) -> None:
    stream = StreamReception(90_000)
    feed(stream, [start])
    assert feed(stream, [start + jump]) == [(RECEPTION_SUSPECT, None)]
    assert feed(stream, [start + 1]) == [(RECEPTION_NEW, 65537 + start)]
    anew = start + jump + (100 if jump > 0 else -100)
    [(suspect, _), (restart, extended)] = feed(stream, [anew, anew + 1])
    assert (suspect, restart) == (RECEPTION_SUSPECT, RECEPTION_RESTART)
    assert extended is not None
    assert extended % 65536 == (anew + 1) % 65536
    assert extended >= 65537 + start + 65536
    assert stream.report(1, 0)[1:4] == (0, 0, (anew + 1) % 65536)  # the report begins anew
    assert stream.counters()[:4] == (3, 0, 2, 1)


@pytest.mark.parametrize("jump", [3000, -1000])
def test_the_largest_jumps_that_are_believed(jump: int) -> None:
    stream = StreamReception(90_000)
    [_, (verdict, extended)] = feed(stream, [500, 500 + jump])
    assert (verdict, extended) == (RECEPTION_NEW if jump > 0 else RECEPTION_LATE, 66036 + jump)


def test_loss_is_counted_per_interval_and_in_total() -> None:
    stream = StreamReception(90_000)
    feed(stream, [0, 1, 2, 3])
    assert stream.report(1, 0)[1:3] == (0, 0)
    feed(stream, [4, 7])  # 2 of 4 lost
    assert stream.report(1, 0)[1:3] == (128, 2)
    feed(stream, [5, 6])  # they were only late: 0 expected, 2 came
    assert stream.report(1, 0)[1:3] == (0, 0)
    feed(stream, [7, 7])
    assert stream.report(1, 0)[1:3] == (0, -2)


def test_cumulative_loss_stays_within_24_bits() -> None:
    stream = StreamReception(90_000)
    for index in range(2900):
        feed(stream, [index * 3000])
    assert stream.report(1, 0)[1:3] == (255, 0x7FFFFF)
    assert stream.counters()[4] == 2899 * 2999


def test_loss_before_a_restart_stays_in_the_counter() -> None:
    stream = StreamReception(90_000)
    feed(stream, [0, 10])
    feed(stream, [30_000, 30_001, 30_003])
    assert stream.counters()[:5] == (4, 0, 1, 1, 10)
    assert stream.report(1, 0)[2] == 1


@pytest.mark.parametrize("start", WRAPS)
def test_recovered_packets_get_their_number_and_stay_lost(start: int) -> None:
    stream = StreamReception(90_000)
    assert stream.recover(start) is None
    feed(stream, [start, start + 2])
    assert stream.recover((start + 1) % 65536) == 65537 + start
    assert stream.recover((start + 3002) % 65536) == 65536 + start + 3002
    assert stream.recover((start + 3003) % 65536) is None
    assert stream.recover((start + 2 - 3000) % 65536) == 65538 + start - 3000
    assert stream.recover((start + 1 - 3000) % 65536) is None
    assert feed(stream, [start + 3]) == [(RECEPTION_NEW, 65539 + start)]
    assert stream.counters()[:5] == (3, 3, 0, 0, 1)


def test_jitter_of_a_steady_stream_is_zero_and_of_a_shaken_one_is_the_mean_deviation() -> None:
    steady, shaken = StreamReception(90_000), StreamReception(90_000)
    for index in range(500):
        steady.update(index, index * 1800, index * 20_000)
        shaken.update(index, index * 1800, index * 20_000 + (5_000 if index % 2 else 0))
    assert steady.report(1, 0)[4] == 0
    assert shaken.report(1, 0)[4] == pytest.approx(450, abs=2)  # 5 ms at 90 kHz


def test_a_new_media_clock_is_no_jitter() -> None:
    stream = StreamReception(48_000)
    for index in range(20):
        stream.update(index, index * 960, index * 20_000)
    stream.update(20, 3_000_000_000, 400_000)
    stream.update(21, 3_000_000_960, 420_000)
    assert stream.report(1, 0)[4] == 0


def test_report_tells_the_last_sender_report_and_its_age() -> None:
    stream = StreamReception(90_000)
    feed(stream, [1])
    assert stream.report(1, 5)[5:] == (0, 0)
    stream.sender_report(0x1122_3344_5566_7788, 5, now_us=1_000_000)
    assert stream.report(1, 3_500_000)[5:] == (0x3344_5566, 5 * 32768)
    assert stream.report(1, 999_999)[5:] == (0x3344_5566, 0)
    assert stream.report(1, 10**12)[5:] == (0x3344_5566, 2**32 - 1)


def test_a_stream_without_packets_reports_zeros() -> None:
    stream = StreamReception(90_000)
    stream.sender_report(1, 2, 3)
    assert stream.report(9, 10) == (9, 0, 0, 0, 0, 0, 0)


@given(
    packets=arrivals(),
    clock_rate_hz=st.sampled_from((0, 1, 8000, 48_000, 90_000, 2**32 - 1)),
    extras=st.lists(st.sampled_from(("report", "recover", "sender_report", "")), min_size=60, max_size=60),
)
def test_equals_the_rfc_written_down(packets: list[Arrival], clock_rate_hz: int, extras: list[str]) -> None:
    native, twin = StreamReception(clock_rate_hz), oracle.StreamReception(clock_rate_hz)
    highest = 0
    for (number, timestamp, now_us), extra in zip(packets, extras, strict=False):
        verdict, extended = native.update(number, timestamp, now_us)
        assert (verdict, extended) == twin.update(number, timestamp, now_us)
        if extended is not None:
            assert extended % 65536 == number
            assert verdict != RECEPTION_RESTART or extended >= highest + 65536
            highest = max(highest, extended)
        if extra == "report":
            assert native.report(1, now_us + 5) == twin.report(1, now_us + 5)
        elif extra == "recover":
            recovered = (number * 31 + timestamp) % 65536
            assert native.recover(recovered) == twin.recover(recovered)
        elif extra == "sender_report":
            native.sender_report(timestamp << 32 | number, timestamp, now_us)
            twin.sender_report(timestamp << 32 | number, timestamp, now_us)
        assert native.counters() == twin.counters()
