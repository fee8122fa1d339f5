"""Does what was asked: makes archives and erases people, by the outbox, so that a restart forgets neither."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

from lms.audit.record import record_by_service
from lms.audit.retention import erase_from_log
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.organizations.tables import organization
from lms.outbox.relay import Message
from lms.outbox.send import Outbox
from lms.people.tables import app_user
from lms.personal.archive import build_archive
from lms.personal.collect import erase, read_sections, take_out
from lms.personal.registry import HOLDINGS
from lms.personal.tables import RequestState, data_request

EXPORT: Final = "personal.export"
ERASE: Final = "personal.erase"
ERASED: Final = "person.erased"
ARCHIVE_KEPT: Final = timedelta(days=7)


class PersonalWork:
    """The consumer of both topics."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def export(self, message: Message) -> None:
        """Make the archive of a request."""
        request_id = UUID(message.payload["request_id"])
        async with self._database.read(message.org_id) as transaction:
            found = await _waiting(transaction, request_id)
            if found is None:
                return
            sections = await read_sections(transaction, HOLDINGS, found.user_id)
            now = transaction.now
        archive = build_archive(sections, school=found.school, name=found.display_name, at=now)
        counts = {section.name: len(section.rows) for section in sections}
        async with self._database.write(message.org_id) as transaction:
            if await _waiting(transaction, request_id) is None:
                return
            until = transaction.now + ARCHIVE_KEPT
            done = {"archive": archive, "size_bytes": len(archive), "expires_at": until}
            await _finish(transaction, request_id, counts, **done)
            await record_by_service(transaction, "person.export", "app_user", found.user_id)

    async def erase(self, message: Message) -> None:
        """Erase the person of a request; all of it may be repeated after a crash in between."""
        request_id = UUID(message.payload["request_id"])
        async with self._database.write(message.org_id) as transaction:
            found = await _waiting(transaction, request_id)
            if found is None:
                return
            counts = await erase(transaction, HOLDINGS, found.user_id)
            await record_by_service(transaction, "person.erase", "app_user", found.user_id)
        async with self._database.write_all() as transaction:
            counts |= await take_out(transaction, HOLDINGS, message.org_id, found.user_id)
            counts["activity"] = await erase_from_log(transaction, message.org_id, found.user_id)
        async with self._database.write(message.org_id) as transaction:
            await _finish(transaction, request_id, counts)
            payload = {"user_id": str(found.user_id)}
            await self._outbox.send(transaction, ERASED, key=str(found.user_id), payload=payload)


async def forget_archives(transaction: Transaction) -> int:
    """Delete archives that were there for their time and return how many; a job of the whole service."""
    done = await transaction.execute(
        update(data_request)
        .where(data_request.c.expires_at <= transaction.now, data_request.c.archive.is_not(None))
        .values(archive=None, state=RequestState.EXPIRED)
    )
    return done.rowcount


async def _waiting(transaction: Transaction, request_id: UUID) -> Any:
    """Return a request that is still to be done, with the names that its archive tells; None for another."""
    return await transaction.first(
        select(data_request, app_user.c.display_name, organization.c.name.label("school"))
        .join(app_user, (app_user.c.org_id == data_request.c.org_id) & (app_user.c.id == data_request.c.user_id))
        .join(organization, organization.c.id == data_request.c.org_id)
        .where(
            data_request.c.org_id == transaction.org_id,
            data_request.c.id == request_id,
            data_request.c.state == RequestState.WAITING,
        )
    )


async def _finish(transaction: Transaction, request_id: UUID, counts: dict[str, int], **values: Any) -> None:
    await transaction.execute(
        update(data_request)
        .where(data_request.c.org_id == transaction.org_id, data_request.c.id == request_id)
        .values(state=RequestState.DONE, done_at=transaction.now, counts=counts, **values)
    )
