"""Rooms as the WebSocket asks for them: what changed, whose they are, whose they are no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.chat.access import room_for
from lms.chat.events import CommunityLeft, message_event, room_event
from lms.chat.store import banned_from, find_room, messages_in, rooms_with
from lms.chat.tables import chat_message, chat_room
from lms.chat.views import message_views
from lms.courses.rules import Permissions
from lms.database.database import Database
from lms.database.prepared import prepared
from lms.live.channel import Changes
from lms.live.events import Event, encode_event
from lms.live.ports import OwnRoom

OWN_ROOMS_MAX: Final = 500
"""Of one person: those where something was said last."""


class ChatRooms:
    """What `lms.live.ports.Rooms` asks for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_changes(self, org_id: UUID, room_id: UUID, after: int, limit: int) -> Changes:
        """Return what changed in a room after some count, at most so many messages."""
        async with self._database.read(org_id) as transaction:
            room = await find_room(transaction, room_id)
            if room is None:
                return Changes((), after, after)
            # What is committed after the room was read is for the next time.
            rows = (
                await transaction.rows(_changed(org_id, room_id, after, room.change, limit))
                if after < room.change
                else ()
            )
            messages = await message_views(transaction, rows)
        is_direct = room.direct_low is not None
        frames = [(each.change, encode_event(message_event(each, is_direct=is_direct))) for each in messages]
        upto = messages[-1].change if len(messages) == limit else room.change
        if after < room.room_change <= upto:
            frames.append((room.room_change, encode_event(room_event(room, change=room.room_change))))
            frames.sort(key=lambda each: each[0])
        return Changes(frames, upto, room.change)

    async def own(self, caller: Caller) -> Sequence[OwnRoom]:
        """Return the rooms that somebody belongs to."""
        async with self._database.read(caller.org_id) as transaction:
            permissions = permissions_of(caller.roles)
            rows = await transaction.rows(_own(caller.org_id, caller.user_id, transaction.now, permissions=permissions))
        return [OwnRoom(row.id, row.change, row.direct_low is not None) for row in rows]

    async def lost(self, caller: Caller, room_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Return which of these rooms somebody may not read any more."""
        if not room_ids:
            return ()
        permissions = permissions_of(caller.roles)
        lost: list[UUID] = []
        async with self._database.read(caller.org_id) as transaction:
            own = await transaction.rows(
                _own_of(caller.org_id, caller.user_id, transaction.now, list(room_ids), permissions=permissions)
            )
            known = {row.id for row in own}
            banned = await banned_from(transaction, caller.user_id, room_ids)
            for room_id in room_ids:
                if room_id in known and room_id not in banned:
                    continue
                # Those who run the school read more than what is theirs; of two people one may be kept from writing.
                room = await find_room(transaction, room_id)
                found = None if room is None else await room_for(transaction, room, caller.user_id, permissions)
                if found is None or (found.hold.banned and not found.is_direct):
                    lost.append(room_id)
        return lost

    def dropped(self, room_id: UUID, reason: str) -> Event:
        """Return how somebody is told that they hear no more of a room."""
        return CommunityLeft(room_id=room_id, reason=reason)


@prepared
def _changed(org_id: Any, room_id: Any, after: Any, upto: Any, limit: Any) -> Select[Any]:
    statement = messages_in(org_id, room_id).where(chat_message.c.change > after, chat_message.c.change <= upto)
    return statement.order_by(chat_message.c.change).limit(limit)


@prepared
def _own(org_id: Any, user_id: Any, now: Any, *, permissions: Permissions) -> Select[Any]:
    return (
        select(chat_room.c.id, chat_room.c.change, chat_room.c.direct_low)
        .where(rooms_with(org_id, user_id, now, permissions))
        .order_by(chat_room.c.active_at.desc(), chat_room.c.id)
        .limit(OWN_ROOMS_MAX)
    )


@prepared(lists=("room_ids",))
def _own_of(org_id: Any, user_id: Any, now: Any, room_ids: Any, *, permissions: Permissions) -> Select[Any]:
    return select(chat_room.c.id).where(rooms_with(org_id, user_id, now, permissions), chat_room.c.id.in_(room_ids))
