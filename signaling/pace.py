"""How fast one client is read, and how much of one kind it may do: token buckets that wait, or that say no."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_PER_UNIT = 1024


def request_units(size_bytes: int) -> float:
    """Return what a message costs: one unit, and one more for each KiB (an offer is far dearer than a ping)."""
    return 1 + size_bytes / BYTES_PER_UNIT


class Pace:
    """A bucket of `burst` units that fills by `units_per_s`; it may go below empty, and is waited for then."""

    def __init__(self, *, units_per_s: float, burst: float, now: float) -> None:
        self._units_per_s = units_per_s
        self._burst = burst
        self._units = burst
        self._at = now

    def spend(self, units: float, *, now: float) -> float:
        """Take units out; return how many seconds to wait before the next message, 0 mostly."""
        self._units = min(self._burst, self._units + (now - self._at) * self._units_per_s) - units
        self._at = now
        return max(0.0, -self._units / self._units_per_s)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    per_s: float
    burst: float


class Allowance:
    """A bucket that says no when it is empty."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at: float | None = None

    def take(self, *, now: float) -> bool:
        """Take one out, or return False if none is left."""
        if self._at is not None:
            self._left = min(self._rate.burst, self._left + (now - self._at) * self._rate.per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def left(self) -> int:
        """How many could be taken at the moment of the last `take`."""
        return int(self._left)

    @property
    def wait_s(self) -> float:
        """How long after the last `take` there is one to be taken, 0 if there is one already."""
        return max(0.0, (1 - self._left) / self._rate.per_s)
