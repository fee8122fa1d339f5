"""Rooms and messages as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Executable, Row, Select, and_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from lms.access.roles import Permission
from lms.chat.rules import RoomKind
from lms.chat.tables import chat_member, chat_message, chat_reaction, chat_room
from lms.classes.store import seen_with
from lms.classes.tables import class_run, live_class
from lms.courses.rules import CourseRole, CourseStatus, Permissions
from lms.courses.store import tied_courses
from lms.courses.tables import course, course_group, group_member
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.people.tables import app_user

_TEACHING: Final = (CourseRole.TEACHER, CourseRole.TA)
_OF_MEMBER: Final = ("org_id", "room_id", "user_id")


async def find_room(transaction: Transaction, room_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """Return a room, None if there is none; `lock`: nothing is written in it until the transaction ends."""
    return await transaction.first(_room(transaction.org_id, room_id, locked=lock))


@prepared
def _room(org_id: Any, room_id: Any, *, locked: bool) -> Select[Any]:
    statement = select(chat_room).where(chat_room.c.org_id == org_id, chat_room.c.id == room_id)
    return statement.with_for_update() if locked else statement


async def find_room_of(transaction: Transaction, kind: RoomKind, ref_id: UUID) -> Row[Any] | None:
    """Return the room of a run, course, group or staff."""
    return await transaction.first(_room_of(transaction.org_id, ref_id, kind=kind))


@prepared
def _room_of(org_id: Any, ref_id: Any, *, kind: RoomKind) -> Select[Any]:
    return select(chat_room).where(chat_room.c.org_id == org_id, chat_room.c.kind == kind, chat_room.c.ref_id == ref_id)


async def find_room_of_two(transaction: Transaction, one: UUID, other: UUID) -> Row[Any] | None:
    """Return the room of two people, in whichever order they are named."""
    low, high = sorted((one, other))
    return await transaction.first(
        select(chat_room).where(
            chat_room.c.org_id == transaction.org_id,
            chat_room.c.kind == RoomKind.DIRECT,
            chat_room.c.direct_low == low,
            chat_room.c.direct_high == high,
        )
    )


async def insert_room(transaction: Transaction, room_id: UUID, values: Mapping[str, Any]) -> None:
    """Make a room, unless somebody else has made it at the same moment."""
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    whole = {
        "org_id": transaction.org_id,
        "id": room_id,
        "last_seq": 0,
        "change": 0,
        "room_change": 0,
        "cleared_seq": 0,
        "locked": False,
        "created_at": transaction.now,
        "active_at": transaction.now,
        **values,
    }
    await transaction.execute(upsert(chat_room).values(whole).on_conflict_do_nothing())


async def find_member(transaction: Transaction, room_id: UUID, user_id: UUID) -> Row[Any] | None:
    """Return what is kept of somebody in a room."""
    return await transaction.first(_member(transaction.org_id, room_id, user_id))


def ask_member_ahead(transaction: Transaction, room_id: UUID, user_id: UUID) -> None:
    """Have what is kept of somebody in a room be asked with whatever is asked next."""
    transaction.ahead(_member(transaction.org_id, room_id, user_id))


def ask_room_of_ahead(transaction: Transaction, kind: RoomKind, ref_id: UUID) -> None:
    """Have a room be asked for with whatever is asked next."""
    transaction.ahead(_room_of(transaction.org_id, ref_id, kind=kind))


@prepared
def _member(org_id: Any, room_id: Any, user_id: Any) -> Select[Any]:
    return select(chat_member).where(
        chat_member.c.org_id == org_id, chat_member.c.room_id == room_id, chat_member.c.user_id == user_id
    )


async def banned_from(transaction: Transaction, user_id: UUID, room_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return from which of these rooms somebody is banned."""
    rows = await transaction.rows(_banned_from(transaction.org_id, user_id, list(room_ids)))
    return frozenset(row.room_id for row in rows)


@prepared(lists=("room_ids",))
def _banned_from(org_id: Any, user_id: Any, room_ids: Any) -> Select[Any]:
    return select(chat_member.c.room_id).where(
        chat_member.c.org_id == org_id,
        chat_member.c.user_id == user_id,
        chat_member.c.room_id.in_(room_ids),
        chat_member.c.banned_at.is_not(None),
    )


async def write_member(transaction: Transaction, room_id: UUID, user_id: UUID, values: Mapping[str, Any]) -> None:
    """Keep something of somebody in a room."""
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    whole = {"org_id": transaction.org_id, "room_id": room_id, "user_id": user_id, "last_read_seq": 0, **values}
    await transaction.execute(
        upsert(chat_member).values(whole).on_conflict_do_update(index_elements=_OF_MEMBER, set_=dict(values))
    )


