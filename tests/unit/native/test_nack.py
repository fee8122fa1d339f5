"""Loss recovery from a publisher: asked after a grace, again at the pace of answers, and given up at last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.nack import LossRecovery
from tests.oracle import nack as oracle
from tests.support.arrivals import WRAPS

GRACE_US = 10_000
GUESSED_RETRY_US = 125_000


@pytest.mark.parametrize("start", WRAPS)
def test_asks_for_a_hole_after_the_grace_in_order(start: int) -> None:
    recovery = LossRecovery()
    assert recovery.expected(65536 + start, 65536 + start + 4, now_us=1000) == 3
    assert recovery.due(1000 + GRACE_US - 1) == ([], 0)
    assert recovery.next_due_us() == 1000 + GRACE_US
    assert recovery.due(1000 + GRACE_US) == ([(start + missing) % 65536 for missing in (1, 2, 3)], 0)
    assert recovery.due(1000 + GRACE_US + 1) == ([], 0)


def test_no_hole_no_question() -> None:
    recovery = LossRecovery()
    assert recovery.expected(5, 6, 0) == 0
    assert recovery.expected(5, 5, 0) == 0
    assert recovery.expected(5, 2, 0) == 0
    assert recovery.next_due_us() is None


def test_reordering_within_the_grace_is_not_asked() -> None:
    recovery = LossRecovery()
    recovery.expected(5, 7, 0)
    assert recovery.arrived(6, 3000)
    assert not recovery.arrived(6, 3001)
    assert recovery.due(GRACE_US) == ([], 0)
    assert recovery.counters() == (0, 0, 0, 100_000)


def test_asks_again_at_the_pace_of_answers() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 3, 0)
    assert recovery.due(GRACE_US) == ([1, 2], 0)
    assert recovery.arrived(1, GRACE_US + 60_000)
    assert recovery.counters() == (2, 1, 0, 60_000)
    assert recovery.due(GRACE_US + GUESSED_RETRY_US - 1) == ([], 0)
    asked_at = GRACE_US + GUESSED_RETRY_US
    assert recovery.due(asked_at) == ([2], 0)
    assert recovery.due(asked_at + 74_999) == ([], 0)
    assert recovery.due(asked_at + 75_000) == ([2], 0)  # 1.25 * 60 ms
    assert recovery.arrived(2, asked_at + 100_000)
    assert recovery.counters()[3] == (63 * 60_000 + GUESSED_RETRY_US + 100_000) // 64


def test_repeats_that_are_lost_hardly_slow_the_pace() -> None:
    """A fifth of all repeats is lost: asked again 125 ms later each time, not 150 and 200."""
    recovery, now_us = LossRecovery(), 10**9
    for number in range(200):
        recovery.expected(2 * number, 2 * number + 2, now_us)
        now_us += GRACE_US
        assert recovery.due(now_us) == ([2 * number + 1], 0)
        for _ in range(number % 5 == 0):
            now_us = recovery.next_due_us() or 0
            assert recovery.due(now_us) == ([2 * number + 1], 0)
        now_us += 100_000
        assert recovery.arrived(2 * number + 1, now_us)
        assert number == 0 or 100_000 <= recovery.counters()[3] < 110_000


def test_repeats_that_only_probe_hardly_hasten_the_pace() -> None:
    """A third of the holes is filled by them long before an answer can come."""
    recovery, now_us = LossRecovery(), 10**9
    for number in range(300):
        recovery.expected(2 * number, 2 * number + 2, now_us)
        now_us += GRACE_US
        recovery.due(now_us)
        now_us += 30_000 if number % 3 == 2 else 100_000
        assert recovery.arrived(2 * number + 1, now_us)
    assert 94_000 <= recovery.counters()[3] <= 100_000


def test_a_round_trip_that_grows_is_learned() -> None:
    """Each question is asked twice at first, since answers come later than the pace expects."""
    recovery, now_us = LossRecovery(), 10**9
    for number in range(100):
        round_trip_us = 60_000 if number < 10 else 160_000
        recovery.expected(2 * number, 2 * number + 2, now_us)
        asked_us = now_us + GRACE_US
        recovery.due(asked_us)
        while (recovery.next_due_us() or 0) < asked_us + round_trip_us:
            recovery.due(recovery.next_due_us() or 0)
        now_us = asked_us + round_trip_us
        assert recovery.arrived(2 * number + 1, now_us)
    assert 150_000 <= recovery.counters()[3] <= 160_000


@pytest.mark.parametrize(("took_us", "retry_us"), [(1000, 40_000), (200_000, 250_000), (5_000_000, 400_000)])
def test_the_pace_has_bounds(took_us: int, retry_us: int) -> None:
    recovery = LossRecovery()
    recovery.expected(0, 2, 0)
    recovery.due(GRACE_US)
    recovery.arrived(1, GRACE_US + took_us)
    start = 10_000_000
    recovery.expected(2, 4, start)
    assert recovery.due(start + GRACE_US) == ([3], 0)
    assert recovery.due(start + GRACE_US + retry_us - 1) == ([], 0)
    assert recovery.due(start + GRACE_US + retry_us) == ([3], 0)


def test_gives_up_after_ten_questions() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 2, 0)
    questions, now_us = 0, 0
    while recovery.next_due_us() is not None:
        now_us = recovery.next_due_us() or 0
        numbers, abandoned = recovery.due(now_us)
        questions += len(numbers)
        assert abandoned == (not numbers)
    assert (questions, now_us) == (10, GRACE_US + 10 * GUESSED_RETRY_US)
    assert recovery.counters()[2] == 1


def test_a_gap_wider_than_the_table_empties_it() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 5, 0)
    assert recovery.expected(5, 5 + 257, 0) == 256
    assert recovery.expected(300, 300 + 258, 0) == -1
    assert recovery.pending() == []
    assert recovery.due(GRACE_US) == ([], 0)


def test_a_full_table_gives_up_the_oldest() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 201, 0)
    assert recovery.expected(201, 302, 0) == 100
    assert recovery.pending() == [*range(45, 201), *range(202, 302)]
    assert recovery.due(1) == ([], 44)
    assert recovery.due(2) == ([], 0)


def test_what_does_not_fit_stays_due() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 6, 0)
    assert recovery.due(GRACE_US, capacity=2) == ([1, 2], 0)
    assert recovery.due(GRACE_US, capacity=0) == ([], 0)
    assert recovery.due(GRACE_US, capacity=2) == ([3, 4], 0)
    assert recovery.due(GRACE_US) == ([5], 0)


def test_a_key_frame_makes_older_holes_pointless() -> None:
    recovery = LossRecovery()
    recovery.expected(0, 10, 0)
    assert recovery.forget_before(6) == 5
    assert recovery.due(GRACE_US) == ([6, 7, 8, 9], 0)
    recovery.clear()
    assert recovery.pending() == []


operations = st.lists(
    st.one_of(
        st.tuples(st.just("next"), st.one_of(st.integers(1, 3), st.integers(0, 80), st.integers(200, 300))),
        st.tuples(st.just("arrived"), st.integers(0, 300)),
        st.tuples(st.just("wait"), st.one_of(st.integers(0, 30_000), st.integers(0, 500_000))),
        st.tuples(st.just("due"), st.sampled_from((0, 1, 5, 64, 256))),
        st.tuples(st.just("forget"), st.integers(0, 100)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=120,
)


@given(start=st.sampled_from(WRAPS), operations=operations)
def test_equals_a_dictionary_of_awaited_numbers(start: int, operations: list[tuple[str, int]]) -> None:
    native, twin = LossRecovery(), oracle.LossRecovery()
    highest, now_us = 65536 + start, 10**9
    for name, amount in operations:
        match name:
            case "next":
                assert native.expected(highest, highest + amount, now_us) == twin.expected(
                    highest, highest + amount, now_us
                )
                highest += amount
            case "arrived":
                assert native.arrived(highest - amount, now_us) == twin.arrived(highest - amount, now_us)
            case "wait":
                now_us += amount
            case "due":
                assert native.due(now_us, amount) == twin.due(now_us, amount)
            case "forget":
                assert native.forget_before(highest - amount) == twin.forget_before(highest - amount)
            case _:
                native.clear()
                twin.clear()
        assert native.pending() == twin.pending()
        assert native.counters() == twin.counters()
        earliest, due_us = twin.earliest_due_us(), native.next_due_us()
        assert (earliest is None) == (due_us is None)
        assert earliest is None or due_us is None or due_us <= earliest
