"""/api/v1/rooms: list and open rooms, look at one, and say how far one has read."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.api.paging import fetch_page
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND
from lms.chat.access import room_to_read
from lms.chat.messages import MarkRead, OpenRoom, ReadMark, Room, RoomPath, RoomQuery
from lms.chat.opening import open_room
from lms.chat.problems import BANNED
from lms.chat.reading import mark_read, room_view, room_views
from lms.chat.store import insert_room, missing_rooms, rooms_of
from lms.chat.tables import chat_room
from lms.parts import Parts

TAG: Final = "Chat"
PATH: Final = "/api/v1/rooms"
ONE: Final = f"{PATH}/{{room_id}}"


class RoomEndpoints:
    """Rooms as somebody finds them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_rooms", method="GET", path=PATH, summary="List your rooms",
                description="Of your courses, groups, classes and the staff, and those with one other person.", tag=TAG,
                access=Permission.CHAT, query=RoomQuery,
                answers={200: Reply("A page of rooms, the newest first, with what is unread.", list[Room])},
                problems=(BAD_CURSOR,), use=Use.OWN, run=self._list,
            ),
            Endpoint(
                operation="open_room", method="POST", path=PATH, summary="Open a room",
                description="Of a class, course, group, the staff, or with one other person. Asked again, it is the "
                "same room. Whom you may write to, your courses say: those who teach you, those whom you teach, "
                "classmates if the organization lets them (`students_may_message`), and those who run the school.",
                tag=TAG, access=Permission.CHAT, body=OpenRoom, answers={200: Reply("The room.", Room)},
                problems=(NOT_FOUND, FORBIDDEN), run=self._open,
            ),
            Endpoint(
                operation="get_room", method="GET", path=ONE, summary="Look at a room", tag=TAG,
                access=Permission.CHAT, parameters=RoomPath, answers={200: Reply("The room.", Room)},
                problems=(NOT_FOUND, BANNED), run=self._get,
            ),
            Endpoint(
                operation="mark_room_read", method="PUT", path=f"{ONE}/read", summary="Say how far you have read",
                description="It never goes back. The other person of a room of two sees it.", tag=TAG,
                access=Permission.CHAT, parameters=RoomPath, body=MarkRead,
                answers={200: Reply("How far you have read.", ReadMark)}, problems=(NOT_FOUND, BANNED), run=self._read,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, RoomQuery, Nothing]) -> Result:
        caller, permissions = call.caller, permissions_of(call.caller.roles)
        database = self._parts.database
        if call.query.cursor is None:
            async with database.read(caller.org_id) as transaction:
                missing = await missing_rooms(transaction, caller.user_id, permissions)
            if missing:
                async with database.write(caller.org_id) as transaction:
                    for values in missing:
                        await insert_room(transaction, self._parts.ids.new(), values)
        async with database.read(caller.org_id) as transaction:
            statement = select(chat_room).where(rooms_of(transaction, caller.user_id, permissions))
            if call.query.kind is not None:
                statement = statement.where(chat_room.c.kind == call.query.kind)
            rows, following = await fetch_page(
                transaction, statement, (chat_room.c.active_at, chat_room.c.id), call.query, descending=True
            )
            return Result(await room_views(transaction, caller, rows), next=following)

    async def _open(self, call: Call[Nothing, Nothing, OpenRoom]) -> Result:
        found = await open_room(call.transaction, call.caller, self._parts.ids, call.body.kind, call.body.of)
        return Result(await room_view(call.transaction, found))

    async def _get(self, call: Call[RoomPath, Nothing, Nothing]) -> Result:
        found = await room_to_read(call.transaction, call.caller, call.path.room_id)
        return Result(await room_view(call.transaction, found))

    async def _read(self, call: Call[RoomPath, Nothing, MarkRead]) -> Result:
        return Result(
            await mark_read(call.transaction, self._parts.live, call.caller, call.path.room_id, call.body.seq)
        )
