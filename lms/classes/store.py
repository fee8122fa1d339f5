"""Live classes and runs as rows, what ties somebody to them, and which ones somebody sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, or_, select

from lms.access.roles import Permission
from lms.classes.rules import ClassTies
from lms.classes.tables import class_invite, class_run, live_class
from lms.courses.rules import CourseRole, Permissions
from lms.courses.store import NO_TIES, groups_of, ties_in, ties_statement
from lms.courses.tables import course, group_member
from lms.database.transaction import Transaction

_TEACHING = (CourseRole.TEACHER, CourseRole.TA)


async def find_class(transaction: Transaction, class_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """Return a class, None if there is none; `lock`: nobody else changes it until the transaction ends.

    Classes of a course that was deleted are gone with it.
    """
    statement = select(live_class).where(live_class.c.org_id == transaction.org_id, live_class.c.id == class_id)
    row = await transaction.first(statement.with_for_update() if lock else statement)
    if row is None or row.course_id is None:
        return row
    gone = select(course.c.deleted_at).where(course.c.org_id == transaction.org_id, course.c.id == row.course_id)
    return None if await transaction.value(gone) is not None else row


async def live_runs(transaction: Transaction, class_ids: Sequence[UUID]) -> Mapping[UUID, Row[Any]]:
    """Return the runs that last now, by class."""
    if not class_ids:
        return {}
    rows = await transaction.rows(
        select(class_run).where(
            class_run.c.org_id == transaction.org_id,
            class_run.c.class_id.in_(class_ids),
            class_run.c.ended_at.is_(None),
        )
    )
    return {row.class_id: row for row in rows}


async def live_run(transaction: Transaction, class_id: UUID) -> Row[Any] | None:
    """Return the run of a class that lasts now."""
    return (await live_runs(transaction, [class_id])).get(class_id)


async def class_ties(transaction: Transaction, user_id: UUID, rows: Sequence[Row[Any]]) -> Mapping[UUID, ClassTies]:
    """Return what ties somebody to each of these classes.

    Who is invited to a class is invited to its breakouts, unless these say who may join them.
    """
    courses = await ties_in(transaction, [row.course_id for row in rows if row.course_id is not None], user_id)
    groups = await groups_of(transaction, user_id, [row.group_id for row in rows if row.group_id is not None])
    asked = {row.id for row in rows} | {row.parent_id for row in rows if row.parent_id is not None}
    invites = await transaction.rows(
        select(class_invite.c.class_id).where(
            class_invite.c.org_id == transaction.org_id,
            class_invite.c.user_id == user_id,
            class_invite.c.class_id.in_(asked),
        )
    )
    invited = {row.class_id for row in invites}
    return {
        row.id: ClassTies(
            is_host=row.host_id == user_id,
            course=NO_TIES if row.course_id is None else courses.get(row.course_id, NO_TIES),
            in_group=not row.invited_only and (row.group_id is None or row.group_id in groups),
            is_invited=row.id in invited or (row.parent_id in invited and not row.invited_only),
        )
        for row in rows
    }


def seen_by(transaction: Transaction, user_id: UUID, permissions: Permissions) -> ColumnElement[bool]:
    """Return the condition for classes that somebody sees: the same as `rules.may_read_class`, for lists."""
    alive = or_(
        live_class.c.course_id.is_(None),
        live_class.c.course_id.in_(
            select(course.c.id).where(course.c.org_id == transaction.org_id, course.c.deleted_at.is_(None))
        ),
    )
    if Permission.COURSES_READ_ALL in permissions:
        return alive
    tied = ties_statement(transaction, user_id).subquery()
    taught = select(tied.c.course_id).where(tied.c.role.in_(_TEACHING))
    own_groups = select(group_member.c.group_id).where(
        group_member.c.org_id == transaction.org_id, group_member.c.user_id == user_id
    )
    invited = select(class_invite.c.class_id).where(
        class_invite.c.org_id == transaction.org_id, class_invite.c.user_id == user_id
    )
    ways = [
        live_class.c.course_id.in_(taught),
        and_(
            live_class.c.course_id.in_(select(tied.c.course_id)),
            live_class.c.invited_only.is_(False),
            or_(live_class.c.group_id.is_(None), live_class.c.group_id.in_(own_groups)),
        ),
        live_class.c.id.in_(invited),
        and_(live_class.c.invited_only.is_(False), live_class.c.parent_id.in_(invited)),
    ]
    if Permission.CLASSES_WRITE in permissions:
        ways.append(live_class.c.host_id == user_id)
    return and_(alive, or_(*ways))
