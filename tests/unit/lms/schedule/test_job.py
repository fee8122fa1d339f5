"""When a job runs next: in its rhythm after a success, soon and then less often after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lms.schedule.job import RETRY_FIRST, RETRY_MAX, next_time, retry_time

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_rhythm_is_kept() -> None:
    assert next_time(NOON, HOUR, NOON + timedelta(minutes=3)) == NOON + HOUR


def test_a_night_without_a_process_is_made_up_by_one_run() -> None:
    assert next_time(NOON, HOUR, NOON + timedelta(hours=14, minutes=20)) == NOON + timedelta(hours=15)


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**8))
def test_the_next_time_is_ahead_and_at_most_one_interval(every_s: int, late_s: int) -> None:
    every, now = timedelta(seconds=every_s), NOON + timedelta(seconds=late_s)
    following = next_time(NOON, every, now)
    assert following > now
    assert following <= max(now, NOON) + every


def test_pauses_after_failures_grow_and_end() -> None:
    day = timedelta(days=1)
    pauses = [retry_time(day, failures, NOON) - NOON for failures in range(1, 40)]
    assert pauses[:3] == [RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
    assert pauses == sorted(pauses)
    assert pauses[-1] == RETRY_MAX
    assert retry_time(timedelta(seconds=5), 7, NOON) == NOON + timedelta(seconds=5)  # never less often than planned
