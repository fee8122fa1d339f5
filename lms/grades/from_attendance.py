"""What attendance is worth: a class's results, or a course's, as points of an item. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from lms.attendance.outcome import Status
from lms.grades.amounts import divided, in_points
from lms.grades.total import GradeState, Score

DEFAULT_SHARES: Final[Mapping[Status, Decimal]] = {
    Status.PRESENT: Decimal(1),
    Status.LATE: Decimal("0.5"),
    Status.LEFT_EARLY: Decimal("0.5"),
    Status.PARTIAL: Decimal("0.25"),  # came, but for less than the policy asks
    Status.ABSENT: Decimal(0),
}
"""Which part of the points a status is worth, where the teacher says nothing else."""


class Basis(enum.Enum):
    """What the points of an attendance item follow."""

    STATUS = "status"
    """Each status is worth a part of the points."""
    PERCENT = "percent"
    """Whoever was there half of the time has half of the points."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How attendance becomes points."""

    basis: Basis = Basis.STATUS
    shares: Mapping[Status, Decimal] = field(default_factory=lambda: DEFAULT_SHARES)
    """Parts from 0 to 1, of every status but `excused`."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One student's result in one run."""

    class_id: UUID
    status: Status
    percent: Decimal
    """Of the run's window, 0 to 100."""
    window_us: int
    """How long the run counts."""
    is_judged: bool = False
    """Whether a person said what the status is: then no percent says more."""


def score_of(presences: Sequence[Presence], scale: Scale, max_points: Decimal) -> Score:
    """Return what a student has in an item over these runs.

    Classes weigh the same; the runs of one class, begun again after it ended by mistake, by their length. Runs that
    somebody is excused from count nowhere, and who is excused from all is excused. Without a run there is no grade.
    """
    classes: dict[UUID, list[Presence]] = {}
    for each in presences:
        if each.status is not Status.EXCUSED:
            classes.setdefault(each.class_id, []).append(each)
    if not classes:
        return Score(GradeState.EXCUSED) if presences else Score()
    shares = [_class_share(runs, scale) for runs in classes.values()]
    mean = sum(shares, Fraction(0)) / len(shares)
    return Score(GradeState.GRADED, in_points(mean * Fraction(max_points)))


def _class_share(runs: Sequence[Presence], scale: Scale) -> Fraction:
    length = sum(each.window_us for each in runs)
    if length == 0:  # ended in the moment that they began: none is more than another
        return sum((_share(each, scale) for each in runs), Fraction(0)) / len(runs)
    return sum((_share(each, scale) * each.window_us for each in runs), Fraction(0)) / length


def _share(presence: Presence, scale: Scale) -> Fraction:
    if scale.basis is Basis.PERCENT and not presence.is_judged:
        return divided(presence.percent, Decimal(100))
    return Fraction(scale.shares[presence.status])
