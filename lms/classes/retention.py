"""What of live classes is kept for a time only: recordings as long as their school wants them, and who had a seat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, or_, select, update

from lms.audit.record import record_by_service
from lms.classes.tables import RecordingState, join_grant, recording
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.organizations.tables import organization
from lms.outbox.send import Outbox

GRANTS_KEPT: Final = timedelta(days=180)
"""After they expired: to see who could have come. Who came is attendance's."""
RECORDINGS_MAX: Final = 100
"""Of one organization in one run; the rest follows in the next."""


async def forget_grants(transaction: Transaction) -> int:
    """Delete old seats and return how many."""
    done = await transaction.execute(delete(join_grant).where(join_grant.c.expires_at < transaction.now - GRANTS_KEPT))
    return done.rowcount


class RecordingRetention:
    """Deletes recordings whose time is over, unless they are protected."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def run(self) -> int:
        """Delete what is too old in every organization and return how many recordings that were."""
        async with self._database.read_all() as transaction:
            organizations = await transaction.rows(
                select(organization.c.id, organization.c.settings).where(organization.c.deleted_at.is_(None))
            )
        count = 0
        for each in organizations:
            async with self._database.write(each.id) as transaction:
                count += await self._run(transaction, each.settings.get("keep_recordings_days"))
        return count

    async def _run(self, transaction: Transaction, days: int | None) -> int:
        over = recording.c.expires_at <= transaction.now
        if days is not None:
            over = or_(over, recording.c.ended_at < transaction.now - timedelta(days=days))
        rows = await transaction.rows(
            select(recording)
            .where(
                recording.c.org_id == transaction.org_id,
                recording.c.deleted_at.is_(None),
                recording.c.protected.is_(False),
                over,
            )
            .order_by(recording.c.id)
            .limit(RECORDINGS_MAX)
            .with_for_update()
        )
        for row in rows:
            await self._delete(transaction, row)
        return len(rows)

    async def _delete(self, transaction: Transaction, row: Row[Any]) -> None:
        await transaction.execute(
            update(recording)
            .where(recording.c.org_id == row.org_id, recording.c.id == row.id)
            .values(state=RecordingState.DELETED, deleted_at=transaction.now, version=row.version + 1)
        )
        await record_by_service(transaction, "recording.expire", "recording", row.id, old={"name": row.name})
        payload = {"recording_id": str(row.id), "record_id": row.record_id}
        await self._outbox.send(transaction, "recording.deleted", key=str(row.id), payload=payload)
