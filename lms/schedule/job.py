"""A job as a value: what is to be done, how often, and when again after a failure. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TIMEOUT_S: Final = 300.0
LEASE_BEYOND_TIMEOUT: Final = timedelta(seconds=60)
"""For clocks of two computers that differ, and for noting the outcome."""
RETRY_FIRST: Final = timedelta(seconds=15)
RETRY_MAX: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done from time to time. It may be stopped anywhere, and begun again: by another process, too."""

    name: str
    """Of its row; e.g. "outbox.forget"."""
    every: timedelta
    run: Callable[[], Awaitable[int]]
    """Returns how much it did, e.g. how many rows it deleted."""
    timeout_s: float = TIMEOUT_S
    """After so long it is stopped, and has failed."""

    @property
    def lease(self) -> timedelta:
        """For how long it is one process's."""
        return timedelta(seconds=self.timeout_s) + LEASE_BEYOND_TIMEOUT


def next_time(planned: datetime, every: timedelta, now: datetime) -> datetime:
    """Return when a job runs next after a success: in its rhythm, the first time that is not over.

    What was missed, e.g. while no process lived, was done by the one run that has just ended.
    """
    missed = max(0, (now - planned) // every)
    return planned + (missed + 1) * every


def retry_time(every: timedelta, failures: int, now: datetime) -> datetime:
    """Return when a job is tried again after so many failures in a row: soon, then less and less often."""
    pause = RETRY_FIRST * 2.0 ** min(failures - 1, 20)
    return now + min(pause, RETRY_MAX, every)
