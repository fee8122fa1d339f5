"""Entries of the audit log whose time is over are deleted, and what is personal in others is taken out.

The chain holds all the same: it begins at the anchor, the last entry that was deleted; and an entry's hash covers of
what is personal the digests alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.audit.personal import about
from lms.audit.record import record_by_service
from lms.audit.tables import audit_anchor, audit_log
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.organizations.tables import organization

NOTHING: Any = {"old": None, "new": None, "content_salt": None}
NOWHERE: Any = {"address": None, "user_agent": None, "origin_salt": None}


class AuditRetention:
    """Deletes what organizations do not want to keep for longer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> int:
        """Delete what is too old in every organization that says so, and return how many entries that were."""
        async with self._database.read_all() as transaction:
            rows = await transaction.rows(select(organization.c.id, organization.c.settings))
            now = transaction.now
        count = 0
        for row in rows:
            days = row.settings.get("keep_audit_days")
            if days is not None:
                count += await self._forget(row.id, now - timedelta(days=days))
        return count

    async def _forget(self, org_id: UUID, oldest: datetime) -> int:
        """Note it, and then do it: in two transactions, as only the service itself may delete entries."""
        async with self._database.write(org_id) as transaction:
            own = audit_log.c.org_id == org_id
            kept = await transaction.value(select(func.min(audit_log.c.seq)).where(own, audit_log.c.at >= oldest))
            below = own if kept is None else own & (audit_log.c.seq < kept)
            last = await transaction.first(
                select(audit_log.c.seq, audit_log.c.hash).where(below).order_by(audit_log.c.seq.desc()).limit(1)
            )
            if last is None:
                return 0
            await record_by_service(transaction, "audit.forget", "audit_log", None, new={"up_to": last.seq})
        async with self._database.write_all() as transaction:
            upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
            anchor = {"seq": last.seq, "hash": last.hash, "at": transaction.now}
            statement = upsert(audit_anchor).values(org_id=org_id, **anchor)
            await transaction.execute(statement.on_conflict_do_update(index_elements=["org_id"], set_=anchor))
            done = await transaction.execute(delete(audit_log).where(own, audit_log.c.seq <= last.seq))
        return done.rowcount


async def erase_from_log(transaction: Transaction, org_id: UUID, user_id: UUID) -> int:
    """Take out from where somebody acted, and what was noted of them and why; return how many entries that were.

    The transaction is one of the service (`write_all`): nobody else may change entries. What was written before
    entries had digests stays.
    """
    sealed = (audit_log.c.org_id == org_id, audit_log.c.content_hash.is_not(None))
    acted: ColumnElement[bool] = audit_log.c.actor_id == user_id
    told = await transaction.rows(select(audit_log.c.seq).where(*sealed, acted | about(user_id)))
    await transaction.execute(update(audit_log).where(*sealed, about(user_id)).values(**NOTHING))
    account = (audit_log.c.entity == "app_user") & (audit_log.c.entity_id == str(user_id))
    await transaction.execute(update(audit_log).where(*sealed, acted | account).values(**NOWHERE))
    return len(told)
