"""Whether a figure grows: a straight line through its samples, and how sure its slope is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SURE: Final = 2.0
"""Standard errors: 95 %."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Units of the figure a second."""

    mean: float
    slope: float
    slope_error: float
    """Standard error of the slope."""
    seconds: float

    @property
    def surely_grown(self) -> float:
        """Return by how much the figure has grown at least, with 95 % confidence; 0 if it may not have."""
        return max(0.0, (self.slope - SURE * self.slope_error) * self.seconds)

    def an_hour(self) -> float:
        return self.slope * 3600


def trend_of(samples: Sequence[tuple[float, float]]) -> Trend:
    """Return the trend of (seconds, value) samples by least squares; a flat one of fewer than three."""
    count = len(samples)
    if count < 3:
        return Trend(samples[-1][1] if samples else 0.0, 0.0, 0.0, 0.0)
    mean_at = sum(at for at, _ in samples) / count
    mean = sum(value for _, value in samples) / count
    spread = sum((at - mean_at) ** 2 for at, _ in samples)
    if spread == 0:
        return Trend(mean, 0.0, 0.0, 0.0)
    slope = sum((at - mean_at) * (value - mean) for at, value in samples) / spread
    residual = sum((value - mean - slope * (at - mean_at)) ** 2 for at, value in samples)
    error = math.sqrt(residual / (count - 2) / spread)
    return Trend(mean, slope, error, samples[-1][0] - samples[0][0])
