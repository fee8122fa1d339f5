"""Ids are UUIDs of version 7 that rise, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lms.clock import TurnedClock
from lms.ids import Ids


@given(st.lists(st.integers(-5000, 5000), min_size=2, max_size=60))
def test_ids_rise_even_when_the_clock_is_set_back(turns: list[int]) -> None:
    clock = TurnedClock(datetime(2026, 11, 23, tzinfo=UTC))
    ids = Ids(clock)
    made = []
    for turn in turns:
        clock.turn(turn / 1000)
        made.append(ids.new())
    assert made == sorted(set(made))
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}


def test_an_id_says_when() -> None:
    clock = TurnedClock(datetime(2026, 11, 23, 8, tzinfo=UTC))
    assert Ids(clock).new().int >> 80 == int(clock.now().timestamp() * 1000)


def test_many_of_one_millisecond() -> None:
    ids = Ids(TurnedClock(datetime(2026, 11, 23, tzinfo=UTC)))
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
