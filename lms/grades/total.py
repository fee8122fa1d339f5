"""From one student's grades to a course total, exactly, and rounded once at the end. Pure.

    course total = sum(category weight x mean percent of the category) / sum(weights of categories that have a mean)

An item counts if its grade is `graded`, or `missing` and the item is due: then it is 0. Excused items and those without
a grade count nowhere. A category has a mean once one item of it counts; of those that count the lowest are dropped, but
never the last one. Items weigh within their category as they say.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple
from uuid import UUID

from lms.grades.amounts import POINTS_PLACES, rounded


class GradeState(enum.Enum):
    """What a student has in an item."""

    NONE = "none"
    """Not graded yet: counts nowhere."""
    GRADED = "graded"
    """With points."""
    EXCUSED = "excused"
    """Need not do it: counts nowhere."""
    MISSING = "missing"
    """Not handed in: 0 once the item is due, nothing before."""


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of work, e.g. homework."""

    id: UUID
    weight: Decimal
    """Against the other categories; need not sum up to 100. With 0 the category counts nothing."""
    drop_lowest: int = 0
    """So many of its lowest results are left out."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work."""

    id: UUID
    category_id: UUID
    max_points: Decimal
    weight: Decimal = Decimal(1)
    """Within its category; with 0 it counts nothing."""
    due_at: datetime | None = None
    """Without one it is due at once."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a student has in one item."""

    state: GradeState = GradeState.NONE
    points: Decimal | None = None
    """If it is `graded`."""


NO_SCORE: Final = Score()


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """What came out in one category."""

    category_id: UUID
    percent: Decimal
    counted: frozenset[UUID]
    """Items that it was made of."""
    dropped: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Total:
    """What came out for one student; percents have two decimals."""

    percent: Decimal | None
    """None: nothing counts yet."""
    categories: tuple[CategoryTotal, ...] = ()
    """Those with an item that counts, in the order of the course."""


class _Result(NamedTuple):
    """What somebody has in an item that counts; whole numbers in 1/10000, which are fast and exact."""

    item_id: UUID
    points: int
    max_points: int
    weight: int


def course_total(
    categories: Sequence[Category], items: Iterable[Item], scores: Mapping[UUID, Score], *, at: datetime
) -> Total:
    """Return one student's total at a moment; `scores` by item."""
    results: dict[UUID, list[_Result]] = {}
    for item in items:
        points = points_of(item, scores.get(item.id, NO_SCORE), at=at)
        if points is not None and item.weight > 0:
            result = _Result(item.id, _units(points), _units(item.max_points), _units(item.weight))
            results.setdefault(item.category_id, []).append(result)
    totals: list[CategoryTotal] = []
    weighted = weights = Fraction(0)
    for category in categories:
        if category.id not in results:
            continue
        kept, dropped = _drop(results[category.id], category.drop_lowest)
        mean = _mean(kept)
        weighted += Fraction(category.weight) * mean
        weights += Fraction(category.weight)
        totals.append(
            CategoryTotal(
                category_id=category.id,
                percent=rounded(mean * 100),
                counted=frozenset(each.item_id for each in kept),
                dropped=frozenset(each.item_id for each in dropped),
            )
        )
    return Total(rounded(weighted / weights * 100) if weights else None, tuple(totals))


def points_of(item: Item, score: Score, *, at: datetime) -> Decimal | None:
    """Return how many points somebody has in an item; None if the item does not count for them."""
    match score.state:
        case GradeState.GRADED:
            assert score.points is not None, "what is graded has points"
            return score.points
        case GradeState.MISSING:
            return Decimal(0) if item.due_at is None or item.due_at <= at else None
        case GradeState.NONE | GradeState.EXCUSED:
            return None


def _drop(results: Sequence[_Result], count: int) -> tuple[Sequence[_Result], Sequence[_Result]]:
    """Return what is kept and what is dropped: the lowest, of equal ones the heaviest; one is always kept."""
    least = min(count, len(results) - 1)
    if least == 0:
        return results, ()
    ordered = sorted(results, key=lambda each: (Fraction(each.points, each.max_points), -each.weight, each.item_id))
    return ordered[least:], ordered[:least]


def _mean(results: Sequence[_Result]) -> Fraction:
    """Return the weighted mean of the shares, by whole numbers over one denominator."""
    common = math.lcm(*(each.max_points for each in results))
    above = sum(each.weight * each.points * (common // each.max_points) for each in results)
    return Fraction(above, common * sum(each.weight for each in results))


def _units(value: Decimal) -> int:
    """Return a number in 1/10000; points and weights have no finer ones."""
    return int(value.scaleb(POINTS_PLACES))
