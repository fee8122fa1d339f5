"""How fast one client is read: a token bucket that never drops a message, it only says how long to wait."""

from __future__ import annotations

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
