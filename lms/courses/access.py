"""A course for somebody: found and allowed, or refused, in one place for all endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, ProblemError, bad_field, not_found
from lms.courses.problems import COURSE_ARCHIVED, THE_COURSE
from lms.courses.rules import CourseStatus, Permissions, Ties, may_read_course
from lms.courses.store import ask_ties_ahead, find_course, lock_course, ties_of
from lms.database.transaction import Transaction

FIRST_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CourseFor:
    """A course, and what somebody is in it."""

    row: Row[Any]
    permissions: Permissions
    ties: Ties


async def course_to_read(transaction: Transaction, caller: Caller, course_id: UUID, *, lock: bool = False) -> CourseFor:
    """Return a course that the caller sees; raises ProblemError (`not_found`)."""
    ask_ties_ahead(transaction, caller.user_id)
    row = await (lock_course if lock else find_course)(transaction, course_id)
    if row is not None:
        found = CourseFor(row, permissions_of(caller.roles), await ties_of(transaction, course_id, caller.user_id))
        if may_read_course(found.permissions, found.ties, row.status):
            return found
    raise not_found(THE_COURSE)


async def course_to_change(
    transaction: Transaction,
    caller: Caller,
    course_id: UUID,
    allowed: Callable[[Permissions, Ties], bool],
    *,
    archived_too: bool = False,
    lock: bool = True,
) -> CourseFor:
    """Return a course in which a rule lets the caller do something; raises ProblemError. `lock`: it is locked, too."""
    found = await course_to_read(transaction, caller, course_id, lock=lock)
    if not allowed(found.permissions, found.ties):
        raise ProblemError(FORBIDDEN, rule="own_course")
    if found.row.status is CourseStatus.ARCHIVED and not archived_too:
        raise ProblemError(COURSE_ARCHIVED)
    return found


def check_moment(field: str, moment: datetime | None) -> None:
    """Raise ProblemError for a time that nobody plans for."""
    if moment is not None and not FIRST_MOMENT <= moment < LAST_MOMENT:
        raise bad_field(field, moment.isoformat(), Phrase("a time from 2000 to 2099", "وقت من 2000 إلى 2099"), "range")
