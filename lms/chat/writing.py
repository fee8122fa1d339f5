"""What people do in rooms: send, edit, delete, react, pin. In the caller's transaction, and told once it is committed.

The room's row counts messages and changes, and is held from the count to the commit: so numbers have no holes, and
every reader sees one order. Who writes in a room at the same time waits there, for a millisecond or two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Executable, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, ProblemError, not_found
from lms.chat.access import RoomFor, check_writing, room_to_read
from lms.chat.events import CommunityReaction, PrivateReaction, message_event
from lms.chat.messages import Message, SendMessage
from lms.chat.problems import CLIENT_ID_REUSED, MESSAGE_CONFLICT, MESSAGE_DELETED, THE_MESSAGE, THE_REPLIED_TO, TOO_MANY
from lms.chat.rules import may_delete, may_edit, may_pin
from lms.chat.store import find_message, message_at, write_read_mark
from lms.chat.tables import MessageKind, chat_message, chat_reaction, chat_revision, chat_room
from lms.chat.views import message_view, new_message_view
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.live.live import Live
from lms.people.tables import app_user
from lms.text import search_form

PINS_MAX: Final = 50
"""Of a room: all are shown at once."""
EMOJIS_MAX: Final = 20
"""Different ones under one message."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a room after a change; nobody else changes it until the transaction ends."""

    seq: int
    change: int


