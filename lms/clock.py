"""What time it is: handed in, so that tests turn it. Wall time is UTC with microseconds, as both databases keep it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time of the server; nobody else's counts."""

    def now(self) -> datetime:
        """Return the wall time, UTC, to the microsecond."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, for limits and time-outs."""
        ...


class SystemClock:
    """The time of this computer."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class TurnedClock:
    """A time that stands until it is turned; for tests and for filling a school with a past."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def turn(self, by: timedelta | float) -> None:
        """Let time pass, in seconds or as a timedelta."""
        passed = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._now += passed
        self._monotonic += passed.total_seconds()
