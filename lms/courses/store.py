"""Courses and groups as rows, and what somebody is in them now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from lms.courses.rules import CourseRole, CourseStatus, Ties
from lms.courses.tables import EnrolmentStatus, course, course_group, enrolment, group_member
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.people.tables import app_user, guardian

NO_TIES: Ties = frozenset()
_NO_STUDENTS: Final = tuple(role for role in CourseRole if role is not CourseRole.STUDENT)


def counts(now: datetime | Any) -> ColumnElement[bool]:
    """Return the condition for an enrolment to count now; `now` may be a parameter of a prepared statement."""
    return and_(
        enrolment.c.status == EnrolmentStatus.ACTIVE,
        or_(enrolment.c.valid_from.is_(None), enrolment.c.valid_from <= now),
        or_(enrolment.c.valid_to.is_(None), enrolment.c.valid_to > now),
    )


async def find_course(transaction: Transaction, course_id: UUID) -> Row[Any] | None:
    """Return a course, None if there is none (any more)."""
    return await transaction.first(_course(transaction.org_id, course_id, locked=False))


async def lock_course(transaction: Transaction, course_id: UUID) -> Row[Any] | None:
    """Return a course that nobody else changes, or enrols in, until the transaction ends."""
    return await transaction.first(_course(transaction.org_id, course_id, locked=True))


async def ties_of(transaction: Transaction, course_id: UUID, user_id: UUID) -> Ties:
    """Return what somebody is in a course now."""
    return (await ties_in(transaction, [course_id], user_id)).get(course_id, NO_TIES)


async def ties_in(transaction: Transaction, course_ids: Collection[UUID], user_id: UUID) -> Mapping[UUID, Ties]:
    """Return what somebody is in each of these courses now; courses that they have nothing to do with are left out."""
    if not course_ids:
        return {}
    wanted, found = set(course_ids), dict[UUID, set[CourseRole]]()
    for row in await transaction.rows(_ties(transaction.org_id, user_id, transaction.now)):
        if row.course_id in wanted:
            found.setdefault(row.course_id, set()).add(row.role)
    return {course_id: frozenset(roles) for course_id, roles in found.items()}


def ties_statement(transaction: Transaction, user_id: UUID) -> CompoundSelect[Any]:
    """Return a statement for `course_id` and `role` of everything that ties somebody to a course now.

    Who looks after a student is an observer in the student's courses.
    """
    return ties_of_user(transaction.org_id, user_id, transaction.now)


def ties_of_user(org_id: Any, user_id: Any, now: Any) -> CompoundSelect[Any]:
    """Return the same statement for values, or for parameters of a prepared one.

    It is as fast in tables that PostgreSQL has not counted yet, as those of a school that was just filled in: there it
    takes every condition for a strict one, and would go through all students to ask of each who looks after them. So
    the children are known first, and students are who is nothing else, for which no index can be used.
    """
    own = select(enrolment.c.course_id, enrolment.c.role).where(
        enrolment.c.org_id == org_id, enrolment.c.user_id == user_id, counts(now)
    )
    children = _known_first(
        select(guardian.c.student_id).where(guardian.c.org_id == org_id, guardian.c.observer_id == user_id)
    )
    of_children = (
        select(enrolment.c.course_id, literal(CourseRole.OBSERVER, enrolment.c.role.type).label("role"))
        .join(children, children.c.student_id == enrolment.c.user_id)
        .where(enrolment.c.org_id == org_id, enrolment.c.role.not_in(_NO_STUDENTS), counts(now))
    )
    return union_all(own, of_children)


def tied_courses(org_id: Any, user_id: Any, now: Any) -> CTE:
    """Return the same as a table of other statements, in which it is asked once, however often they look."""
    return _known_first(ties_of_user(org_id, user_id, now))


def _known_first(statement: Select[Any] | CompoundSelect[Any]) -> CTE:
    """Return what is found before anything else is, and not mixed with what asks for it."""
    return statement.cte().prefix_with("MATERIALIZED")


_ties = prepared(ties_of_user)


def ask_ties_ahead(transaction: Transaction, user_id: UUID) -> None:
    """Have what ties somebody to courses be asked with whatever is asked next."""
    transaction.ahead(_ties(transaction.org_id, user_id, transaction.now))


def ask_course_ahead(transaction: Transaction, course_id: UUID) -> None:
    """Have a course be asked for with whatever is asked next."""
    transaction.ahead(_course(transaction.org_id, course_id, locked=False))


@prepared
def courses_seen_by(
    org_id: Any, user_id: Any, now: Any, status: Any, pattern: Any, *, all_of_them: bool, by_status: bool, by_text: bool
) -> Select[Any]:
    """Return a statement for the courses that somebody sees: the same as `rules.may_read_course`, for lists."""
    statement = select(course).where(course.c.org_id == org_id, course.c.deleted_at.is_(None))
    if not all_of_them:
        tied = tied_courses(org_id, user_id, now)
        teaching = select(tied.c.course_id).where(tied.c.role.in_((CourseRole.TEACHER, CourseRole.TA)))
        published = course.c.status != CourseStatus.DRAFT
        statement = statement.where(
            or_(course.c.id.in_(teaching), and_(published, course.c.id.in_(select(tied.c.course_id))))
        )
    if by_status:
        statement = statement.where(course.c.status == status)
    return statement.where(course.c.sort_key.like(pattern, escape="\\")) if by_text else statement


@prepared
def _course(org_id: Any, course_id: Any, *, locked: bool) -> Select[Any]:
    statement = select(course).where(course.c.org_id == org_id, course.c.id == course_id, course.c.deleted_at.is_(None))
    return statement.with_for_update() if locked else statement


async def count_students(transaction: Transaction, course_id: UUID) -> int:
    """Return how many students are in a course now."""
    count = await transaction.value(
        select(func.count())
        .select_from(enrolment)
        .where(
            enrolment.c.org_id == transaction.org_id,
            enrolment.c.course_id == course_id,
            enrolment.c.role == CourseRole.STUDENT,
            counts(transaction.now),
        )
    )
    return int(count)


async def find_group(transaction: Transaction, course_id: UUID, group_id: UUID) -> Row[Any] | None:
    """Return a group of a course, None if there is none."""
    return await transaction.first(
        select(course_group).where(
            course_group.c.org_id == transaction.org_id,
            course_group.c.course_id == course_id,
            course_group.c.id == group_id,
        )
    )


async def groups_of(transaction: Transaction, user_id: UUID, group_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return of which of these groups somebody is a member."""
    if not group_ids:
        return frozenset()
    rows = await transaction.rows(_groups(transaction.org_id, user_id, list(group_ids)))
    return frozenset(row.group_id for row in rows)


@prepared(lists=("group_ids",))
def _groups(org_id: Any, user_id: Any, group_ids: Any) -> Select[Any]:
    return select(group_member.c.group_id).where(
        group_member.c.org_id == org_id, group_member.c.user_id == user_id, group_member.c.group_id.in_(group_ids)
    )


def students_statement(transaction: Transaction, course_id: UUID, group_id: UUID | None = None) -> Select[Any]:
    """Return a statement for the students of a course or group now: id, code, display_name, sort_key."""
    statement = (
        select(app_user.c.id, app_user.c.code, app_user.c.display_name, app_user.c.sort_key)
        .join(enrolment, (enrolment.c.org_id == app_user.c.org_id) & (enrolment.c.user_id == app_user.c.id))
        .where(
            app_user.c.org_id == transaction.org_id,
            app_user.c.deleted_at.is_(None),
            enrolment.c.course_id == course_id,
            enrolment.c.role == CourseRole.STUDENT,
            counts(transaction.now),
        )
    )
    if group_id is None:
        return statement
    member = (group_member.c.org_id == app_user.c.org_id) & (group_member.c.user_id == app_user.c.id)
    return statement.join(group_member, member & (group_member.c.group_id == group_id))