class Writer:
    """Writes in rooms, for endpoints, WebSockets and offline queues alike."""

    def __init__(self, ids: Ids, live: Live) -> None:
        self._ids = ids
        self._live = live

    async def send(
        self, transaction: Transaction, caller: Caller, room_id: UUID, asked: SendMessage
    ) -> tuple[Message, bool]:
        """Send a message; return it, and whether it was there already. Raises ProblemError."""
        transaction.ahead(_sent_as(transaction.org_id, caller.user_id, asked.client_id))
        found = await room_to_read(transaction, caller, room_id)
        asked_hash = _hash(room_id, asked)
        earlier = await self._earlier(transaction, caller, asked, asked_hash)
        if earlier is not None:  # also where the sender may not write any more: it was taken
            return earlier, True
        check_writing(found, transaction)
        if asked.reply_to is not None and await find_message(transaction, room_id, asked.reply_to) is None:
            raise not_found(THE_REPLIED_TO)
        await transaction.later(_count(transaction.org_id, room_id, transaction.now, messages=1, changes=1))
        values = {
            "id": self._ids.new(),
            "sender_id": caller.user_id,
            "client_id": asked.client_id,
            "client_hash": asked_hash,
            "client_at": asked.client_at,
            "kind": MessageKind.TEXT,
            "body": asked.body,
            "reply_to": asked.reply_to,
        }
        inserted = await _insert_message(transaction, room_id, values)
        if inserted is None:
            # The same message by another connection, while this one waited for the room: give the number back.
            await count(transaction, room_id, messages=-1)
            earlier = await self._earlier(transaction, caller, asked, asked_hash)
            assert earlier is not None, "it was in the way"
            return earlier, True
        if max(found.read_seq, found.row.cleared_seq) >= inserted.seq - 1:  # one's own message is not unread
            await write_read_mark(transaction, room_id, caller.user_id, inserted.seq)
        return await self._tell(transaction, found.row, new_message_view(inserted)), False

    async def say(self, transaction: Transaction, room: Row[Any], body: str) -> Message:
        """Have the service itself say something in a room: a word for programs, e.g. `class.ended`."""
        await transaction.later(_count(transaction.org_id, room.id, transaction.now, messages=1, changes=1))
        values = {"id": self._ids.new(), "kind": MessageKind.SYSTEM, "body": body}
        inserted = await _insert_message(transaction, room.id, values)
        assert inserted is not None, "what the service says has no client id that could be taken"
        return await self._tell(transaction, room, new_message_view(inserted))

    async def edit(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID, body: str, edits: int | None
    ) -> Message:
        """Change the text of one's own message; `edits`: only if it was changed so often. Raises ProblemError."""
        found, message = await self._message(transaction, caller, room_id, message_id)
        is_author = message.sender_id == caller.user_id
        check_writing(found, transaction)
        if not may_edit(is_author=is_author, age_s=(transaction.now - message.created_at).total_seconds()):
            raise ProblemError(FORBIDDEN, rule="edit_within_a_day" if is_author else "own_message")
        counted = await count(transaction, room_id)
        message = await self._again(transaction, room_id, message_id)
        if edits is not None and edits != message.edits:
            now_there = await message_view(transaction, message)
            raise ProblemError(
                MESSAGE_CONFLICT, field="edits", value=edits, rule="version", current=message.edits,
                message=msgspec.to_builtins(now_there),
            )  # fmt: skip
        await transaction.execute(
            insert(chat_revision).values(
                org_id=transaction.org_id, message_id=message_id, number=message.edits, body=message.body,
                replaced_at=transaction.now,
            )
        )  # fmt: skip
        await _update(
            transaction, room_id, message.seq, body=body, search_key=search_form(body), edits=message.edits + 1,
            edited_at=transaction.now, change=counted.change,
        )  # fmt: skip
        return await self._told(transaction, found.row, message_id)

    async def delete(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID
    ) -> tuple[Message, bool]:
        """Delete a message; return what is left, and whether it was another's. Raises ProblemError."""
        found, message = await self._message(transaction, caller, room_id, message_id, deleted_too=True)
        is_author = message.sender_id == caller.user_id
        if not may_delete(found.standing, found.row.kind, is_author=is_author):
            raise ProblemError(FORBIDDEN, rule="own_message")
        if message.deleted_at is not None:
            return await message_view(transaction, message), False
        counted = await count(transaction, room_id)
        await _update(
            transaction, room_id, message.seq, body="", search_key="", deleted_at=transaction.now,
            deleted_by=caller.user_id, pinned_at=None, pinned_by=None, change=counted.change,
        )  # fmt: skip
        for table in (chat_revision, chat_reaction):
            await transaction.execute(
                delete(table).where(table.c.org_id == transaction.org_id, table.c.message_id == message_id)
            )
        return await self._told(transaction, found.row, message_id), not is_author

    async def react(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID, emoji: str, *, on: bool
    ) -> Message:
        """Put an emoji under a message, or take it back; raises ProblemError."""
        found, message = await self._message(transaction, caller, room_id, message_id)
        check_writing(found, transaction)
        counted = await count(transaction, room_id)
        own: dict[str, Any] = {"message_id": message_id, "user_id": caller.user_id, "emoji": emoji}
        if not await _set_reaction(transaction, own, on=on):
            await count(transaction, room_id, changes=-1)  # nothing was changed
            return await message_view(transaction, await self._again(transaction, room_id, message_id))
        await _update(transaction, room_id, message.seq, change=counted.change)
        view = await message_view(transaction, await self._again(transaction, room_id, message_id))
        if len(view.reactions) > EMOJIS_MAX:
            raise ProblemError(
                TOO_MANY,
                field="emoji",
                value=EMOJIS_MAX,
                rule="count",
                what=Phrase("different emojis", "الرموز التعبيرية المختلفة"),
            )
        total = next((each.count for each in view.reactions if each.emoji == emoji), 0)
        event: Any = PrivateReaction if found.is_direct else CommunityReaction
        told = event(room_id=room_id, change=counted.change, count=total, on=on, **own)
        await self._live.tell_room(transaction, told, between=two_of(found.row))
        return view

    async def pin(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID, *, on: bool
    ) -> Message:
        """Pin a message, or take it down; raises ProblemError."""
        found, message = await self._message(transaction, caller, room_id, message_id)
        if not may_pin(found.standing, found.row.kind):
            raise ProblemError(FORBIDDEN, rule="moderate")
        counted = await count(transaction, room_id)
        message = await self._again(transaction, room_id, message_id)
        if (message.pinned_at is not None) is on:
            await count(transaction, room_id, changes=-1)
            return await message_view(transaction, message)
        if on and await _count_pins(transaction, room_id) >= PINS_MAX:
            raise ProblemError(
                TOO_MANY, value=PINS_MAX, rule="count", what=Phrase("pinned messages", "الرسائل المثبتة")
            )
        await _update(
            transaction, room_id, message.seq, pinned_at=transaction.now if on else None,
            pinned_by=caller.user_id if on else None, change=counted.change,
        )  # fmt: skip
        return await self._told(transaction, found.row, message_id)

    async def _message(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID, *, deleted_too: bool = False
    ) -> tuple[RoomFor, Row[Any]]:
        found = await room_to_read(transaction, caller, room_id)
        message = await find_message(transaction, room_id, message_id)
        if message is None:
            raise not_found(THE_MESSAGE)
        if message.deleted_at is not None and not deleted_too:
            raise ProblemError(MESSAGE_DELETED)
        return found, message

    @staticmethod
    async def _again(transaction: Transaction, room_id: UUID, message_id: UUID) -> Row[Any]:
        """Return a message as it is now that the room is held; raises ProblemError if it was deleted meanwhile."""
        message = await find_message(transaction, room_id, message_id)
        if message is None or message.deleted_at is not None:
            raise ProblemError(MESSAGE_DELETED)
        return message

    @staticmethod
    async def _earlier(
        transaction: Transaction, caller: Caller, asked: SendMessage, asked_hash: bytes
    ) -> Message | None:
        """Return the message that the sender sent under this name before; raises ProblemError (`client_id_reused`)."""
        row = await transaction.first(_sent_as(transaction.org_id, caller.user_id, asked.client_id))
        if row is None:
            return None
        if row.client_hash != asked_hash:
            raise ProblemError(CLIENT_ID_REUSED, field="client_id", value=asked.client_id, rule="unique")
        message = await message_at(transaction, row.room_id, row.seq)
        assert message is not None, "it was just found"
        return await message_view(transaction, message)

    async def _told(self, transaction: Transaction, room: Row[Any], message_id: UUID) -> Message:
        """Have a message told as it is now, and return it."""
        row = await find_message(transaction, room.id, message_id)
        assert row is not None, "it was just written"
        return await self._tell(transaction, room, await message_view(transaction, row))

    async def _tell(self, transaction: Transaction, room: Row[Any], message: Message) -> Message:
        two = two_of(room)
        await self._live.tell_room(transaction, message_event(message, is_direct=bool(two)), between=two)
        return message