async def write_read_mark(transaction: Transaction, room_id: UUID, user_id: UUID, seq: int) -> None:
    """Note that somebody has read so far, now."""
    kept = _read_mark(transaction.org_id, room_id, user_id, seq, transaction.now, postgres=transaction.is_postgresql)
    await transaction.later(kept)


@prepared
def _read_mark(of_org: Any, of_room: Any, of_user: Any, seq: Any, at: Any, *, postgres: bool) -> Executable:
    upsert: Any = (postgresql.insert if postgres else sqlite.insert)(chat_member)
    place = {"org_id": of_org, "room_id": of_room, "user_id": of_user}
    new = {"last_read_seq": upsert.excluded.last_read_seq, "last_read_at": upsert.excluded.last_read_at}
    made: Executable = upsert.values({**place, "last_read_seq": seq, "last_read_at": at}).on_conflict_do_update(
        index_elements=_OF_MEMBER, set_=new
    )
    return made


def messages_statement(transaction: Transaction, room_id: UUID) -> Select[Any]:
    """Return a statement for the messages of a room, with their senders' names."""
    return messages_in(transaction.org_id, room_id)


def messages_in(org_id: Any, room_id: Any) -> Select[Any]:
    """Return the same statement for values, or for parameters of a prepared one."""
    sender = (app_user.c.org_id == chat_message.c.org_id) & (app_user.c.id == chat_message.c.sender_id)
    return (
        select(chat_message, app_user.c.display_name.label("sender_name"))
        .outerjoin(app_user, sender)
        .where(chat_message.c.org_id == org_id, chat_message.c.room_id == room_id)
    )


async def find_message(transaction: Transaction, room_id: UUID, message_id: UUID) -> Row[Any] | None:
    """Return a message of a room, None if there is none."""
    return await transaction.first(_message(transaction.org_id, room_id, message_id))


@prepared
def _message(org_id: Any, room_id: Any, message_id: Any) -> Select[Any]:
    return messages_in(org_id, room_id).where(chat_message.c.id == message_id)


async def message_at(transaction: Transaction, room_id: UUID, seq: int) -> Row[Any] | None:
    """Return the message of a room that has this number, None if there is none."""
    return await transaction.first(_message_at(transaction.org_id, room_id, seq))


@prepared
def _message_at(org_id: Any, room_id: Any, seq: Any) -> Select[Any]:
    return messages_in(org_id, room_id).where(chat_message.c.seq == seq)


async def messages_at(transaction: Transaction, places: Collection[tuple[UUID, int]]) -> Sequence[Row[Any]]:
    """Return the messages at these places (room, seq)."""
    if not places:
        return ()
    sender = (app_user.c.org_id == chat_message.c.org_id) & (app_user.c.id == chat_message.c.sender_id)
    return await transaction.rows(
        select(chat_message, app_user.c.display_name.label("sender_name"))
        .outerjoin(app_user, sender)
        .where(
            chat_message.c.org_id == transaction.org_id,
            tuple_(chat_message.c.room_id, chat_message.c.seq).in_(list(places)),
        )
    )


