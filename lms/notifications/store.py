"""Notifications as rows: told to many, read by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.api.problems import not_found
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.live.live import Live
from lms.notifications.kinds import Kind, texts_of
from lms.notifications.messages import Notification, NotificationNew, NotificationRead
from lms.notifications.problems import THE_NOTIFICATION
from lms.notifications.tables import notification

ROWS_AT_ONCE: Final = 200
KEPT: Final = timedelta(days=180)


class Notifier:
    """Notifies people."""

    def __init__(self, ids: Ids, live: Live) -> None:
        self._ids = ids
        self._live = live

    async def notify(
        self, transaction: Transaction, user_ids: Sequence[UUID], kind: Kind, source: str, about: Mapping[str, Any]
    ) -> int:
        """Have people know of something, each once for a `source`; return how many did not know yet."""
        upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
        told = 0
        for begin in range(0, len(user_ids), ROWS_AT_ONCE):
            rows = [
                {
                    "org_id": transaction.org_id, "id": self._ids.new(), "user_id": user_id, "kind": kind.value,
                    "source": source, "about": dict(about), "created_at": transaction.now,
                }
                for user_id in user_ids[begin : begin + ROWS_AT_ONCE]
            ]  # fmt: skip
            made = upsert(notification).values(rows).on_conflict_do_nothing().returning(notification)
            for row in await transaction.rows(made):
                await self._live.tell_users(transaction, [row.user_id], NotificationNew(notification=view(row)))
                told += 1
        return told

    async def read(self, transaction: Transaction, user_id: UUID, notification_id: UUID | None) -> int:
        """Note that somebody has read one, or all; return how many are unread. Raises ProblemError (`not_found`)."""
        own = [notification.c.org_id == transaction.org_id, notification.c.user_id == user_id]
        if notification_id is not None:
            own.append(notification.c.id == notification_id)
            if await transaction.first(select(notification.c.id).where(*own)) is None:
                raise not_found(THE_NOTIFICATION)
        done = await transaction.execute(
            update(notification).where(*own, notification.c.read_at.is_(None)).values(read_at=transaction.now)
        )
        unread = await count_unread(transaction, user_id)
        if done.rowcount:
            event = NotificationRead(notification_id=notification_id, unread=unread)
            await self._live.tell_users(transaction, [user_id], event)
        return unread


async def count_unread(transaction: Transaction, user_id: UUID) -> int:
    """Return how many notifications somebody has not read."""
    counted = await transaction.value(
        select(func.count())
        .select_from(notification)
        .where(
            notification.c.org_id == transaction.org_id,
            notification.c.user_id == user_id,
            notification.c.read_at.is_(None),
        )
    )
    return int(counted)


async def forget_old(transaction: Transaction) -> int:
    """Delete what is half a year old and return how many; a job of the whole service."""
    done = await transaction.execute(delete(notification).where(notification.c.created_at < transaction.now - KEPT))
    return done.rowcount


def view(row: Row[Any]) -> Notification:
    """Return a notification as it is told."""
    kind = Kind(row.kind)
    return Notification(
        id=row.id,
        kind=kind,
        texts=texts_of(kind, row.about),
        about=row.about,
        created_at=row.created_at,
        read_at=row.read_at,
    )
