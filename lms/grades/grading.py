"""One act of grading, whichever way it is asked for: what may be graded, which grades can be in it, who is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from lms.api.caller import Caller
from lms.api.phrases import Phrase, expectation
from lms.api.problems import ProblemError, bad_field, not_found
from lms.database.transaction import Transaction
from lms.grades.events import tell_grades
from lms.grades.members import course_to_grade, students_among
from lms.grades.problems import GRADE_CONFLICT, ITEM_LOCKED, THE_STUDENT
from lms.grades.store import find_item
from lms.grades.total import GradeState, Score
from lms.grades.views import grade_view
from lms.grades.writing import Done, Entry, Outcome, Writer, write_grades
from lms.outbox.send import Outbox


async def item_to_grade(transaction: Transaction, caller: Caller, item_id: UUID) -> Row[Any]:
    """Return an item that the caller may give grades in; raises ProblemError."""
    item = await find_item(transaction, item_id, to_grade=True)
    await course_to_grade(transaction, caller, item.course_id)
    if item.locked_at is not None:
        raise ProblemError(ITEM_LOCKED, rule="locked")
    return item


async def check_students(transaction: Transaction, item: Row[Any], places: Mapping[UUID, str]) -> None:
    """Raise ProblemError unless all of them are students of the course; `places` says where each stands."""
    known = await students_among(transaction, item.course_id, places)
    for user_id, place in places.items():
        if user_id not in known:
            if place == "user_id":
                raise not_found(THE_STUDENT)
            raise bad_field(place, str(user_id), Phrase("a student of the course", "طالب في المقرر"), "student")


def score_for(item: Row[Any], state: GradeState, points: str | None, place: str = "") -> Score:
    """Return a grade that can be in an item; raises ProblemError."""
    if state is not GradeState.GRADED:
        if points is not None:
            raise bad_field(
                f"{place}points",
                points,
                Phrase("nothing, unless state is graded", "لا شيء، إلا إذا كانت state هي graded"),
                "state",
            )
        return Score(state)
    if points is None:
        raise bad_field(
            f"{place}points", None, Phrase("a number: state is graded", "عدد: لأن state هي graded"), "required"
        )
    value = Decimal(points)
    if value > item.max_points:
        raise bad_field(f"{place}points", points, expectation(f"a number <= {item.max_points.normalize():f}"), "range")
    return Score(state, value)


async def write_and_tell(
    transaction: Transaction, outbox: Outbox, item: Row[Any], entries: Sequence[Entry], writer: Writer
) -> tuple[list[Done], list[Done]]:
    """Write grades of one item and have those told who listen; return what became of each, and those that changed."""
    done = await write_grades(transaction, item.id, entries, writer)
    written = [each for each in done if each.outcome is Outcome.WRITTEN]
    if written:
        await tell_grades(transaction, outbox, item, [each.user_id for each in written])
    return done, written


def conflict(item: Row[Any], done: Done, field: str, value: int | None) -> ProblemError:
    """Return the refusal of a grade that somebody else was faster with: it has the one that is there."""
    view = grade_view(item.id, done.user_id, done.held)
    return ProblemError(
        GRADE_CONFLICT,
        field=field,
        value=value,
        rule="version",
        current=done.held.version,
        grade={name: _plain(getattr(view, name)) for name in view.__struct_fields__},
    )


def _plain(value: Any) -> Any:
    """Return a value of an answer as it goes into the details of a refusal."""
    return getattr(value, "value", value)
