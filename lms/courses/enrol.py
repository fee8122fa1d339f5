"""Taking people into courses: one way for teachers, codes and other programs, so that places are counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from lms.api.phrases import same
from lms.api.problems import ProblemError
from lms.courses.problems import COURSE_FULL
from lms.courses.rules import CourseRole
from lms.courses.store import count_students
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, enrolment
from lms.database.transaction import Transaction
from lms.ids import Ids


@dataclass(frozen=True, slots=True)
class Terms:
    """How people are enrolled."""

    role: CourseRole
    source: EnrolmentSource
    access_code_id: UUID | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


async def enrol(
    transaction: Transaction, ids: Ids, course: Row[Any], user_ids: Sequence[UUID], terms: Terms
) -> list[UUID]:
    """Enrol people and return those who were not in the course before, in this role; raises ProblemError when full.

    The course must be locked (`store.lock_course`), so that two cannot take the last place. Who left comes back.
    """
    known = {
        row.user_id: row
        for row in await transaction.rows(
            select(enrolment).where(
                enrolment.c.org_id == transaction.org_id,
                enrolment.c.course_id == course.id,
                enrolment.c.role == terms.role,
                enrolment.c.user_id.in_(user_ids),
            )
        )
    }
    counted = {user_id for user_id, row in known.items() if _counts(row, transaction.now)}
    wanted = [each for each in dict.fromkeys(user_ids) if each not in counted]
    if not wanted:
        return []
    if terms.role is CourseRole.STUDENT and course.max_students is not None:
        taken = await count_students(transaction, course.id)
        if taken + len(wanted) > course.max_students:
            raise ProblemError(COURSE_FULL, value=taken, expected=same(course.max_students), rule="places")
    values: dict[str, Any] = {
        "status": EnrolmentStatus.ACTIVE,
        "source": terms.source,
        "access_code_id": terms.access_code_id,
        "valid_from": terms.valid_from,
        "valid_to": terms.valid_to,
        "updated_at": transaction.now,
    }
    for user_id in wanted:
        if user_id in known:
            one = (enrolment.c.org_id == transaction.org_id, enrolment.c.id == known[user_id].id)
            await transaction.execute(update(enrolment).where(*one).values(values))
        else:
            await transaction.execute(
                insert(enrolment).values(
                    org_id=transaction.org_id,
                    id=ids.new(),
                    course_id=course.id,
                    user_id=user_id,
                    role=terms.role,
                    created_at=transaction.now,
                    **values,
                )
            )
    return wanted


def _counts(row: Row[Any], now: datetime) -> bool:
    return (
        row.status is EnrolmentStatus.ACTIVE
        and (row.valid_from is None or row.valid_from <= now)
        and (row.valid_to is None or row.valid_to > now)
    )
