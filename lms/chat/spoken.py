"""Chat by WebSocket: the messages of clients, each one an endpoint's act in fewer words."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from lms.api.phrases import Phrase
from lms.api.problems import ProblemError, bad_field
from lms.api.rate_limits import Limit
from lms.chat.access import check_writing, room_to_read
from lms.chat.events import CommunityJoined, CommunityLeft, CommunityTyping, PrivateTyping
from lms.chat.messages import BodyText, ClientId, Count, Emoji, Moment, SendMessage, Sent
from lms.chat.opening import open_room
from lms.chat.problems import TOO_MANY
from lms.chat.reading import mark_read
from lms.chat.rules import RoomKind
from lms.chat.writing import Writer
from lms.live.events import encode_event
from lms.live.speech import Conversation, Spoken
from lms.parts import Parts


class Join(Spoken, frozen=True, kw_only=True):
    """Hear of everything in a room."""

    room_id: UUID
    after: Count | None = None
    """The last `change` that you were told of it: what you missed is told again."""


class InRoom(Spoken, frozen=True, kw_only=True):
    """A room."""

    room_id: UUID


class Say(Spoken, frozen=True, kw_only=True):
    """A message to a room."""

    room_id: UUID
    body: BodyText
    client_id: ClientId
    reply_to: UUID | None = None
    client_at: Moment | None = None


class SayToOne(Spoken, frozen=True, kw_only=True):
    """A message to one person; the room of the two is made by it."""

    user_id: UUID | None = None
    room_id: UUID | None = None
    """Instead of `user_id`, once you know it."""
    body: BodyText
    client_id: ClientId
    reply_to: UUID | None = None
    client_at: Moment | None = None


class Edit(Spoken, frozen=True, kw_only=True):
    """Another text."""

    room_id: UUID
    message_id: UUID
    body: BodyText
    edits: Count | None = None


class Delete(Spoken, frozen=True, kw_only=True):
    """A message is to go."""

    room_id: UUID
    message_id: UUID


class React(Spoken, frozen=True, kw_only=True):
    """An emoji, or no more."""

    room_id: UUID
    message_id: UUID
    emoji: Emoji
    on: bool = True


class Read(Spoken, frozen=True, kw_only=True):
    """How far you have read."""

    room_id: UUID
    seq: Annotated[int, Meta(ge=0, le=1 << 53)]


class ChatSpeech:
    """Adds chat to what can be said."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live = parts.live
        self._database = parts.database
        self._writer = Writer(parts.ids, parts.live)

    def add(self) -> None:
        """Add every message; those of both kinds of rooms do the same."""
        speech = self._live.speech
        speech.on("community:join", Join, self._join)
        speech.on("community:leave", InRoom, self._leave)
        speech.on("community:message", Say, self._say)
        speech.on("private:message", SayToOne, self._say_to_one)
        for kind in ("community", "private"):
            speech.on(f"{kind}:edit", Edit, self._edit)
            speech.on(f"{kind}:delete", Delete, self._delete)
            speech.on(f"{kind}:react", React, self._react)
            speech.on(f"{kind}:read", Read, self._read)
            speech.on(f"{kind}:typing", InRoom, self._typing)

    async def _join(self, conversation: Conversation, said: Join) -> CommunityJoined:
        connection, caller = conversation.connection, conversation.caller
        most = self._live.settings.rooms
        if said.room_id not in connection.rooms and len(connection.rooms) >= most:
            raise ProblemError(TOO_MANY, field="room_id", value=most, rule="count", what=Phrase("rooms", "الغرف"))
        async with self._database.read(caller.org_id) as transaction:
            row = (await room_to_read(transaction, caller, said.room_id)).row
        present = tuple(self._live.presence.present_in(caller.org_id, row.id))
        joined = CommunityJoined(room_id=row.id, change=row.change, last_seq=row.last_seq, present=present)
        connection.send(encode_event(joined))
        await self._live.hub.join(connection, row.id, row.change, said.after)
        self._live.refresh(connection)
        return joined

    async def _leave(self, conversation: Conversation, said: InRoom) -> None:
        connection = conversation.connection
        if self._live.hub.drop(connection, said.room_id):
            connection.send(encode_event(CommunityLeft(room_id=said.room_id, reason="left")))
            self._live.refresh(connection)

    async def _say(self, conversation: Conversation, said: Say) -> Sent:
        return await self._send(conversation, said.room_id, said)

    async def _say_to_one(self, conversation: Conversation, said: SayToOne) -> Sent:
        if (said.user_id is None) is (said.room_id is None):
            raise bad_field(
                "user_id",
                said.user_id and str(said.user_id),
                Phrase("either user_id or room_id", "إما user_id وإما room_id"),
                "one_of",
            )
        if said.room_id is not None:
            return await self._send(conversation, said.room_id, said)
        await self._count(conversation)
        async with self._database.write(conversation.caller.org_id) as transaction:
            room = await open_room(transaction, conversation.caller, self._parts.ids, RoomKind.DIRECT, said.user_id)
            asked = _asked(said)
            message, duplicate = await self._writer.send(transaction, conversation.caller, room.row.id, asked)
        return Sent(message=message, duplicate=duplicate)

    async def _send(self, conversation: Conversation, room_id: UUID, said: Say | SayToOne) -> Sent:
        await self._count(conversation)
        async with self._database.write(conversation.caller.org_id) as transaction:
            message, duplicate = await self._writer.send(transaction, conversation.caller, room_id, _asked(said))
        return Sent(message=message, duplicate=duplicate)

    async def _edit(self, conversation: Conversation, said: Edit) -> Any:
        await self._count(conversation)
        async with self._database.write(conversation.caller.org_id) as transaction:
            return await self._writer.edit(
                transaction, conversation.caller, said.room_id, said.message_id, said.body, said.edits
            )

    async def _delete(self, conversation: Conversation, said: Delete) -> Any:
        await self._count(conversation)
        async with self._database.write(conversation.caller.org_id) as transaction:
            return await self._writer.delete(transaction, conversation.caller, said.room_id, said.message_id)

    async def _react(self, conversation: Conversation, said: React) -> Any:
        await self._count(conversation)
        async with self._database.write(conversation.caller.org_id) as transaction:
            return await self._writer.react(
                transaction, conversation.caller, said.room_id, said.message_id, said.emoji, on=said.on
            )

    async def _read(self, conversation: Conversation, said: Read) -> Any:
        async with self._database.write(conversation.caller.org_id) as transaction:
            return await mark_read(transaction, self._live, conversation.caller, said.room_id, said.seq)

    async def _typing(self, conversation: Conversation, said: InRoom) -> None:
        caller = conversation.caller
        async with self._database.read(caller.org_id) as transaction:
            found = await room_to_read(transaction, caller, said.room_id)
            check_writing(found, transaction)
        event = PrivateTyping if found.is_direct else CommunityTyping
        told = event(room_id=said.room_id, user_id=caller.user_id, name=caller.name)
        self._live.say_in_room(caller.org_id, told, said.room_id, but=caller.user_id)

    async def _count(self, conversation: Conversation) -> None:
        await self._parts.server.count((Limit.CHAT.value, str(conversation.caller.user_id)))


def _asked(said: Say | SayToOne) -> SendMessage:
    return SendMessage(body=said.body, client_id=said.client_id, reply_to=said.reply_to, client_at=said.client_at)
