"""How long chat is kept: as the room says, else the organization. What is older goes for good, a piece at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, select

from lms.audit.record import record_by_service
from lms.chat.moderation import change_room
from lms.chat.store import find_room
from lms.chat.tables import ReportStatus, chat_message, chat_report, chat_room
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.live.live import Live
from lms.organizations.tables import organization

ROOMS_MAX: Final = 200
"""Of one organization in one run; the rest follows in the next."""


class ChatRetention:
    """A job of the whole service."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live

    async def run(self) -> int:
        """Delete what is too old in every organization and return how many messages that were."""
        async with self._database.read_all() as transaction:
            organizations = await transaction.rows(select(organization.c.id, organization.c.settings))
        deleted = 0
        for each in organizations:
            deleted += await self._run_for(each.id, (each.settings or {}).get("keep_chat_days"))
        return deleted

    async def _run_for(self, org_id: UUID, days: int | None) -> int:
        async with self._database.read(org_id) as transaction:
            kept = func.coalesce(chat_room.c.retention_days, days)
            rooms = await transaction.rows(
                select(chat_room.c.id, kept.label("days")).where(
                    chat_room.c.org_id == org_id, kept.is_not(None), chat_room.c.last_seq > chat_room.c.cleared_seq
                )
            )
            now = transaction.now
            due = []
            for room in rooms:
                oldest = await _last_before(transaction, room.id, now - timedelta(days=room.days))
                if oldest is not None:
                    due.append((room.id, room.days, oldest))
        deleted = 0
        for room_id, kept_days, upto in due[:ROOMS_MAX]:
            async with self._database.write(org_id) as transaction:
                deleted += await self._forget(transaction, room_id, upto, kept_days)
        return deleted

    async def _forget(self, transaction: Transaction, room_id: UUID, upto: int, days: int) -> int:
        room = await find_room(transaction, room_id, lock=True)
        assert room is not None, "rooms stay"
        places = (
            chat_message.c.org_id == transaction.org_id,
            chat_message.c.room_id == room_id,
            chat_message.c.seq <= upto,
        )
        ids = select(chat_message.c.id).where(*places)
        await transaction.execute(
            delete(chat_report).where(
                chat_report.c.org_id == transaction.org_id,
                chat_report.c.message_id.in_(ids),
                chat_report.c.status != ReportStatus.OPEN,  # somebody has still to look at those
            )
        )
        done = await transaction.execute(delete(chat_message).where(*places))
        if upto > room.cleared_seq:
            await change_room(transaction, self._live, room_id, {"cleared_seq": upto})
        new = {"messages": done.rowcount, "days": days}
        await record_by_service(transaction, "chat.expire", "chat_room", room_id, new=new)
        return done.rowcount


async def _last_before(transaction: Transaction, room_id: UUID, moment: Any) -> int | None:
    """Return the last place that is older than some time, if its message is still there."""
    row: Row[Any] | None = await transaction.first(
        select(chat_message.c.seq)
        .where(
            chat_message.c.org_id == transaction.org_id,
            chat_message.c.room_id == room_id,
            chat_message.c.created_at < moment,
        )
        .order_by(chat_message.c.created_at.desc(), chat_message.c.seq.desc())
        .limit(1)
    )
    return None if row is None else int(row.seq)
