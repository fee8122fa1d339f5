"""What becomes of a grade that somebody wants to write."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from lms.grades.tables import Source
from lms.grades.total import GradeState, Score
from lms.grades.writing import Entry, Held, Outcome, Writer, decide

TEACHER = UUID(int=1)
MUNA = UUID(int=2)
FIVE = Score(GradeState.GRADED, Decimal(5))
SIX = Score(GradeState.GRADED, Decimal(6))
BY_HAND = Held(GradeState.GRADED, Decimal(5), Source.MANUAL, "well done", TEACHER, 3)
COMPUTED = Held(GradeState.GRADED, Decimal(5), Source.AUTO, None, None, 2)
TEACHES = Writer(TEACHER, Source.MANUAL)
SERVICE = Writer(None, Source.AUTO)
RELEASES = Writer(TEACHER, Source.AUTO, releases=True)


@pytest.mark.parametrize(
    ("held", "entry", "writer", "outcome"),
    [
        (Held(), Entry(MUNA, FIVE, 0), TEACHES, Outcome.WRITTEN),
        (Held(), Entry(MUNA, Score(), 0), TEACHES, Outcome.UNCHANGED),
        (Held(), Entry(MUNA, FIVE, 1), TEACHES, Outcome.CONFLICT),
        (BY_HAND, Entry(MUNA, SIX, 3), TEACHES, Outcome.WRITTEN),
        (BY_HAND, Entry(MUNA, SIX, 2), TEACHES, Outcome.CONFLICT),
        (BY_HAND, Entry(MUNA, FIVE, 2), TEACHES, Outcome.CONFLICT),
        (BY_HAND, Entry(MUNA, FIVE, 3), TEACHES, Outcome.UNCHANGED),
        (BY_HAND, Entry(MUNA, FIVE, 3, None), TEACHES, Outcome.WRITTEN),
        (BY_HAND, Entry(MUNA, SIX, None), SERVICE, Outcome.KEPT),
        (BY_HAND, Entry(MUNA, FIVE, None), SERVICE, Outcome.KEPT),
        (COMPUTED, Entry(MUNA, SIX, None), SERVICE, Outcome.WRITTEN),
        (COMPUTED, Entry(MUNA, FIVE, None), SERVICE, Outcome.UNCHANGED),
        (COMPUTED, Entry(MUNA, FIVE, 2), TEACHES, Outcome.WRITTEN),  # confirmed, and theirs from now on
        (BY_HAND, Entry(MUNA, FIVE, 3), RELEASES, Outcome.WRITTEN),
        (COMPUTED, Entry(MUNA, FIVE, 2), RELEASES, Outcome.UNCHANGED),
        (Held(), Entry(MUNA, Score(), None), SERVICE, Outcome.UNCHANGED),
    ],
)
def test_outcomes(held: Held, entry: Entry, writer: Writer, outcome: Outcome) -> None:
    assert decide(held, entry, writer) is outcome
