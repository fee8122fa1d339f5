"""Asks DNS once a day whether it still holds the proofs of hosts. Nobody is cut off by that: people are told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.access.roles import PERMISSIONS, Permission
from lms.database.transaction import Transaction
from lms.notifications.kinds import Kind
from lms.notifications.store import Notifier
from lms.organizations.challenge import proves, record_name
from lms.organizations.host_store import note_found, note_missing, note_warned, proven_hosts
from lms.organizations.txt_records import DnsSilentError, NameMissingError, RecordMissingError, TxtRecords
from lms.parts import Parts
from lms.people.tables import UserStatus, app_user, membership

UNPROVEN: Final = "host.unproven"
MAIL: Final = "mail.host"
"""To one of those who are told."""
AT_ONCE: Final = 20
"""Questions to DNS. With nameservers that are away, a thousand hosts are fifty times `hosts.timeout_s`."""
TOLD: Final = tuple(role for role, held in PERMISSIONS.items() if Permission.SETTINGS_WRITE in held)
"""Who can have the record made anew, and sees what it must hold."""


class HostChecks:
    """A job: looks at all hosts that DNS proved once. Those that the operator gave are not asked for."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        self._outbox = parts.outbox
        self._warn_after = timedelta(days=parts.settings.hosts.warn_after_days)
        self._records = TxtRecords(parts.settings.hosts)
        self._notifier = Notifier(parts.ids, parts.live)

    async def run(self) -> int:
        """Return of how many hosts the proof is missing."""
        async with self._database.read_all() as transaction:
            rows = await proven_hosts(transaction)
        missing = 0
        for begin in range(0, len(rows), AT_ONCE):
            missing += sum(await asyncio.gather(*(self._look(row) for row in rows[begin : begin + AT_ONCE])))
        return missing

    async def _look(self, row: Row[Any]) -> bool:
        """Return whether the proof of a host is missing, and note what is new of it."""
        try:
            found = proves(await self._records.read(record_name(row.host)), row.token)
        except (NameMissingError, RecordMissingError):
            found = False
        except DnsSilentError:  # nameservers that are away say nothing of whose the host is
            return row.missing_since is not None
        if found and row.missing_since is None:
            return False
        async with self._database.write(row.org_id) as transaction:
            if found:
                await note_found(transaction, row.org_id, row.host)
                return False
            await note_missing(transaction, row.org_id, row.host)
            since = row.missing_since or transaction.now
            if transaction.now - since >= self._warn_after:
                await self._warn(transaction, row, since.isoformat())
        return True

    async def _warn(self, transaction: Transaction, row: Row[Any], since: str) -> None:
        """Have those told, once, who can make the record anew: here, by mail and by webhooks."""
        if not await note_warned(transaction, row.org_id, row.host):
            return
        people = await _who_can_mend(transaction)
        about = {"host": row.host, "title": row.host}
        await self._notifier.notify(transaction, people, Kind.HOST_UNPROVEN, f"{UNPROVEN} {row.host} {since}", about)
        record = {"record_name": record_name(row.host), "record_value": row.token}
        told = {"host": row.host, "missing_since": since, **record}
        await self._outbox.send(transaction, UNPROVEN, key=row.host, payload=told)
        for user_id in people:  # a message each: an address that takes no mail holds up nobody else
            mail = {"host": row.host, "user_id": str(user_id)}
            await self._outbox.send(transaction, MAIL, key=str(user_id), payload=mail)


async def _who_can_mend(transaction: Transaction) -> list[UUID]:
    rows = await transaction.rows(
        select(app_user.c.id)
        .join(membership, (membership.c.org_id == app_user.c.org_id) & (membership.c.user_id == app_user.c.id))
        .where(
            app_user.c.org_id == transaction.org_id,
            app_user.c.status == UserStatus.ACTIVE,
            app_user.c.deleted_at.is_(None),
            membership.c.role.in_(TOLD),
        )
        .distinct()
        .order_by(app_user.c.id)
    )
    return [row.id for row in rows]