def two_of(room: Row[Any]) -> tuple[UUID, ...]:
    """Return the two people of a direct room; nobody of another."""
    return () if room.direct_low is None else (room.direct_low, room.direct_high)


async def count(transaction: Transaction, room_id: UUID, *, messages: int = 0, changes: int | None = None) -> Counted:
    """Count messages and changes of a room, and hold it until the transaction ends. Negative: what was not needed."""
    by = messages if changes is None and messages else (changes or 1)
    row = await transaction.one(_count(transaction.org_id, room_id, transaction.now, messages=messages, changes=by))
    return Counted(row.last_seq, row.change)


@prepared
def _count(of_org: Any, of_room: Any, now: Any, *, messages: int, changes: int) -> Executable:
    values: dict[str, Any] = {"last_seq": chat_room.c.last_seq + messages, "change": chat_room.c.change + changes}
    if messages > 0:
        values["active_at"] = now
    counted = update(chat_room).where(chat_room.c.org_id == of_org, chat_room.c.id == of_room).values(values)
    return counted.returning(chat_room.c.last_seq, chat_room.c.change)


@prepared
def _sent_as(org_id: Any, sender_id: Any, client_id: Any) -> Executable:
    return select(chat_message.c.room_id, chat_message.c.seq, chat_message.c.client_hash).where(
        chat_message.c.org_id == org_id, chat_message.c.sender_id == sender_id, chat_message.c.client_id == client_id
    )


