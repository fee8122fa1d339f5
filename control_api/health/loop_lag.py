"""How late the event loop is: everything in Python, joins above all, waits for so long before it is looked at."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from control_api.metrics.histogram import Histogram

SAMPLE_EVERY_S: Final = 0.05  # twenty turns a second cost some 0.1 % of a core
WINDOW_S: Final = 10.0
BOUNDS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class LoopLag:
    """Wakes often, and notes how much later than asked it woke."""

    def __init__(self) -> None:
        self.histogram = Histogram(BOUNDS_S)
        self._recent: deque[tuple[float, float]] = deque()
        self._sum_s = 0.0

    @property
    def mean_s(self) -> float:
        """The mean over the last ten seconds."""
        return self._sum_s / len(self._recent) if self._recent else 0.0

    def observe(self, lag_s: float, *, now: float) -> None:
        """Take one sample."""
        self.histogram.observe(lag_s)
        self._recent.append((now, lag_s))
        self._sum_s += lag_s
        while self._recent[0][0] < now - WINDOW_S:
            self._sum_s -= self._recent.popleft()[1]

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(SAMPLE_EVERY_S)
            now = time.monotonic()
            self.observe(max(0.0, now - asked - SAMPLE_EVERY_S), now=now)
