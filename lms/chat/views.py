"""Messages and rooms as they are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lms.chat.messages import Message, Reaction
from lms.chat.store import reactions_of
from lms.database.transaction import Transaction

REACTING_SHOWN_MAX: Final = 100
"""Named under one emoji; the others are counted."""


async def message_views(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[Message]:
    """Return messages with their reactions; one query for all."""
    found: dict[UUID, dict[str, list[UUID]]] = {}
    for each in await reactions_of(transaction, [row.id for row in rows if row.deleted_at is None]):
        found.setdefault(each.message_id, {}).setdefault(each.emoji, []).append(each.user_id)
    return [_message_view(row, found.get(row.id, {})) for row in rows]


async def message_view(transaction: Transaction, row: Row[Any]) -> Message:
    """Return a message."""
    return (await message_views(transaction, [row]))[0]


def new_message_view(row: Row[Any]) -> Message:
    """Return a message that was just sent: nobody can have reacted to it."""
    return _message_view(row, {})


def _message_view(row: Row[Any], reactions: dict[str, list[UUID]]) -> Message:
    return Message(
        id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        change=row.change,
        kind=row.kind,
        sender_id=row.sender_id,
        sender_name=row.sender_name,
        body=row.body,
        reply_to=row.reply_to,
        client_id=row.client_id,
        client_at=row.client_at,
        created_at=row.created_at,
        edits=row.edits,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        deleted_by=row.deleted_by,
        pinned_at=row.pinned_at,
        pinned_by=row.pinned_by,
        reactions=tuple(
            Reaction(emoji=emoji, count=len(user_ids), user_ids=tuple(user_ids[:REACTING_SHOWN_MAX]))
            for emoji, user_ids in reactions.items()
        ),
    )
