"""Counts of durations in buckets that grow with them: percentiles within 1.6 % of any range, in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

_MANTISSA_BITS: Final = 7
"""So a bucket is at most 1/64 of its values wide."""
_LINEAR: Final = 1 << _MANTISSA_BITS

PERCENTILES: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0)
"""Enough of them to draw the distribution."""


class Histogram:
    """Durations in seconds, kept as counts of microseconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0
        self.sum_s = 0.0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one; what a clock made negative is 0."""
        seconds = max(0.0, seconds)
        self._counts[_bucket(round(seconds * 1e6))] += 1
        self.count += 1
        self.sum_s += seconds
        self.max_s = max(self.max_s, seconds)

    def merge(self, other: Histogram) -> None:
        """Count what another has counted, too."""
        self._counts.update(other._counts)
        self.count += other.count
        self.sum_s += other.sum_s
        self.max_s = max(self.max_s, other.max_s)

    def since(self, earlier: Histogram) -> Histogram:
        """Return what was counted after an earlier state of this one."""
        fresh = Histogram()
        fresh._counts = self._counts - earlier._counts
        fresh.count = self.count - earlier.count
        fresh.sum_s = self.sum_s - earlier.sum_s
        fresh.max_s = self.max_s
        return fresh

    def quantile_s(self, fraction: float) -> float:
        """Return the nearest rank, never less than it was; 0 of nothing."""
        wanted = max(1, -(-self.count * round(fraction * 1_000_000) // 1_000_000))
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_upper_us(bucket) / 1e6, self.max_s)
        return 0.0

    def quantile_ms(self, fraction: float) -> float:
        return self.quantile_s(fraction) * 1000

    @property
    def mean_s(self) -> float:
        return self.sum_s / self.count if self.count else 0.0

    def distribution_ms(self, fractions: Sequence[float] = PERCENTILES) -> list[tuple[float, float]]:
        """Return (fraction, milliseconds) for each fraction; nothing of nothing."""
        if not self.count:
            return []
        return [(fraction, round(self.quantile_ms(fraction), 3)) for fraction in fractions]


def _bucket(us: int) -> int:
    if us < _LINEAR:
        return us
    shift = us.bit_length() - _MANTISSA_BITS
    return (shift << _MANTISSA_BITS) + (us >> shift)


def _upper_us(bucket: int) -> int:
    if bucket < _LINEAR:
        return bucket
    shift, mantissa = divmod(bucket, _LINEAR)
    return ((mantissa + 1) << shift) - 1
