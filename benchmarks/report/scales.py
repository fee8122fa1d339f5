"""From values to places on a line of length 1, and round values to mark on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.report.page import Scale

TICKS_WANTED: Final = 6
NINES_MAX: Final = 5
"""99.999 %: nobody has more samples."""
_NINES: Final = {0.0: "0 %", 0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %"}
_NINES_LAST: Final = {0.99999: "99.999 %"}
DECADES_WITH_STEPS_MAX: Final = 3
"""Up to so many decades, 2 and 5 are marked beside 1."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """A stretch of one scale."""

    scale: Scale
    low: float
    high: float

    def place(self, value: float) -> float:
        """Return 0 at `low`, 1 at `high`."""
        low, high = _flat(self.scale, self.low), _flat(self.scale, self.high)
        return (_flat(self.scale, value) - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Return values to mark, with their labels."""
        if self.scale is Scale.NINES:
            return [(value, label) for value, label in (_NINES | _NINES_LAST).items() if value <= self.high + 1e-12]
        if self.scale is Scale.LOG:
            return [(value, label_of(value)) for value in _log_ticks(self.low, self.high)]
        step = _step((self.high - self.low) / TICKS_WANTED)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(number * step, label_of(number * step)) for number in range(first, last + 1)]


def ruler(scale: Scale, values: Sequence[float]) -> Ruler:
    """Return a stretch with round ends that holds all values; linear ones begin at 0, or below it."""
    if scale is Scale.NINES:
        return Ruler(scale, 0.0, min(max([0.99, *values]), 1 - 10**-NINES_MAX))
    if scale is Scale.LOG:
        positive = [value for value in values if value > 0] or [1.0]
        low, high = _round_down(min(positive)), _round_up(max(positive))
        return Ruler(scale, low, high if high > low else low * 10)
    low, high = min([0.0, *values]), max([0.0, *values])
    if high == low:
        high = low + 1.0
    step = _step((high - low) / TICKS_WANTED)
    return Ruler(scale, math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step)


def label_of(value: float) -> str:
    """Return a number as short as it can be said."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            unit = 1000.0 if letter == "k" else limit
            return f"{value / unit:g} {letter}"
    return f"{round(value, 9):g}"


def _flat(scale: Scale, value: float) -> float:
    if scale is Scale.LOG:
        return math.log10(max(value, 1e-12))
    if scale is Scale.NINES:
        return -math.log10(1 - min(value, 1 - 10**-NINES_MAX))
    return value


def _step(rough: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return max((power * factor for factor in (1, 2, 5) if power * factor <= value * (1 + 1e-9)), default=power)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return min(power * factor for factor in (1, 2, 5, 10) if power * factor >= value * (1 - 1e-9))


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    factors = (1, 2, 5) if decades <= DECADES_WITH_STEPS_MAX else (1,)
    powers = range(math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9) + 1)
    values = (factor * 10.0**power for power in powers for factor in factors)
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
