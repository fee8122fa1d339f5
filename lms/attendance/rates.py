"""Attendance rates over settled runs, of a course and of a person; an override counts before what was computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select

from lms.attendance.messages import CourseAttendance, PersonAttendanceOverview, PersonCourse, RateRow
from lms.attendance.outcome import Status, percent_of
from lms.attendance.tables import attendance_result
from lms.classes.tables import class_run, live_class
from lms.courses.tables import course
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction
from lms.text import sort_key

ATTENDED: Final = frozenset({Status.PRESENT, Status.LATE, Status.LEFT_EARLY})


@dataclass(slots=True)
class Tally:
    """Statuses counted."""

    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    present_s: int = 0

    def add(self, status: Status, present_s: int) -> None:
        self.counts[status] += 1
        self.present_s += present_s

    @property
    def expected(self) -> int:
        return sum(self.counts.values())

    @property
    def rate(self) -> Decimal | None:
        """Percent attended of what was not excused; None if nothing is left."""
        counted = self.expected - self.counts[Status.EXCUSED]
        attended = sum(self.counts[each] for each in ATTENDED)
        return percent_of(attended, counted) if counted else None

    def told(self) -> dict[str, int]:
        return {status.value: count for status, count in self.counts.items()}


def effective(row: Row[Any]) -> Status:
    """Return the status that counts of a stored result."""
    status: Status = row.override_status or row.status
    return status


async def course_results(
    transaction: Transaction, course_id: UUID, *, since: datetime | None, until: datetime | None
) -> Sequence[Row[Any]]:
    """Return the results of all runs of a course that began within a period."""
    statement = _results().where(live_class.c.course_id == course_id)
    if since is not None:
        statement = statement.where(class_run.c.started_at >= since)
    if until is not None:
        statement = statement.where(class_run.c.started_at < until)
    return await transaction.rows(statement.where(attendance_result.c.org_id == transaction.org_id))


async def person_results(transaction: Transaction, user_id: UUID) -> Sequence[Row[Any]]:
    """Return all results of a person, with the course of each."""
    return await transaction.rows(person_results_asked(transaction, user_id))


def person_results_asked(transaction: Transaction, user_id: UUID) -> Prepared:
    """Return the statement for the same."""
    return _of_person(transaction.org_id, user_id)


def course_view(
    course_id: UUID, title: str, results: Iterable[Row[Any]], people: Mapping[UUID, Row[Any]]
) -> CourseAttendance:
    """Return the rates of a course, by name."""
    tallies: dict[UUID, Tally] = {}
    whole, runs = Tally(), set()
    for row in results:
        runs.add(row.run_id)
        for tally in (whole, tallies.setdefault(row.user_id, Tally())):
            tally.add(effective(row), row.present_s)
    ordered = sorted(
        tallies, key=lambda user_id: ("" if user_id not in people else people[user_id].sort_key, str(user_id))
    )
    return CourseAttendance(
        course_id=course_id,
        title=title,
        runs=len(runs),
        rate=whole.rate,
        students=tuple(
            RateRow(
                user_id=user_id,
                code=people[user_id].code if user_id in people else "",
                name=people[user_id].display_name if user_id in people else "",
                expected=tallies[user_id].expected,
                counts=tallies[user_id].told(),
                rate=tallies[user_id].rate,
                present_s=tallies[user_id].present_s,
            )
            for user_id in ordered
        ),
    )


def person_view(user_id: UUID, results: Iterable[Row[Any]], titles: Mapping[UUID, str]) -> PersonAttendanceOverview:
    """Return the rates of a person, course by course, by title."""
    tallies: dict[UUID | None, Tally] = {}
    whole = Tally()
    for row in results:
        for tally in (whole, tallies.setdefault(row.course_id, Tally())):
            tally.add(effective(row), row.present_s)
    ordered = sorted(
        tallies, key=lambda each: (each is None, sort_key(titles.get(each, "")) if each else "", str(each))
    )
    return PersonAttendanceOverview(
        user_id=user_id,
        rate=whole.rate,
        courses=tuple(
            PersonCourse(
                course_id=each,
                title=None if each is None else titles.get(each, ""),
                expected=tallies[each].expected,
                counts=tallies[each].told(),
                rate=tallies[each].rate,
                present_s=tallies[each].present_s,
            )
            for each in ordered
        ),
    )


async def titles_of(transaction: Transaction, courses: Iterable[UUID]) -> dict[UUID, str]:
    """Return the titles of courses."""
    rows = await transaction.rows(_titles(transaction.org_id, sorted(courses)))
    return {row.id: row.title for row in rows}


@prepared(lists=("course_ids",))
def _titles(org_id: Any, course_ids: Any) -> Select[Any]:
    return select(course.c.id, course.c.title).where(course.c.org_id == org_id, course.c.id.in_(course_ids))


@prepared
def _of_person(org_id: Any, user_id: Any) -> Select[Any]:
    own = (attendance_result.c.org_id == org_id, attendance_result.c.user_id == user_id)
    return _results().where(*own)


def _results() -> Select[Any]:
    run = (class_run.c.org_id == attendance_result.c.org_id) & (class_run.c.id == attendance_result.c.run_id)
    held = (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id)
    return (
        select(
            attendance_result.c.run_id,
            attendance_result.c.user_id,
            attendance_result.c.status,
            attendance_result.c.override_status,
            attendance_result.c.present_s,
            live_class.c.course_id,
        )
        .join(class_run, run)
        .join(live_class, held)
        .where(class_run.c.ended_at.is_not(None))
    )
