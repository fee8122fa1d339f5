"""Reading rooms: messages in order, what changed since, rooms with what is unread, and how far somebody has read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, update

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import bad_field
from lms.chat.access import RoomFor, room_for, room_to_read
from lms.chat.events import CommunityRead, PrivateRead
from lms.chat.messages import Message, MessageQuery, ReadMark, Room
from lms.chat.rules import Standing
from lms.chat.store import message_at, messages_at, messages_in, write_member
from lms.chat.tables import chat_member, chat_message
from lms.chat.views import message_view, message_views
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction
from lms.live.live import Live


async def read_messages(transaction: Transaction, room_id: UUID, query: MessageQuery) -> list[Message]:
    """Return messages of a room, in order; raises ProblemError for a question that contradicts itself."""
    asked, forwards = _asked(transaction, room_id, query)
    found = await transaction.rows(asked)
    return await message_views(transaction, found if forwards else found[::-1])


def ask_messages_ahead(transaction: Transaction, room_id: UUID, query: MessageQuery) -> None:
    """Have the same be asked with whatever is asked next; raises the same."""
    transaction.ahead(_asked(transaction, room_id, query)[0])


def _asked(transaction: Transaction, room_id: UUID, query: MessageQuery) -> tuple[Prepared, bool]:
    """Return the statement for messages, and whether it gives them in their order."""
    given = [name for name in ("after", "before", "changed_after") if getattr(query, name) is not None]
    if len(given) > 1:
        raise bad_field(
            given[1], getattr(query, given[1]), Phrase(f"nothing beside {given[0]}", f"لا شيء مع {given[0]}"), "order"
        )
    by = given[0] if given else "latest"
    place = getattr(query, by, None)
    return _page(transaction.org_id, room_id, place, query.limit, by=by), by in {"after", "changed_after"}


@prepared
def _page(org_id: Any, room_id: Any, place: Any, limit: Any, *, by: str) -> Select[Any]:
    """Return the statement for messages by one of four ways: forwards from a place, or backwards."""
    statement = messages_in(org_id, room_id).limit(limit)
    match by:
        case "changed_after":
            return statement.where(chat_message.c.change > place).order_by(chat_message.c.change)
        case "after":
            return statement.where(chat_message.c.seq > place).order_by(chat_message.c.seq)
        case "before":
            return statement.where(chat_message.c.seq < place).order_by(chat_message.c.seq.desc())
        case _:
            return statement.order_by(chat_message.c.seq.desc())


async def room_views(transaction: Transaction, caller: Caller, rows: Sequence[Row[Any]]) -> list[Room]:
    """Return rooms as somebody finds them; those that are not theirs (any more) are left out."""
    last = {row.room_id: row for row in await messages_at(transaction, [(row.id, row.last_seq) for row in rows])}
    permissions = permissions_of(caller.roles)
    views: list[Room] = []
    for row in rows:
        found = await room_for(transaction, row, caller.user_id, permissions)
        if found is not None:
            latest = last.get(row.id)
            message = None if latest is None or found.hold.banned else await message_view(transaction, latest)
            views.append(await _room_view(transaction, found, message))
    return views


async def room_view(transaction: Transaction, found: RoomFor) -> Room:
    """Return a room as somebody finds it."""
    latest = await message_at(transaction, found.row.id, found.row.last_seq) if found.row.last_seq else None
    message = None if latest is None or found.hold.banned else await message_view(transaction, latest)
    return await _room_view(transaction, found, message)


async def mark_read(transaction: Transaction, live: Live, caller: Caller, room_id: UUID, seq: int) -> ReadMark:
    """Note how far somebody has read; it never goes back, and not beyond what there is. Raises ProblemError."""
    found = await room_to_read(transaction, caller, room_id)
    seq = min(seq, found.row.last_seq)
    if seq > found.read_seq:
        if found.read_seq == 0:
            await write_member(transaction, room_id, caller.user_id, {"last_read_at": transaction.now})
        await transaction.execute(
            update(chat_member)
            .where(
                chat_member.c.org_id == transaction.org_id,
                chat_member.c.room_id == room_id,
                chat_member.c.user_id == caller.user_id,
                chat_member.c.last_read_seq < seq,
            )
            .values(last_read_seq=seq, last_read_at=transaction.now)
        )
        unread = _unread(found.row, seq)
        if found.other_id is None:
            read = CommunityRead(room_id=room_id, user_id=caller.user_id, seq=seq, unread=unread)
            await live.tell_users(transaction, [caller.user_id], read)
        else:
            told = PrivateRead(room_id=room_id, user_id=caller.user_id, seq=seq)
            await live.tell_users(transaction, [caller.user_id, found.other_id], told)
    reached = max(seq, found.read_seq)
    return ReadMark(room_id=room_id, seq=reached, unread=_unread(found.row, reached))


def _unread(row: Row[Any], read_seq: int) -> int:
    return max(0, int(row.last_seq) - max(read_seq, int(row.cleared_seq)))


async def _room_view(transaction: Transaction, found: RoomFor, last_message: Message | None) -> Room:
    row = found.row
    other_read = None
    if found.other_id is not None:
        other_read = await transaction.value(
            select(chat_member.c.last_read_seq).where(
                chat_member.c.org_id == transaction.org_id,
                chat_member.c.room_id == row.id,
                chat_member.c.user_id == found.other_id,
            )
        )
    return Room(
        id=row.id,
        kind=row.kind,
        of=row.ref_id,
        course_id=row.course_id,
        title=found.title,
        other_id=found.other_id,
        other_read_seq=None if found.other_id is None else other_read or 0,
        locked=row.locked,
        over=found.over,
        retention_days=row.retention_days,
        last_seq=row.last_seq,
        change=row.change,
        cleared_seq=row.cleared_seq,
        active_at=row.active_at,
        last_message=last_message,
        last_read_seq=found.read_seq,
        unread=_unread(row, found.read_seq),
        standing=Standing(found.standing).name.lower(),
        muted_until=found.hold.muted_until,
        banned=found.hold.banned,
    )
