"""How long a viewer's pictures are to wait: for who loses packets as long as repeats take, for others not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native import rtp
from media.native.playout import PlayoutDelay, needed_ms, write_delay
from tests.oracle import playout as oracle

SECOND_US = 1_000_000


@given(st.lists(st.just(0.0) | st.floats(0, 1), max_size=10), st.integers(0, 2**32 - 1))
def test_what_is_needed_equals_its_twin(seconds_loss: list[float], round_trip_us: int) -> None:
    assert needed_ms(seconds_loss, round_trip_us) == oracle.needed_ms(seconds_loss, round_trip_us)


@pytest.mark.parametrize(
    ("seconds_loss", "needed"),
    [
        ([], 0),
        ([0.0] * 10, 0),
        ([0.0] * 8 + [0.3, 0.3], 0),
        ([0.01] * 3, 200),
        ([0.0] * 5 + [0.02] * 5, 200),
        ([0.05] * 10, 300),
        ([0.2] * 10, 300),
    ],
)
def test_a_jam_that_is_over_delays_nothing_and_more_loss_waits_for_more_repeats(
    seconds_loss: list[float], needed: int
) -> None:
    assert needed_ms(seconds_loss, 100_000) == needed
    assert needed_ms(seconds_loss, 2_000_000) == (400 if needed else 0), "more would be noticed in a talk"


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([1, 20_000, 50_000, SECOND_US, 11 * SECOND_US]))))
def test_what_is_told_equals_its_twin(steps: list[tuple[int, int]]) -> None:
    native, twin = PlayoutDelay(), oracle.PlayoutDelay()
    now_us = 20 * SECOND_US
    for needed, later_us in steps:
        now_us += later_us
        assert native.follow(needed * 10, now_us) == twin.follow(needed * 10, now_us)


def test_it_rises_within_two_seconds_and_falls_slowly_once_less_was_enough_for_long() -> None:
    told, now_us = PlayoutDelay(), 20 * SECOND_US
    assert told.follow(0, now_us) is None, "who loses nothing is told nothing"
    heard = []
    for _ in range(40):
        now_us += 50_000
        heard.append(told.follow(300, now_us))
    assert heard[:3] == [10, 20, 30]
    assert heard[-1] == 300
    heard = []
    for _ in range(60):
        now_us += SECOND_US
        heard.append(told.follow(0, now_us))
    assert heard[8] == 300
    assert heard[20] == 180
    assert heard[-1] == 0, "and is told so"


blocks = st.lists(
    st.tuples(st.integers(1, 20).filter(lambda number: number != 15), st.binary(min_size=1, max_size=20)),
    max_size=6,
    unique_by=lambda item: item[0],
).map(rtp.write_extensions)


@given(blocks, st.integers(0, 255), st.integers(0, 254))
def test_the_element_stands_behind_what_was_there(block: bytes, extension_id: int, steps: int) -> None:
    written = write_delay(block, extension_id, steps * 10)
    assert written == oracle.write_delay(block, extension_id, steps * 10)


@pytest.mark.parametrize("other", [b"", rtp.write_extensions([(3, b"ab")]), rtp.write_extensions([(20, b"ab")])])
def test_a_receiver_reads_minimum_and_maximum(other: bytes) -> None:
    block = write_delay(other, 6, 250)
    header = rtp.parse_header(bytes([0x90, 96]) + bytes(10) + block)
    assert dict(header.extensions)[6] == bytes([0x01, 0x93, 0xE8]), "25 and 1000 steps of 10 ms, 12 bits each"


@pytest.mark.parametrize(("size", "delay_ms"), [(1001, 0), (0, -10), (0, 2550)])
def test_what_does_not_fit_is_refused(size: int, delay_ms: int) -> None:
    with pytest.raises(ValueError, match="expected at most"):
        write_delay(bytes(size), 1, delay_ms)
