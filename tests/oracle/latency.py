"""Forward latency in plain Python: a histogram with fixed bounds."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS_US = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)


class Latency:
    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_US) + 1)
        self._sum_us = 0

    def observe(self, latency_us: int) -> None:
        self._counts[bisect_left(BOUNDS_US, latency_us)] += 1
        self._sum_us += latency_us

    def reading(self) -> tuple[list[int], int]:
        return list(self._counts), self._sum_us
