"""Who somebody is to a course and to a student, as the rules of grades need to know it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.problems import FORBIDDEN, ProblemError, not_found
from lms.courses import access
from lms.courses.problems import THE_COURSE
from lms.courses.rules import CourseRole
from lms.courses.store import find_course
from lms.courses.tables import EnrolmentStatus, course, enrolment
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction
from lms.grades.rules import Kin, may_read_gradebook, may_read_own, may_write_grades
from lms.people.tables import app_user, guardian

GRADED_STATUSES = (EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED)
"""Who is in the gradebook; the grades of who has left are kept, and are there again when they come back."""


async def course_to_read(transaction: Transaction, caller: Caller, course_id: UUID) -> Row[Any]:
    """Return a course whose whole gradebook the caller may see; raises ProblemError."""
    found = await access.course_to_read(transaction, caller, course_id)
    if not may_read_gradebook(found.permissions, found.ties):
        raise ProblemError(FORBIDDEN, rule="own_course")
    return found.row


async def course_to_grade(transaction: Transaction, caller: Caller, course_id: UUID) -> Row[Any]:
    """Return a course in which the caller may give grades; raises ProblemError."""
    return (await access.course_to_change(transaction, caller, course_id, may_write_grades, lock=False)).row


async def course_of_student(transaction: Transaction, caller: Caller, course_id: UUID, student_id: UUID) -> Row[Any]:
    """Return a course of a student, who is the caller or looked after by them; raises ProblemError (`not_found`)."""
    transaction.ahead(students_of(transaction, course_id, [student_id]))
    row = await find_course(transaction, course_id)
    kin = await kin_of(transaction, caller.user_id, student_id)
    is_student = bool(await students_among(transaction, course_id, [student_id]))
    if row is None or not may_read_own(permissions_of(caller.roles), kin, row.status, is_student=is_student):
        raise not_found(THE_COURSE)
    return row


async def kin_of(transaction: Transaction, caller_id: UUID, student_id: UUID) -> Kin:
    """Return what somebody is to a student."""
    if caller_id == student_id:
        return Kin.SELF
    looked_after = _looked_after(transaction.org_id, caller_id, student_id)
    return Kin.NOBODY if await transaction.first(looked_after) is None else Kin.GUARDIAN


@prepared
def _looked_after(org_id: Any, observer_id: Any, student_id: Any) -> Select[Any]:
    return select(guardian.c.student_id).where(
        guardian.c.org_id == org_id, guardian.c.observer_id == observer_id, guardian.c.student_id == student_id
    )


def students_of(
    transaction: Transaction, course_id: UUID, user_ids: Collection[UUID] | None = None, *, in_order: bool = False
) -> Prepared:
    """Return a statement for the students of a gradebook: id, code, display_name, sort_key; perhaps some of them."""
    some = None if user_ids is None else list(user_ids)
    return _students(transaction.org_id, course_id, some, some=some is not None, in_order=in_order)


@prepared(lists=("user_ids",))
def _students(org_id: Any, course_id: Any, user_ids: Any, *, some: bool, in_order: bool) -> Select[Any]:
    # Every enrolment has its account. An outer join says where to begin: a PostgreSQL that has not counted the rows of
    # a new school would go through all its people.
    account = (app_user.c.org_id == enrolment.c.org_id) & (app_user.c.id == enrolment.c.user_id)
    statement = (
        select(app_user.c.id, app_user.c.code, app_user.c.display_name, app_user.c.sort_key)
        .select_from(enrolment.outerjoin(app_user, account))
        .where(
            enrolment.c.org_id == org_id,
            enrolment.c.course_id == course_id,
            enrolment.c.role == CourseRole.STUDENT,
            enrolment.c.status.in_(GRADED_STATUSES),
            app_user.c.deleted_at.is_(None),
        )
    )
    if some:
        statement = statement.where(enrolment.c.user_id.in_(user_ids))
    return statement.order_by(app_user.c.sort_key, app_user.c.id) if in_order else statement


async def students_among(transaction: Transaction, course_id: UUID, user_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these people are students of a gradebook."""
    return {row.id for row in await transaction.rows(students_of(transaction, course_id, user_ids))}


def courses_of_student(transaction: Transaction, student_id: UUID) -> Prepared:
    """Return a statement for the courses in whose gradebook a student is: id, title, status."""
    return _courses(transaction.org_id, student_id)


@prepared
def _courses(org_id: Any, student_id: Any) -> Select[Any]:
    of_enrolment = (course.c.org_id == enrolment.c.org_id) & (course.c.id == enrolment.c.course_id)
    return (
        select(course.c.id, course.c.title, course.c.status)
        .select_from(enrolment.outerjoin(course, of_enrolment))  # to begin there, as above
        .where(
            enrolment.c.org_id == org_id,
            enrolment.c.user_id == student_id,
            enrolment.c.role == CourseRole.STUDENT,
            enrolment.c.status.in_(GRADED_STATUSES),
            course.c.deleted_at.is_(None),
        )
        .order_by(course.c.sort_key, course.c.id)
    )
