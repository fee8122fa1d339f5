"""/api/v1/rooms/{room_id}/messages: read, send, edit, delete, react and pin."""

from __future__ import annotations

from typing import Any, Final

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.problems import FORBIDDEN, NOT_FOUND, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.chat.access import room_to_read
from lms.chat.messages import (
    EditMessage,
    Message,
    MessagePath,
    MessageQuery,
    ReactionPath,
    RoomPath,
    SendMessage,
    Sent,
)
from lms.chat.problems import (
    BANNED,
    CLIENT_ID_REUSED,
    MESSAGE_CONFLICT,
    MESSAGE_DELETED,
    MUTED,
    ROOM_LOCKED,
    ROOM_OVER,
    THE_MESSAGE,
    TOO_MANY,
)
from lms.chat.reading import ask_messages_ahead, read_messages
from lms.chat.room_endpoints import ONE, TAG
from lms.chat.store import find_message, messages_statement
from lms.chat.tables import chat_message
from lms.chat.views import message_view, message_views
from lms.chat.writing import Writer
from lms.parts import Parts

MESSAGES: Final = f"{ONE}/messages"
MESSAGE: Final = f"{MESSAGES}/{{message_id}}"
_READING: Final = (NOT_FOUND, BANNED)
_WRITING: Final = (NOT_FOUND, FORBIDDEN, BANNED, MUTED, ROOM_LOCKED, ROOM_OVER)


