"""Courses and groups as rows, and what somebody is in them now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from lms.courses.rules import CourseRole, Ties
from lms.courses.tables import EnrolmentStatus, course, course_group, enrolment, group_member
from lms.database.transaction import Transaction
from lms.people.tables import app_user, guardian

NO_TIES: Ties = frozenset()


def counts(now: datetime) -> ColumnElement[bool]:
    """Return the condition for an enrolment to count now."""
    return and_(
        enrolment.c.status == EnrolmentStatus.ACTIVE,
        or_(enrolment.c.valid_from.is_(None), enrolment.c.valid_from <= now),
        or_(enrolment.c.valid_to.is_(None), enrolment.c.valid_to > now),
    )


async def find_course(transaction: Transaction, course_id: UUID) -> Row[Any] | None:
    """Return a course, None if there is none (any more)."""
    return await transaction.first(
        select(course).where(
            course.c.org_id == transaction.org_id, course.c.id == course_id, course.c.deleted_at.is_(None)
        )
    )


async def lock_course(transaction: Transaction, course_id: UUID) -> Row[Any] | None:
    """Return a course that nobody else changes, or enrols in, until the transaction ends."""
    return await transaction.first(
        select(course)
        .where(course.c.org_id == transaction.org_id, course.c.id == course_id, course.c.deleted_at.is_(None))
        .with_for_update()
    )


async def ties_of(transaction: Transaction, course_id: UUID, user_id: UUID) -> Ties:
    """Return what somebody is in a course now."""
    return (await ties_in(transaction, [course_id], user_id)).get(course_id, NO_TIES)


async def ties_in(transaction: Transaction, course_ids: Collection[UUID], user_id: UUID) -> Mapping[UUID, Ties]:
    """Return what somebody is in each of these courses now; courses that they have nothing to do with are left out."""
    if not course_ids:
        return {}
    found: dict[UUID, set[CourseRole]] = {}
    tied = ties_statement(transaction, user_id).subquery()
    for row in await transaction.rows(select(tied).where(tied.c.course_id.in_(course_ids))):
        found.setdefault(row.course_id, set()).add(row.role)
    return {course_id: frozenset(roles) for course_id, roles in found.items()}


def ties_statement(transaction: Transaction, user_id: UUID) -> CompoundSelect[Any]:
    """Return a statement for `course_id` and `role` of everything that ties somebody to a course now.

    Who looks after a student is an observer in the student's courses.
    """
    own = select(enrolment.c.course_id, enrolment.c.role).where(
        enrolment.c.org_id == transaction.org_id, enrolment.c.user_id == user_id, counts(transaction.now)
    )
    of_children = (
        select(enrolment.c.course_id, literal(CourseRole.OBSERVER, enrolment.c.role.type).label("role"))
        .join(guardian, (guardian.c.org_id == enrolment.c.org_id) & (guardian.c.student_id == enrolment.c.user_id))
        .where(
            enrolment.c.org_id == transaction.org_id,
            guardian.c.observer_id == user_id,
            enrolment.c.role == CourseRole.STUDENT,
            counts(transaction.now),
        )
    )
    return union_all(own, of_children)


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
    rows = await transaction.rows(
        select(group_member.c.group_id).where(
            group_member.c.org_id == transaction.org_id,
            group_member.c.user_id == user_id,
            group_member.c.group_id.in_(group_ids),
        )
    )
    return frozenset(row.group_id for row in rows)


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