async def reactions_of(transaction: Transaction, message_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Return the reactions to these messages, in the order in which they were given."""
    if not message_ids:
        return ()
    return await transaction.rows(_reactions(transaction.org_id, list(message_ids)))


@prepared(lists=("message_ids",))
def _reactions(org_id: Any, message_ids: Any) -> Select[Any]:
    return (
        select(chat_reaction)
        .where(chat_reaction.c.org_id == org_id, chat_reaction.c.message_id.in_(message_ids))
        .order_by(chat_reaction.c.created_at, chat_reaction.c.user_id, chat_reaction.c.emoji)
    )


def rooms_of(transaction: Transaction, user_id: UUID, permissions: Permissions) -> ColumnElement[bool]:
    """Return the condition for rooms that are somebody's own: the same as `lms.chat.rules`, for lists.

    Those who run the school may enter every room; theirs are those that they have to do with.
    """
    return rooms_with(transaction.org_id, user_id, transaction.now, permissions)


def rooms_with(org_id: Any, user_id: Any, now: Any, permissions: Permissions) -> ColumnElement[bool]:
    """Return the same condition for values, or for parameters of a prepared statement."""
    tied = tied_courses(org_id, user_id, now)
    courses, groups = _own_courses(org_id, tied), _own_groups(org_id, user_id, tied)
    runs = _own_runs(org_id, user_id, tied, permissions)
    ways: list[ColumnElement[bool]] = [
        or_(chat_room.c.direct_low == user_id, chat_room.c.direct_high == user_id),
        and_(chat_room.c.kind == RoomKind.COURSE, chat_room.c.ref_id.in_(courses)),
        and_(chat_room.c.kind == RoomKind.GROUP, chat_room.c.ref_id.in_(groups)),
        and_(chat_room.c.kind == RoomKind.RUN, chat_room.c.ref_id.in_(runs)),
    ]
    if Permission.CHAT_STAFF in permissions:
        ways.append(chat_room.c.kind == RoomKind.STAFF)
    return and_(chat_room.c.org_id == org_id, or_(*ways))


def moderated_rooms(transaction: Transaction, user_id: UUID) -> Select[Any]:
    """Return a statement for the ids of rooms in which somebody keeps order because they teach there."""
    tied = tied_courses(transaction.org_id, user_id, transaction.now)
    taught = select(tied.c.course_id).where(tied.c.role.in_(_TEACHING))
    hosted = (
        select(class_run.c.id)
        .join(live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id))
        .where(class_run.c.org_id == transaction.org_id, live_class.c.host_id == user_id)
    )
    return select(chat_room.c.id).where(
        chat_room.c.org_id == transaction.org_id,
        or_(chat_room.c.course_id.in_(taught), and_(chat_room.c.kind == RoomKind.RUN, chat_room.c.ref_id.in_(hosted))),
    )


async def missing_rooms(transaction: Transaction, user_id: UUID, permissions: Permissions) -> list[dict[str, Any]]:
    """Return what the rooms would be that are somebody's own and were never opened."""
    tied = tied_courses(transaction.org_id, user_id, transaction.now)
    made: list[dict[str, Any]] = []
    courses = await transaction.rows(
        _own_courses(transaction.org_id, tied).where(course.c.id.not_in(_refs(transaction, RoomKind.COURSE))).distinct()
    )
    made += [{"kind": RoomKind.COURSE, "ref_id": row.id, "course_id": row.id} for row in courses]
    groups = await transaction.rows(
        _own_groups(transaction.org_id, user_id, tied)
        .add_columns(course_group.c.course_id)
        .where(course_group.c.id.not_in(_refs(transaction, RoomKind.GROUP)))
    )
    made += [{"kind": RoomKind.GROUP, "ref_id": row.id, "course_id": row.course_id} for row in groups]
    if Permission.CHAT_STAFF in permissions:
        org_id = transaction.org_id
        if await find_room_of(transaction, RoomKind.STAFF, org_id) is None:
            made.append({"kind": RoomKind.STAFF, "ref_id": org_id, "course_id": None})
    return made


def _refs(transaction: Transaction, kind: RoomKind) -> Select[Any]:
    return select(chat_room.c.ref_id).where(chat_room.c.org_id == transaction.org_id, chat_room.c.kind == kind)


def _own_courses(org_id: Any, tied: CTE) -> Select[Any]:
    """Those that somebody teaches, and those that they study in once they are no drafts."""
    return (
        select(course.c.id)
        .join(tied, tied.c.course_id == course.c.id)
        .where(
            course.c.org_id == org_id,
            course.c.deleted_at.is_(None),
            or_(
                tied.c.role.in_(_TEACHING),
                and_(tied.c.role == CourseRole.STUDENT, course.c.status != CourseStatus.DRAFT),
            ),
        )
    )


def _own_groups(org_id: Any, user_id: Any, tied: CTE) -> Select[Any]:
    taught = select(tied.c.course_id).where(tied.c.role.in_(_TEACHING))
    studied = select(group_member.c.group_id).where(group_member.c.org_id == org_id, group_member.c.user_id == user_id)
    return select(course_group.c.id).where(
        course_group.c.org_id == org_id,
        course_group.c.course_id.in_(_own_courses(org_id, tied)),
        or_(course_group.c.course_id.in_(taught), course_group.c.id.in_(studied)),
    )


def _own_runs(org_id: Any, user_id: Any, tied: CTE, permissions: Permissions) -> Select[Any]:
    own = permissions - {Permission.COURSES_READ_ALL}
    return (
        select(class_run.c.id)
        .join(live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id))
        .where(
            class_run.c.org_id == org_id,
            live_class.c.org_id == org_id,
            seen_with(org_id, user_id, tied, own),
        )
    )