class MessageEndpoints:
    """Messages of rooms."""

    def __init__(self, parts: Parts, writer: Writer) -> None:
        self._parts = parts
        self._writer = writer

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        reaction, pin = f"{MESSAGE}/reactions/{{emoji}}", f"{MESSAGE}/pin"
        one, chat = {200: Reply("The message.", Message)}, Permission.CHAT
        changing = (*_WRITING, MESSAGE_DELETED, TOO_MANY)
        return (
            Endpoint(
                operation="list_messages", method="GET", path=MESSAGES, summary="Read a room",
                description="Without a place: the latest. Numbers (`seq`) have no holes but at the beginning, where "
                "a room was cleared. Deleted messages are there, without their text.",
                tag=TAG, access=chat, parameters=RoomPath, query=MessageQuery,
                answers={200: Reply("Messages, in order.", list[Message])}, problems=_READING, run=self._list,
            ),
            Endpoint(
                operation="send_message", method="POST", path=MESSAGES, summary="Send a message",
                description="Once this is answered, it is kept. Without an answer, send it again with the same "
                "`client_id`: it will be there once.",
                tag=TAG, access=chat, parameters=RoomPath, body=SendMessage, limit=Limit.CHAT,
                answers={201: Reply("It is there now.", Sent), 200: Reply("It was there already.", Sent)},
                problems=(*_WRITING, CLIENT_ID_REUSED), run=self._send,
            ),
            Endpoint(
                operation="list_pinned_messages", method="GET", path=f"{ONE}/pins", summary="Read what is pinned",
                tag=TAG, access=chat, parameters=RoomPath,
                answers={200: Reply("All pinned messages, in order.", list[Message])}, problems=_READING,
                run=self._pins,
            ),
            Endpoint(
                operation="get_message", method="GET", path=MESSAGE, summary="Look at a message", tag=TAG,
                access=chat, parameters=MessagePath, answers=one, problems=_READING, run=self._get,
            ),
            Endpoint(
                operation="edit_message", method="PATCH", path=MESSAGE, summary="Change the text of your message",
                description="For a day. Earlier texts are kept for those who look at a report.", tag=TAG, access=chat,
                parameters=MessagePath, body=EditMessage, answers=one, limit=Limit.CHAT,
                problems=(*_WRITING, MESSAGE_DELETED, MESSAGE_CONFLICT), run=self._edit,
            ),
            Endpoint(
                operation="delete_message", method="DELETE", path=MESSAGE, summary="Delete a message",
                description="Yours, or anybody's where you keep order. Its text is gone; its place stays.", tag=TAG,
                access=chat, parameters=MessagePath, answers=one, problems=(NOT_FOUND, FORBIDDEN, BANNED),
                run=self._delete,
            ),
            Endpoint(
                operation="add_reaction", method="PUT", path=reaction, summary="React to a message", tag=TAG,
                access=chat, parameters=ReactionPath, answers=one, limit=Limit.CHAT, problems=changing,
                run=self._react,
            ),
            Endpoint(
                operation="remove_reaction", method="DELETE", path=reaction, summary="Take a reaction back", tag=TAG,
                access=chat, parameters=ReactionPath, answers=one, limit=Limit.CHAT, problems=changing,
                run=self._take_back,
            ),
            Endpoint(
                operation="pin_message", method="PUT", path=pin, summary="Pin a message", tag=TAG, access=chat,
                parameters=MessagePath, answers=one, problems=changing, run=self._pin,
            ),
            Endpoint(
                operation="unpin_message", method="DELETE", path=pin, summary="Take a pinned message down", tag=TAG,
                access=chat, parameters=MessagePath, answers=one, problems=changing, run=self._unpin,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[RoomPath, MessageQuery, Nothing]) -> Result:
        ask_messages_ahead(call.transaction, call.path.room_id, call.query)
        await room_to_read(call.transaction, call.caller, call.path.room_id)
        return Result(await read_messages(call.transaction, call.path.room_id, call.query))

    async def _send(self, call: Call[RoomPath, Nothing, SendMessage]) -> Result:
        message, duplicate = await self._writer.send(call.transaction, call.caller, call.path.room_id, call.body)
        return Result(Sent(message=message, duplicate=duplicate), status=200 if duplicate else 201)

    async def _pins(self, call: Call[RoomPath, Nothing, Nothing]) -> Result:
        await room_to_read(call.transaction, call.caller, call.path.room_id)
        statement = messages_statement(call.transaction, call.path.room_id)
        pinned = statement.where(chat_message.c.pinned_at.is_not(None)).order_by(chat_message.c.seq)
        return Result(await message_views(call.transaction, await call.transaction.rows(pinned)))

    async def _get(self, call: Call[MessagePath, Nothing, Nothing]) -> Result:
        await room_to_read(call.transaction, call.caller, call.path.room_id)
        row = await find_message(call.transaction, call.path.room_id, call.path.message_id)
        if row is None:
            raise not_found(THE_MESSAGE)
        return Result(await message_view(call.transaction, row))

    async def _edit(self, call: Call[MessagePath, Nothing, EditMessage]) -> Result:
        path, asked = call.path, call.body
        return Result(
            await self._writer.edit(
                call.transaction, call.caller, path.room_id, path.message_id, asked.body, asked.edits
            )
        )

    async def _delete(self, call: Call[MessagePath, Nothing, Nothing]) -> Result:
        path = call.path
        message, of_another = await self._writer.delete(call.transaction, call.caller, path.room_id, path.message_id)
        if of_another:
            old = {"room_id": str(path.room_id), "seq": message.seq, "sender_id": str(message.sender_id)}
            await record(call, "chat.delete", "chat_message", message.id, old=old)
        return Result(message)

    async def _react(self, call: Call[ReactionPath, Nothing, Nothing]) -> Result:
        return await self._set_reaction(call, on=True)

    async def _take_back(self, call: Call[ReactionPath, Nothing, Nothing]) -> Result:
        return await self._set_reaction(call, on=False)

    async def _set_reaction(self, call: Call[ReactionPath, Nothing, Nothing], *, on: bool) -> Result:
        path = call.path
        return Result(
            await self._writer.react(call.transaction, call.caller, path.room_id, path.message_id, path.emoji, on=on)
        )

    async def _pin(self, call: Call[MessagePath, Nothing, Nothing]) -> Result:
        return await self._set_pin(call, on=True)

    async def _unpin(self, call: Call[MessagePath, Nothing, Nothing]) -> Result:
        return await self._set_pin(call, on=False)

    async def _set_pin(self, call: Call[Any, Nothing, Nothing], *, on: bool) -> Result:
        path = call.path
        return Result(await self._writer.pin(call.transaction, call.caller, path.room_id, path.message_id, on=on))
