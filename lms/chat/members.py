"""Who belongs to a room, as a statement: from enrolments, groups, seats and roles."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, or_, select

from lms.access.roles import PERMISSIONS, Permission, Role
from lms.chat.rules import RoomKind
from lms.classes.tables import class_invite, class_run, live_class
from lms.courses.rules import CourseRole
from lms.courses.store import counts
from lms.courses.tables import enrolment, group_member
from lms.database.transaction import Transaction
from lms.people.tables import UserStatus, app_user, membership

_TEACHING = (CourseRole.TEACHER, CourseRole.TA)
_RUNNING = (Role.OWNER, Role.ADMIN, Role.MANAGER)
MODERATORS_TOLD_MAX: Final = 50
_STAFF = tuple(role for role, permissions in PERMISSIONS.items() if Permission.CHAT_STAFF in permissions)


async def members_statement(transaction: Transaction, room: Row[Any]) -> Select[Any]:
    """Return a statement for the accounts of those to whom a room belongs: id, display_name, sort_key.

    Those who run the school may enter every room, and belong to those alone that they have to do with.
    """
    statement = select(app_user.c.id, app_user.c.display_name, app_user.c.sort_key).where(
        app_user.c.org_id == transaction.org_id,
        app_user.c.deleted_at.is_(None),
        app_user.c.status == UserStatus.ACTIVE,
    )
    match room.kind:
        case RoomKind.COURSE:
            return statement.where(app_user.c.id.in_(_enrolled(transaction, room.ref_id)))
        case RoomKind.GROUP:
            return statement.where(_in_group(transaction, room.course_id, room.ref_id))
        case RoomKind.STAFF:
            staff = select(membership.c.user_id).where(
                membership.c.org_id == transaction.org_id, membership.c.role.in_(_STAFF)
            )
            return statement.where(app_user.c.id.in_(staff))
        case RoomKind.RUN:
            return statement.where(await _in_run(transaction, room.ref_id))
        case _:
            return statement.where(app_user.c.id.in_([room.direct_low, room.direct_high]))


async def moderators_of(transaction: Transaction, room: Row[Any]) -> list[UUID]:
    """Return who is told of a report: who teaches the course that a room is of, else who runs the school."""
    if room.course_id is not None and room.kind is not RoomKind.DIRECT:
        responsible = _enrolled(transaction, room.course_id, CourseRole.TEACHER)
    else:
        responsible = select(membership.c.user_id).where(
            membership.c.org_id == transaction.org_id, membership.c.role.in_(_RUNNING)
        )
    rows = await transaction.rows(
        select(app_user.c.id)
        .where(
            app_user.c.org_id == transaction.org_id,
            app_user.c.deleted_at.is_(None),
            app_user.c.status == UserStatus.ACTIVE,
            app_user.c.id.in_(responsible),
        )
        .order_by(app_user.c.id)
        .limit(MODERATORS_TOLD_MAX)
    )
    return [row.id for row in rows]


def _enrolled(transaction: Transaction, course_id: UUID, *roles: CourseRole) -> Select[Any]:
    return select(enrolment.c.user_id).where(
        enrolment.c.org_id == transaction.org_id,
        enrolment.c.course_id == course_id,
        enrolment.c.role.in_(roles or (*_TEACHING, CourseRole.STUDENT)),
        counts(transaction.now),
    )


def _in_group(transaction: Transaction, course_id: UUID, group_id: UUID) -> ColumnElement[bool]:
    own = select(group_member.c.user_id).where(
        group_member.c.org_id == transaction.org_id, group_member.c.group_id == group_id
    )
    return or_(
        app_user.c.id.in_(_enrolled(transaction, course_id, *_TEACHING)),
        app_user.c.id.in_(own) & app_user.c.id.in_(_enrolled(transaction, course_id, CourseRole.STUDENT)),
    )


async def _in_run(transaction: Transaction, run_id: UUID) -> ColumnElement[bool]:
    held = await transaction.one(
        select(live_class)
        .join(class_run, (class_run.c.org_id == live_class.c.org_id) & (class_run.c.class_id == live_class.c.id))
        .where(class_run.c.org_id == transaction.org_id, class_run.c.id == run_id)
    )
    return in_class(transaction, held)


def in_class(transaction: Transaction, held: Row[Any]) -> ColumnElement[bool]:
    """Return the condition for accounts of those whose class it is: who teaches it, its students, who is invited."""
    asked = [held.id] if held.parent_id is None or held.invited_only else [held.id, held.parent_id]
    invited = select(class_invite.c.user_id).where(
        class_invite.c.org_id == transaction.org_id, class_invite.c.class_id.in_(asked)
    )
    ways = [app_user.c.id == held.host_id, app_user.c.id.in_(invited)]
    if held.course_id is not None:
        if held.invited_only:
            ways.append(app_user.c.id.in_(_enrolled(transaction, held.course_id, *_TEACHING)))
        elif held.group_id is not None:
            ways.append(_in_group(transaction, held.course_id, held.group_id))
        else:
            ways.append(app_user.c.id.in_(_enrolled(transaction, held.course_id)))
    return or_(*ways)
