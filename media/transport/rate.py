"""A token bucket on monotonic seconds: so many at once, so many a second."""

from __future__ import annotations


class TokenBucket:
    """Lets `burst` events through at once and `per_second` in the long run; starts full."""

    __slots__ = ("_burst", "_filled_at", "_per_second", "_tokens")

    def __init__(self, *, per_second: float, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = now

    def take(self, *, now: float) -> bool:
        """Take one token; False if there is none. A clock that stands or steps back fills nothing."""
        if now > self._filled_at:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