async def _insert_message(transaction: Transaction, room_id: UUID, values: dict[str, Any]) -> Row[Any] | None:
    """Insert the message that was counted last, and return it with its sender's name.

    None if its sender has one of that client id.
    """
    new = {
        "search_key": "" if values["kind"] is MessageKind.SYSTEM else search_form(values["body"]),
        "edits": 0,
        "created_at": transaction.now,
        **values,
    }
    whole = {"of_org": transaction.org_id, "of_room": room_id, **{_new(name): new.get(name) for name in _GIVEN}}
    statement = _INSERT_POSTGRESQL if transaction.is_postgresql else _INSERT_SQLITE
    return await transaction.first(Prepared(statement, whole))


_GIVEN: Final = (
    *("id", "sender_id", "client_id", "client_hash", "client_at", "kind", "body"),
    *("search_key", "reply_to", "edits", "created_at"),
)


def _new(name: str) -> str:
    return f"new_{name}"


def _insert_once(upsert: Any) -> Any:
    """Return the statement that inserts a message unless its sender has one of that client id: built once.

    Its numbers are those of the room, which whoever counted holds until the end of the transaction.
    """
    org_id: Any = bindparam("of_org")
    room_id: Any = bindparam("of_room")
    of_room = (chat_room.c.org_id == org_id, chat_room.c.id == room_id)
    counts = {
        "seq": select(chat_room.c.last_seq).where(*of_room).scalar_subquery(),
        "change": select(chat_room.c.change).where(*of_room).scalar_subquery(),
    }
    given: dict[str, Any] = {name: bindparam(_new(name)) for name in _GIVEN}
    made = upsert(chat_message).values({"org_id": org_id, "room_id": room_id, **counts, **given})
    sender = select(app_user.c.display_name).where(
        app_user.c.org_id == org_id, app_user.c.id == bindparam(_new("sender_id"))
    )
    return made.on_conflict_do_nothing(index_elements=["org_id", "sender_id", "client_id"]).returning(
        chat_message, sender.scalar_subquery().label("sender_name")
    )


_INSERT_POSTGRESQL: Final = _insert_once(postgresql.insert)
_INSERT_SQLITE: Final = _insert_once(sqlite.insert)


async def _update(transaction: Transaction, room_id: UUID, seq: int, **values: Any) -> None:
    await transaction.execute(
        update(chat_message)
        .where(
            chat_message.c.org_id == transaction.org_id, chat_message.c.room_id == room_id, chat_message.c.seq == seq
        )
        .values(**values)
    )


async def _set_reaction(transaction: Transaction, own: dict[str, Any], *, on: bool) -> bool:
    """Write or delete a reaction; False if that changes nothing."""
    if not on:
        gone = await transaction.execute(
            delete(chat_reaction).where(
                chat_reaction.c.org_id == transaction.org_id,
                *(chat_reaction.c[name] == value for name, value in own.items()),
            )
        )
        return gone.rowcount > 0
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    made = upsert(chat_reaction).values(org_id=transaction.org_id, created_at=transaction.now, **own)
    return await transaction.first(made.on_conflict_do_nothing().returning(chat_reaction.c.emoji)) is not None


async def _count_pins(transaction: Transaction, room_id: UUID) -> int:
    counted = await transaction.value(
        select(func.count())
        .select_from(chat_message)
        .where(
            chat_message.c.org_id == transaction.org_id,
            chat_message.c.room_id == room_id,
            chat_message.c.pinned_at.is_not(None),
        )
    )
    return int(counted)


def _hash(room_id: UUID, asked: SendMessage) -> bytes:
    """Return what tells one message of a sender from another: where it goes, what it says, to what it replies."""
    told = msgspec.json.encode((room_id, asked.body, asked.reply_to))
    return hashlib.sha256(told).digest()
