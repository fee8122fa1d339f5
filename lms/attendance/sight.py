"""What ties somebody to a class or a course, and names of people: what endpoints ask before they show anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.problems import not_found
from lms.classes.problems import THE_LIVE_CLASS
from lms.classes.rules import ClassTies
from lms.classes.tables import live_class
from lms.courses.problems import THE_COURSE
from lms.courses.rules import Permissions, Ties
from lms.courses.store import NO_TIES, find_course, ties_of
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.people.tables import app_user, guardian

_IDS_AT_ONCE: Final = 1000  # SQLite takes 32,766 values a statement


@dataclass(frozen=True, slots=True)
class ClassSight:
    """A class, and what the caller is to it."""

    row: Row[Any]
    ties: ClassTies
    permissions: Permissions


async def see_class(transaction: Transaction, caller: Caller, class_id: UUID) -> ClassSight:
    """Return a class and the ties of who asks; raises ProblemError if there is none."""
    row = await transaction.first(_class(transaction.org_id, class_id))
    if row is None:
        raise not_found(THE_LIVE_CLASS)
    ties = NO_TIES if row.course_id is None else await ties_of(transaction, row.course_id, caller.user_id)
    return ClassSight(row, ClassTies(is_host=row.host_id == caller.user_id, course=ties), permissions_of(caller.roles))


async def see_course(transaction: Transaction, caller: Caller, course_id: UUID) -> tuple[Row[Any], Ties]:
    """Return a course and the ties of who asks; raises ProblemError if there is none."""
    row = await find_course(transaction, course_id)
    if row is None:
        raise not_found(THE_COURSE)
    return row, await ties_of(transaction, course_id, caller.user_id)


async def children_of(transaction: Transaction, caller: Caller) -> frozenset[UUID]:
    """Return whom somebody looks after."""
    rows = await transaction.rows(_children(transaction.org_id, caller.user_id))
    return frozenset(row.student_id for row in rows)


async def people_of(transaction: Transaction, users: Collection[UUID]) -> Mapping[UUID, Row[Any]]:
    """Return the accounts of people: code, name and where it stands in lists."""
    wanted = sorted(users)
    found: dict[UUID, Row[Any]] = {}
    for first in range(0, len(wanted), _IDS_AT_ONCE):
        rows = await transaction.rows(_people(transaction.org_id, wanted[first : first + _IDS_AT_ONCE]))
        found |= {row.id: row for row in rows}
    return found


@prepared
def _class(org_id: Any, class_id: Any) -> Select[Any]:
    return select(live_class).where(live_class.c.org_id == org_id, live_class.c.id == class_id)


@prepared
def _children(org_id: Any, observer_id: Any) -> Select[Any]:
    return select(guardian.c.student_id).where(guardian.c.org_id == org_id, guardian.c.observer_id == observer_id)


@prepared(lists=("user_ids",))
def _people(org_id: Any, user_ids: Any) -> Select[Any]:
    return select(app_user.c.id, app_user.c.code, app_user.c.display_name, app_user.c.sort_key).where(
        app_user.c.org_id == org_id, app_user.c.id.in_(user_ids)
    )
