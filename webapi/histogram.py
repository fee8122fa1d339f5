"""A histogram with fixed bounds: how often what was at most how large. Counting is a bisection and two additions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Self


class Histogram:
    """Counts values; never reset."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are the upper ends of the buckets, rising, each included; above the last there is one more."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    @classmethod
    def of_counts(cls, bounds: Sequence[float], counts: Sequence[int], total: float) -> Self:
        """Return one that somebody else counted; `counts` has a last bucket without a bound."""
        made = cls(bounds)
        assert len(counts) == len(made._counts), f"{len(counts)} counts for {len(bounds)} bounds"
        made._counts = list(counts)
        made._sum = total
        return made

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    @property
    def total(self) -> float:
        """Their sum."""
        return self._sum

    def cumulative(self) -> Iterator[tuple[str, float]]:
        """Yield bound and how many values were at most that, as Prometheus has it."""
        running = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            running += count
            yield ("+Inf" if bound == float("inf") else repr(float(bound))), float(running)
