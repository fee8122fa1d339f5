"""Finding messages by words of theirs, in the rooms that somebody reads."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.chat.access import room_to_read
from lms.chat.messages import Message
from lms.chat.moderation_messages import SearchQuery
from lms.chat.store import banned_from, rooms_of
from lms.chat.tables import chat_message, chat_room
from lms.chat.views import message_views
from lms.database.transaction import Transaction
from lms.people.tables import app_user
from lms.text import search_pattern


async def search_messages(transaction: Transaction, caller: Caller, query: SearchQuery) -> list[Message]:
    """Return messages that hold a text, the latest first; raises ProblemError. Deleted ones hold nothing."""
    room_ids = await _rooms(transaction, caller, query.room_id)
    if not room_ids:
        return []
    sender = (app_user.c.org_id == chat_message.c.org_id) & (app_user.c.id == chat_message.c.sender_id)
    statement = (
        select(chat_message, app_user.c.display_name.label("sender_name"))
        .outerjoin(app_user, sender)
        .where(
            chat_message.c.org_id == transaction.org_id,
            chat_message.c.room_id.in_(room_ids),
            chat_message.c.deleted_at.is_(None),
            chat_message.c.search_key.like(search_pattern(query.q), escape="\\"),
        )
        .order_by(chat_message.c.id.desc())
        .limit(query.limit)
    )
    if query.before is not None:
        statement = statement.where(chat_message.c.id < query.before)
    return await message_views(transaction, await transaction.rows(statement))


async def _rooms(transaction: Transaction, caller: Caller, room_id: UUID | None) -> list[UUID]:
    if room_id is not None:
        return [(await room_to_read(transaction, caller, room_id)).row.id]
    own = rooms_of(transaction, caller.user_id, permissions_of(caller.roles))
    found = [row.id for row in await transaction.rows(select(chat_room.c.id).where(own))]
    banned = await banned_from(transaction, caller.user_id, found)
    return [each for each in found if each not in banned]
