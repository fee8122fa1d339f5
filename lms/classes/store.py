"""Live classes and runs as rows, what ties somebody to them, and which ones somebody sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, or_, select

from lms.access.roles import Permission
from lms.classes.rules import ClassTies
from lms.classes.tables import class_invite, class_run, live_class
from lms.courses.rules import CourseRole, Permissions
from lms.courses.store import NO_TIES, ask_ties_ahead, groups_of, tied_courses, ties_in
from lms.courses.tables import course, group_member
from lms.database.prepared import prepared
from lms.database.transaction import Transaction

_TEACHING = (CourseRole.TEACHER, CourseRole.TA)


async def find_class(transaction: Transaction, class_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """Return a class, None if there is none; `lock`: nobody else changes it until the transaction ends.

    Classes of a course that was deleted are gone with it.
    """
    return await transaction.first(_class(transaction.org_id, class_id, locked=lock))


@prepared
def _class(org_id: Any, class_id: Any, *, locked: bool) -> Select[Any]:
    statement = select(live_class).where(live_class.c.org_id == org_id, live_class.c.id == class_id, _is_there(org_id))
    return statement.with_for_update(of=live_class) if locked else statement


def _is_there(org_id: Any) -> ColumnElement[bool]:
    """Return the condition for a class not to be of a course that was deleted."""
    courses = select(course.c.id).where(course.c.org_id == org_id, course.c.deleted_at.is_(None))
    return or_(live_class.c.course_id.is_(None), live_class.c.course_id.in_(courses))


async def live_runs(transaction: Transaction, class_ids: Sequence[UUID]) -> Mapping[UUID, Row[Any]]:
    """Return the runs that last now, by class."""
    if not class_ids:
        return {}
    rows = await transaction.rows(_live_runs(transaction.org_id, list(class_ids)))
    return {row.class_id: row for row in rows}


@prepared(lists=("class_ids",))
def _live_runs(org_id: Any, class_ids: Any) -> Select[Any]:
    return select(class_run).where(
        class_run.c.org_id == org_id, class_run.c.class_id.in_(class_ids), class_run.c.ended_at.is_(None)
    )


async def live_run(transaction: Transaction, class_id: UUID) -> Row[Any] | None:
    """Return the run of a class that lasts now."""
    return (await live_runs(transaction, [class_id])).get(class_id)


def ask_runs_ahead(transaction: Transaction, class_ids: Sequence[UUID]) -> None:
    """Have the runs that last be asked for with whatever is asked next."""
    if class_ids:
        transaction.ahead(_live_runs(transaction.org_id, list(class_ids)))


def ask_class_ties_ahead(transaction: Transaction, user_id: UUID, class_id: UUID) -> None:
    """Have what ties somebody to a class, that is no breakout, be asked with whatever is asked next."""
    ask_ties_ahead(transaction, user_id)
    transaction.ahead(_invites(transaction.org_id, user_id, [class_id]))


async def class_ties(transaction: Transaction, user_id: UUID, rows: Sequence[Row[Any]]) -> Mapping[UUID, ClassTies]:
    """Return what ties somebody to each of these classes.

    Who is invited to a class is invited to its breakouts, unless these say who may join them.
    """
    courses = await ties_in(transaction, [row.course_id for row in rows if row.course_id is not None], user_id)
    groups = await groups_of(transaction, user_id, [row.group_id for row in rows if row.group_id is not None])
    asked = {row.id for row in rows} | {row.parent_id for row in rows if row.parent_id is not None}
    invites = await transaction.rows(_invites(transaction.org_id, user_id, list(asked)))
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


NARROWED_BY: Final = ("since", "until", "course_id", "series_id", "status", "parent_id")
"""What a list of classes may be narrowed by, in the order in which `classes_seen_by` takes it."""


@prepared
def classes_seen_by(  # noqa: PLR0913, PLR0917 - a value for each way to narrow a list
    org_id: Any,
    user_id: Any,
    now: Any,
    since: Any,
    until: Any,
    course_id: Any,
    series_id: Any,
    status: Any,
    parent_id: Any,
    *,
    permissions: Permissions,
    by: frozenset[str],
) -> Select[Any]:
    """Return a statement for the classes that somebody sees, narrowed `by` some; breakouts only by their class."""
    conditions = {
        "since": live_class.c.ends_at > since,
        "until": live_class.c.starts_at < until,
        "course_id": live_class.c.course_id == course_id,
        "series_id": live_class.c.series_id == series_id,
        "status": live_class.c.status == status,
        "parent_id": live_class.c.parent_id == parent_id,
    }
    statement = select(live_class).where(
        live_class.c.org_id == org_id,
        seen_with(org_id, user_id, tied_courses(org_id, user_id, now), permissions),
        *(conditions[name] for name in NARROWED_BY if name in by),
    )
    return statement if "parent_id" in by else statement.where(live_class.c.parent_id.is_(None))


@prepared(lists=("class_ids",))
def _invites(org_id: Any, user_id: Any, class_ids: Any) -> Select[Any]:
    return select(class_invite.c.class_id).where(
        class_invite.c.org_id == org_id, class_invite.c.user_id == user_id, class_invite.c.class_id.in_(class_ids)
    )


def seen_by(transaction: Transaction, user_id: UUID, permissions: Permissions) -> ColumnElement[bool]:
    """Return the condition for classes that somebody sees: the same as `rules.may_read_class`, for lists."""
    tied = tied_courses(transaction.org_id, user_id, transaction.now)
    return seen_with(transaction.org_id, user_id, tied, permissions)


def seen_with(org_id: Any, user_id: Any, tied: CTE, permissions: Permissions) -> ColumnElement[bool]:
    """Return the same condition for values, or for parameters of a prepared statement; `tied`: `tied_courses`."""
    alive = _is_there(org_id)
    if Permission.COURSES_READ_ALL in permissions:
        return alive
    taught = select(tied.c.course_id).where(tied.c.role.in_(_TEACHING))
    own_groups = select(group_member.c.group_id).where(
        group_member.c.org_id == org_id, group_member.c.user_id == user_id
    )
    invited = select(class_invite.c.class_id).where(class_invite.c.org_id == org_id, class_invite.c.user_id == user_id)
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
