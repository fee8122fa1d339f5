"""Chat from queues of devices: the same acts as by endpoints and WebSockets."""

from __future__ import annotations

from uuid import UUID

from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.api.rate_limits import Limit
from lms.chat.messages import BodyText, ClientId, Count, Emoji, Message, Moment, ReadMark, SendMessage
from lms.chat.reading import mark_read
from lms.chat.writing import Writer
from lms.database.transaction import Transaction
from lms.live.live import Live
from lms.sync.registry import Operations
from webapi.shapes import Answer, Request


class QueuedMessage(Request, frozen=True, kw_only=True):
    """A message that was written offline."""

    room_id: UUID
    body: BodyText
    client_id: ClientId
    reply_to: UUID | None = None
    client_at: Moment | None = None


class QueuedEdit(Request, frozen=True, kw_only=True):
    """A message's new text."""

    room_id: UUID
    message_id: UUID
    body: BodyText
    edits: Count | None = None
    """Of the message that was seen: another text meanwhile is a conflict, and the server's stays."""


class QueuedDeletion(Request, frozen=True, kw_only=True):
    """A message that is to go."""

    room_id: UUID
    message_id: UUID


class QueuedReaction(Request, frozen=True, kw_only=True):
    """An emoji, or no more."""

    room_id: UUID
    message_id: UUID
    emoji: Emoji
    on: bool = True


class QueuedRead(Request, frozen=True, kw_only=True):
    """How far somebody has read."""

    room_id: UUID
    seq: Count


class MessagePlace(Answer, frozen=True, kw_only=True):
    """Which message it is, and where. Not what it says: results are kept, and texts may be deleted."""

    message_id: UUID
    room_id: UUID
    seq: int
    change: int
    edits: int


class ChatQueue:
    """Adds chat to what can be done from queues."""

    def __init__(self, operations: Operations, writer: Writer, live: Live) -> None:
        self._operations = operations
        self._writer = writer
        self._live = live

    def add(self) -> None:
        """Add every operation."""
        access, limit = Permission.CHAT, Limit.CHAT
        self._operations.add("chat.send", QueuedMessage, self._send, access=access, limit=limit)
        self._operations.add("chat.edit", QueuedEdit, self._edit, access=access, limit=limit)
        self._operations.add("chat.delete", QueuedDeletion, self._delete, access=access, limit=limit)
        self._operations.add("chat.react", QueuedReaction, self._react, access=access, limit=limit)
        self._operations.add("chat.read", QueuedRead, self._read, access=access)

    async def _send(self, transaction: Transaction, caller: Caller, body: QueuedMessage) -> MessagePlace:
        asked = SendMessage(body=body.body, client_id=body.client_id, reply_to=body.reply_to, client_at=body.client_at)
        message, _ = await self._writer.send(transaction, caller, body.room_id, asked)
        return _place(message)

    async def _edit(self, transaction: Transaction, caller: Caller, body: QueuedEdit) -> MessagePlace:
        message = await self._writer.edit(transaction, caller, body.room_id, body.message_id, body.body, body.edits)
        return _place(message)

    async def _delete(self, transaction: Transaction, caller: Caller, body: QueuedDeletion) -> MessagePlace:
        message, _ = await self._writer.delete(transaction, caller, body.room_id, body.message_id)
        return _place(message)

    async def _react(self, transaction: Transaction, caller: Caller, body: QueuedReaction) -> MessagePlace:
        message = await self._writer.react(transaction, caller, body.room_id, body.message_id, body.emoji, on=body.on)
        return _place(message)

    async def _read(self, transaction: Transaction, caller: Caller, body: QueuedRead) -> ReadMark:
        return await mark_read(transaction, self._live, caller, body.room_id, body.seq)


def _place(message: Message) -> MessagePlace:
    return MessagePlace(
        message_id=message.id,
        room_id=message.room_id,
        seq=message.seq,
        change=message.change,
        edits=message.edits,
    )
