"""A live class for somebody: found and allowed, or refused, in one place for all endpoints; and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.problems import FORBIDDEN, ProblemError, not_found
from lms.classes.messages import ClassView, RunView
from lms.classes.problems import NOT_NOW, THE_LIVE_CLASS
from lms.classes.room import RoomSettings
from lms.classes.rules import ClassTies, may_join, may_read_class, may_run, seat_of
from lms.classes.status import ClassStatus, Deed, NotNowError, allowed_deeds, status_after
from lms.classes.store import ask_class_ties_ahead, class_ties, find_class
from lms.courses.rules import Permissions
from lms.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ClassFor:
    """A class, and what somebody is in it."""

    row: Row[Any]
    permissions: Permissions
    ties: ClassTies

    @property
    def settings(self) -> RoomSettings:
        return msgspec.convert(self.row.settings, RoomSettings)


async def class_to_read(transaction: Transaction, caller: Caller, class_id: UUID, *, lock: bool = False) -> ClassFor:
    """Return a class that the caller sees; raises ProblemError (`not_found`)."""
    if not lock:
        ask_class_ties_ahead(transaction, caller.user_id, class_id)
    row = await find_class(transaction, class_id, lock=lock)
    if row is not None:
        ties = (await class_ties(transaction, caller.user_id, [row]))[row.id]
        found = ClassFor(row, permissions_of(caller.roles), ties)
        if may_read_class(found.permissions, ties):
            return found
    raise not_found(THE_LIVE_CLASS)


async def class_to_run(
    transaction: Transaction, caller: Caller, class_id: UUID, deed: Deed | None, *, lock: bool = True
) -> tuple[ClassFor, ClassStatus]:
    """Return a class that the caller may do something with now, and its status after it; raises ProblemError."""
    found = await class_to_read(transaction, caller, class_id, lock=lock)
    if not may_run(found.permissions, found.ties):
        raise ProblemError(FORBIDDEN, rule="own_class")
    return found, found.row.status if deed is None else check_now(found.row.status, deed)


async def class_to_join(transaction: Transaction, caller: Caller, class_id: UUID) -> ClassFor:
    """Return a live class that the caller may take a seat in; raises ProblemError."""
    found = await class_to_read(transaction, caller, class_id)
    if not may_join(found.permissions, found.ties):
        raise ProblemError(FORBIDDEN, rule="own_class")
    check_now(found.row.status, Deed.JOIN)
    return found


def check_now(status: ClassStatus, deed: Deed) -> ClassStatus:
    """Return the status after a deed; raises ProblemError (`not_now`)."""
    try:
        return status_after(status, deed)
    except NotNowError as error:
        raise ProblemError(NOT_NOW, field="status", value=status.value, rule=deed.value, reason=error.phrase) from None


def class_view(found: ClassFor, run: Row[Any] | None) -> ClassView:
    """Return a class as it is told to somebody."""
    row = found.row
    allowed = allowed_deeds(row.status)
    if not may_run(found.permissions, found.ties):
        allowed &= {Deed.JOIN}
    if not may_join(found.permissions, found.ties):
        allowed -= {Deed.JOIN}
    return ClassView(
        id=row.id,
        title=row.title,
        description=row.description,
        status=row.status,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        course_id=row.course_id,
        group_id=row.group_id,
        series_id=row.series_id,
        parent_id=row.parent_id,
        host_id=row.host_id,
        external_id=row.external_id,
        invited_only=row.invited_only,
        settings=found.settings,
        locked=row.locked,
        cancel_reason=row.cancel_reason,
        run=None if run is None else run_view(run),
        seat=seat_of(found.permissions, found.ties),
        allowed=tuple(sorted(allowed, key=lambda deed: deed.value)),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def run_view(row: Row[Any]) -> RunView:
    """Return a run as it is told. Its room is not: it is for those who are let in."""
    return RunView(
        id=row.id,
        class_id=row.class_id,
        parent_run_id=row.parent_run_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )
