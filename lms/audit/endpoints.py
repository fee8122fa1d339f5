"""/api/v1/audit: what was done by whom, and whether the log is as it was written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta
from sqlalchemy import Row, Select, select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result
from lms.api.paging import PageQuery, aware, fetch_page
from lms.audit.record import FIRST_HASH, content_holds, hash_entry
from lms.audit.tables import ActorKind, audit_anchor, audit_head, audit_log
from lms.database.transaction import Transaction
from webapi.shapes import Answer

TAG: Final = "Audit"
BATCH: Final = 1000


class AuditQuery(PageQuery, frozen=True, kw_only=True):
    """Which entries; the latest first."""

    actor_id: UUID | None = None
    action: Annotated[str, Meta(max_length=64)] | None = None
    entity: Annotated[str, Meta(max_length=64)] | None = None
    entity_id: Annotated[str, Meta(max_length=64)] | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditEntry(Answer, frozen=True, kw_only=True):
    """One thing that was done or seen."""

    seq: int
    at: datetime
    actor_id: UUID | None
    actor_kind: ActorKind
    action: str
    entity: str
    entity_id: str | None
    old: Any
    new: Any
    address: str | None
    user_agent: str | None
    request_id: str | None
    hash: str


class AuditCheck(Answer, frozen=True, kw_only=True):
    """Whether every entry is there as it was written."""

    entries: int
    removed: int
    """Older ones, which were deleted because their time was over."""
    erased: int
    """Entries of which something was taken out because somebody's data was erased; the rest of them is checked."""
    whole: bool
    first_broken: int | None
    """The `seq` of the first entry that was changed, or that is missing."""
    last_hash: str
    """Keep it elsewhere: with it, it can be seen later that nothing was taken from the end."""


class AuditEndpoints:
    """The audit log of an organization."""

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_audit",
                method="GET",
                path="/api/v1/audit",
                summary="Read the audit log",
                tag=TAG,
                access=Permission.AUDIT_READ_ALL,
                query=AuditQuery,
                answers={200: Reply("A page of entries, the latest first.", list[AuditEntry])},
                run=self._list,
            ),
            Endpoint(
                operation="list_own_audit",
                method="GET",
                path="/api/v1/audit/mine",
                summary="Read what the log has of you",
                tag=TAG,
                access=Open.SIGNED_IN,
                query=PageQuery,
                answers={200: Reply("A page of what you did, the latest first.", list[AuditEntry])},
                run=self._mine,
            ),
            Endpoint(
                operation="check_audit",
                method="GET",
                path="/api/v1/audit/check",
                summary="Check the chain of the audit log",
                tag=TAG,
                access=Permission.AUDIT_READ_ALL,
                answers={200: Reply("What was found.", AuditCheck)},
                run=self._check,
            ),
        )

    async def _list(self, call: Call[Nothing, AuditQuery, Nothing]) -> Result:
        query = call.query
        statement = _of(call.transaction)
        for name in ("actor_id", "action", "entity", "entity_id"):
            if getattr(query, name) is not None:
                statement = statement.where(audit_log.c[name] == getattr(query, name))
        if query.since is not None:
            statement = statement.where(audit_log.c.at >= aware(query.since, "since"))
        if query.until is not None:
            statement = statement.where(audit_log.c.at < aware(query.until, "until"))
        return await _page(call.transaction, statement, query)

    async def _mine(self, call: Call[Nothing, PageQuery, Nothing]) -> Result:
        statement = _of(call.transaction).where(audit_log.c.actor_id == call.caller.user_id)
        return await _page(call.transaction, statement, call.query)

    async def _check(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result(await check_chain(call.transaction))


async def check_chain(transaction: Transaction) -> AuditCheck:
    """Return whether every entry of the organization is there as it was written."""
    head = await transaction.first(select(audit_head).where(audit_head.c.org_id == transaction.org_id))
    anchor = await transaction.first(select(audit_anchor).where(audit_anchor.c.org_id == transaction.org_id))
    seq, previous = (0, FIRST_HASH) if anchor is None else (anchor.seq, anchor.hash)
    removed, erased = seq, 0
    while True:
        rows = await transaction.rows(
            _of(transaction).where(audit_log.c.seq > seq).order_by(audit_log.c.seq).limit(BATCH)
        )
        for row in rows:
            values = dict(row._mapping)
            in_place = row.seq == seq + 1 and row.previous_hash == previous and hash_entry(values) == row.hash
            if not in_place or not content_holds(values):
                return _found(seq, removed, erased, previous, broken=seq + 1)
            seq, previous = row.seq, row.hash
            erased += row.content_hash is not None and None in {row.content_salt, row.origin_salt}
        if len(rows) < BATCH:
            break
    ends_well = head is None or (head.seq == seq and head.hash == previous)
    return _found(seq, removed, erased, previous, broken=None if ends_well else seq + 1)


def _found(seq: int, removed: int, erased: int, last: bytes, *, broken: int | None) -> AuditCheck:
    return AuditCheck(
        entries=seq - removed,
        removed=removed,
        erased=erased,
        whole=broken is None,
        first_broken=broken,
        last_hash=last.hex(),
    )


def _of(transaction: Transaction) -> Select[Any]:
    return select(audit_log).where(audit_log.c.org_id == transaction.org_id)


async def _page(transaction: Transaction, statement: Select[Any], query: PageQuery) -> Result:
    rows, following = await fetch_page(transaction, statement, (audit_log.c.seq,), query, descending=True)
    return Result([_view(row) for row in rows], next=following)


def _view(row: Row[Any]) -> AuditEntry:
    names = (each for each in AuditEntry.__struct_fields__ if each != "hash")
    return AuditEntry(**{name: getattr(row, name) for name in names}, hash=row.hash.hex())
