"""When people were there last: gathered, and written together some seconds later."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from lms.clock import Clock
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.live.presence import Place
from lms.live.tables import last_seen

logger = logging.getLogger(__name__)


class LastSeen:
    """A class that ends is thirty people who go at once: one write, not thirty."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[Place, datetime] = {}

    def note(self, org_id: UUID, user_id: UUID) -> None:
        """Note that somebody was there until now."""
        self._waiting[org_id, user_id] = self._clock.now()

    async def write(self) -> None:
        """Write what was noted; what cannot be written now is written later."""
        while self._waiting:
            org_id = next(iter(self._waiting))[0]
            noted = {place: at for place, at in self._waiting.items() if place[0] == org_id}
            try:
                async with self._database.write(org_id) as transaction:
                    await _write(transaction, {user_id: at for (_, user_id), at in noted.items()})
            except Exception:
                logger.warning("who was there last could not be written", exc_info=True)
                return
            for place, at in noted.items():
                if self._waiting.get(place) == at:
                    del self._waiting[place]


async def read_last_seen(transaction: Transaction, user_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
    """Return when these people were there last; who never was is left out."""
    rows = await transaction.rows(
        select(last_seen).where(last_seen.c.org_id == transaction.org_id, last_seen.c.user_id.in_(user_ids))
    )
    return {row.user_id: row.at for row in rows}


async def _write(transaction: Transaction, noted: Mapping[UUID, datetime]) -> None:
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    made = upsert(last_seen)
    statement = made.on_conflict_do_update(index_elements=["org_id", "user_id"], set_={"at": made.excluded.at})
    rows = [{"org_id": transaction.org_id, "user_id": user_id, "at": at} for user_id, at in sorted(noted.items())]
    await transaction.execute(statement, rows)
