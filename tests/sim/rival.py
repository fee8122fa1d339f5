"""A flow that fills the queue of a path until it loses, as TCP does (Reno): estimates must stand beside it."""

from __future__ import annotations

import heapq
from typing import Final

from tests.sim.path import Path

SEGMENT_BYTES: Final = 1500
WINDOW_FIRST: Final = 10.0
"""Segments (RFC 6928)."""
HALVED: Final = 0.5


class Rival:
    """Has always more to send; `step` is to be called every few milliseconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.acknowledged_bits = 0
        self._window = WINDOW_FIRST
        self._threshold = float("inf")
        self._under_way = 0
        self._halved_at = -1.0
        self._events: list[tuple[float, bool]] = []

    def step(self, now: float) -> None:
        """Hear what came, or did not, and send what the window allows."""
        while self._events and self._events[0][0] <= now:
            _, came = heapq.heappop(self._events)
            self._under_way -= 1
            if came:
                self._grow()
            elif now - self._halved_at > self.path.delay_s * 2:
                self._halved_at = now
                self._window = self._threshold = max(self._window * HALVED, 2.0)
        while self._under_way < self._window:
            arrives, waits_s = self.path.send(now, SEGMENT_BYTES)
            known_at = (now + waits_s + self.path.delay_s if arrives is None else arrives) + self.path.delay_s
            heapq.heappush(self._events, (known_at, arrives is not None))
            self._under_way += 1

    def _grow(self) -> None:
        self.acknowledged_bits += SEGMENT_BYTES * 8
        self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
