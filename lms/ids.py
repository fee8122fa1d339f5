"""Ids: UUID version 7 (RFC 9562), made by the application: they sort by time and are the same in both databases."""

from __future__ import annotations

import secrets
import threading
from typing import Final
from uuid import UUID

from lms.clock import Clock, SystemClock

_COUNTER_BITS: Final = 12
_RANDOM_BITS: Final = 62


class Ids:
    """Makes ids that rise strictly within one process, even when the clock is set back."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last = 0
        self._lock = threading.Lock()

    def new(self) -> UUID:
        """Return an id: 48 bits of milliseconds, 12 that count within one, 62 random ones."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            # Begins anywhere in the lower half, so that two processes differ, and can still count 2048 up.
            begun = (milliseconds << _COUNTER_BITS) | secrets.randbits(_COUNTER_BITS - 1)
            self._last = max(begun, self._last + 1)
            stamp = self._last
        high = (stamp >> _COUNTER_BITS) << 16 | 0x7 << 12 | (stamp & ((1 << _COUNTER_BITS) - 1))
        return UUID(int=high << 64 | 0b10 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))
