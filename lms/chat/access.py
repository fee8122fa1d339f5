"""A room for somebody: found and allowed, or refused, in one place for endpoints, WebSockets and offline queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.access.roles import permissions_of
from lms.access.standing import read_standing
from lms.api.caller import Caller
from lms.api.phrases import same
from lms.api.problems import FORBIDDEN, ProblemError, not_found
from lms.chat.problems import BANNED, MUTED, ROOM_LOCKED, ROOM_OVER, THE_ROOM
from lms.chat.rules import (
    Hold,
    Obstacle,
    RoomKind,
    Standing,
    obstacle_to_writing,
    standing_among_staff,
    standing_in_course,
    standing_in_group,
    standing_in_run,
    standing_of_two,
)
from lms.chat.store import ask_member_ahead, find_member, find_room
from lms.classes.rules import seat_of
from lms.classes.store import class_ties, find_class
from lms.classes.tables import class_run
from lms.courses.rules import CourseStatus, Permissions
from lms.courses.store import ask_ties_ahead, find_course, groups_of, ties_of
from lms.courses.tables import course_group
from lms.database.transaction import Transaction
from lms.people.tables import app_user


@dataclass(frozen=True, slots=True)
class RoomFor:
    """A room, and what somebody may do in it."""

    row: Row[Any]
    standing: Standing
    hold: Hold
    over: bool
    """Nobody writes any more."""
    title: str
    other_id: UUID | None
    """Of two people: the other."""
    read_seq: int
    """How far they have read."""

    @property
    def is_direct(self) -> bool:
        return self.row.kind is RoomKind.DIRECT


@dataclass(frozen=True, slots=True)
class _Place:
    """What a room belongs to, for somebody."""

    standing: Standing
    title: str = ""
    over: bool = False
    other_id: UUID | None = None


_NOWHERE: Final = _Place(Standing.NOTHING)


async def room_to_read(transaction: Transaction, caller: Caller, room_id: UUID) -> RoomFor:
    """Return a room that the caller reads; raises ProblemError (`not_found`, `banned`)."""
    ask_member_ahead(transaction, room_id, caller.user_id)
    ask_ties_ahead(transaction, caller.user_id)
    row = await find_room(transaction, room_id)
    found = None if row is None else await room_for(transaction, row, caller.user_id, permissions_of(caller.roles))
    if found is None:
        raise not_found(THE_ROOM)
    if found.hold.banned and not found.is_direct:
        raise ProblemError(BANNED, rule="banned")
    return found


async def room_to_write(transaction: Transaction, caller: Caller, room_id: UUID) -> RoomFor:
    """Return a room in which the caller may write now; raises ProblemError."""
    found = await room_to_read(transaction, caller, room_id)
    check_writing(found, transaction)
    return found


async def room_to_moderate(transaction: Transaction, caller: Caller, room_id: UUID) -> RoomFor:
    """Return a room in which the caller keeps order; raises ProblemError."""
    found = await room_to_read(transaction, caller, room_id)
    if found.standing < Standing.MODERATE:
        raise ProblemError(FORBIDDEN, rule="moderate")
    return found


def check_writing(found: RoomFor, transaction: Transaction) -> None:
    """Raise ProblemError unless they may write now."""
    if found.standing < Standing.WRITE:
        raise ProblemError(FORBIDDEN, rule="write")
    obstacle = obstacle_to_writing(
        found.standing, found.hold, locked=found.row.locked, over=found.over, now=transaction.now
    )
    match obstacle:
        case None:
            return
        case Obstacle.MUTED:
            assert found.hold.muted_until is not None, "who is muted is so until some time"
            raise ProblemError(MUTED, rule="muted", until=same(found.hold.muted_until.isoformat()))
        case Obstacle.BANNED:
            raise ProblemError(BANNED, rule="banned")
        case Obstacle.OVER:
            raise ProblemError(ROOM_OVER, rule="over")
        case Obstacle.LOCKED:
            raise ProblemError(ROOM_LOCKED, rule="locked")


async def room_for(transaction: Transaction, row: Row[Any], user_id: UUID, permissions: Permissions) -> RoomFor | None:
    """Return a room for somebody, None if it is none of theirs."""
    place = await _place(transaction, row, user_id, permissions)
    if place.standing is Standing.NOTHING:
        return None
    member = await find_member(transaction, row.id, user_id)
    hold = Hold() if member is None else Hold(member.muted_until, banned=member.banned_at is not None)
    return RoomFor(
        row=row,
        standing=place.standing,
        hold=hold,
        over=place.over,
        title=place.title,
        other_id=place.other_id,
        read_seq=0 if member is None else member.last_read_seq,
    )


async def standing_of(transaction: Transaction, row: Row[Any], user_id: UUID) -> tuple[Standing, Permissions]:
    """Return what somebody else may do in a room, and their permissions; nothing, if there is nobody of that id."""
    account = await read_standing(transaction, user_id)
    if account is None:
        return Standing.NOTHING, frozenset()
    permissions = permissions_of(account.roles)
    return (await _place(transaction, row, user_id, permissions)).standing, permissions


async def _place(transaction: Transaction, row: Row[Any], user_id: UUID, permissions: Permissions) -> _Place:
    match row.kind:
        case RoomKind.COURSE:
            return await _in_course(transaction, row.ref_id, user_id, permissions)
        case RoomKind.GROUP:
            return await _in_group(transaction, row.ref_id, user_id, permissions)
        case RoomKind.RUN:
            return await _in_run(transaction, row.ref_id, user_id, permissions)
        case RoomKind.STAFF:
            return _Place(standing_among_staff(permissions))
        case _:
            return await _of_two(transaction, row, user_id, permissions)


async def _in_course(transaction: Transaction, course_id: UUID, user_id: UUID, permissions: Permissions) -> _Place:
    course = await find_course(transaction, course_id)
    if course is None:
        return _NOWHERE
    ties = await ties_of(transaction, course_id, user_id)
    standing = standing_in_course(permissions, ties, course.status)
    return _Place(standing, course.title, over=course.status is CourseStatus.ARCHIVED)


async def _in_group(transaction: Transaction, group_id: UUID, user_id: UUID, permissions: Permissions) -> _Place:
    group = await transaction.first(
        select(course_group.c.course_id, course_group.c.name).where(
            course_group.c.org_id == transaction.org_id, course_group.c.id == group_id
        )
    )
    course = None if group is None else await find_course(transaction, group.course_id)
    if group is None or course is None:
        return _NOWHERE
    ties = await ties_of(transaction, course.id, user_id)
    in_group = group_id in await groups_of(transaction, user_id, [group_id])
    standing = standing_in_group(permissions, ties, course.status, in_group=in_group)
    return _Place(standing, group.name, over=course.status is CourseStatus.ARCHIVED)


async def _in_run(transaction: Transaction, run_id: UUID, user_id: UUID, permissions: Permissions) -> _Place:
    run = await transaction.first(
        select(class_run.c.class_id, class_run.c.ended_at).where(
            class_run.c.org_id == transaction.org_id, class_run.c.id == run_id
        )
    )
    held = None if run is None else await find_class(transaction, run.class_id)
    if run is None or held is None:
        return _NOWHERE
    ties = (await class_ties(transaction, user_id, [held]))[held.id]
    standing = standing_in_run(permissions, seat_of(permissions, ties))
    return _Place(standing, held.title, over=run.ended_at is not None)


async def _of_two(transaction: Transaction, row: Row[Any], user_id: UUID, permissions: Permissions) -> _Place:
    two = (row.direct_low, row.direct_high)
    if user_id not in two:
        return _NOWHERE
    other_id = two[1] if two[0] == user_id else two[0]
    name = await transaction.value(
        select(app_user.c.display_name).where(app_user.c.org_id == transaction.org_id, app_user.c.id == other_id)
    )
    return _Place(standing_of_two(permissions, is_one_of_them=True), str(name), other_id=other_id)
