"""Points, weights and percents: exact decimals in 1/10000 or coarser, as text in every message. Pure."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

POINTS_PATTERN: Final = r"^[0-9]{1,5}(\.[0-9]{1,4})?$"
"""What fits `Exact(9, 4)`: below 100,000, in 1/10000."""
WEIGHT_PATTERN: Final = r"^[0-9]{1,3}(\.[0-9]{1,4})?$"
"""What fits `Exact(7, 4)`: below 1000, in 1/10000."""
POINTS_PLACES: Final = 4
PERCENT_PLACES: Final = 2  # as attendance and report cards say it


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end: 7.5, not 7.5000 or 7.5E+0."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_or_none(value: Decimal | None) -> str | None:
    """Return `plain`, or None of None."""
    return None if value is None else plain(value)


def rounded(value: Fraction, places: int = PERCENT_PLACES) -> Decimal:
    """Return an exact number with so many decimal places, halves to even; the only place where grades are rounded."""
    unit = 10**places
    # round() of a Fraction is exact, and takes halves to even.
    return Decimal(round(value * unit)).scaleb(-places)


def divided(part: Decimal, whole: Decimal) -> Fraction:
    """Return an exact quotient."""
    return Fraction(part) / Fraction(whole)


def in_points(value: Fraction) -> Decimal:
    """Return points in 1/10000, halves to even."""
    return rounded(value, POINTS_PLACES)
