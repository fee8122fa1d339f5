"""Writing of the audit log: entries are gathered while a transaction works, and chained when it commits.

Each entry's hash covers the entry and the hash before it, per organization; the end of the chain is one row, which is
locked at the very end, so that audited writes wait for each other for the length of one insert.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Executable, Select, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.api.endpoint import Call
from lms.audit.tables import ActorKind, audit_head, audit_log
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction

FIRST_HASH: Final = bytes(32)
"""Stands before the first entry of an organization."""

USER_AGENT_CHARACTERS_MAX: Final = 300
SALT_BYTES: Final = 16

_ORIGIN: Final = ("address", "user_agent")
_OF_ORIGIN: Final = ("origin_hash", "origin_salt")
_CONTENT: Final = ("new", "old")
_OF_CONTENT: Final = ("content_hash", "content_salt")
_DIGESTS: Final = ("origin_hash", "content_hash")
_SALTS: Final = ("origin_salt", "content_salt")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did or saw."""

    action: str
    """E.g. "course.create"."""
    entity: str
    entity_id: str | None
    old: Any
    new: Any
    actor_kind: ActorKind
    actor_id: UUID | None
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


async def record(
    call: Call[Any, Any, Any],
    action: str,
    entity: str,
    entity_id: UUID | str | None = None,
    *,
    old: Any = None,
    new: Any = None,
    transaction: Transaction | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Note what the caller of an endpoint did; one that only reads says `use=Use.WRITE`, so that it can be noted.

    `old` and `new` are plain JSON values: only what changed, and no secret. `transaction` is for endpoints that open
    their own; `actor_id` for those that nobody is logged in at yet.
    """
    within = transaction or call.transaction
    who = call.known_caller.user_id if call.known_caller is not None else actor_id
    agent = call.http.headers.get("User-Agent")
    entry = Entry(
        action=action,
        entity=entity,
        entity_id=None if entity_id is None else str(entity_id),
        old=old,
        new=new,
        actor_kind=ActorKind.NOBODY if who is None else ActorKind.USER,
        actor_id=who,
        address=call.address or call.http.remote,
        user_agent=None if agent is None else agent[:USER_AGENT_CHARACTERS_MAX],
        request_id=call.request_id,
    )
    _gather(within, entry)


async def record_by(
    transaction: Transaction,
    actor_id: UUID | None,
    action: str,
    entity: str,
    entity_id: UUID | str | None = None,
    *,
    old: Any = None,
    new: Any = None,
) -> None:
    """Note what somebody did earlier, on a device without a network: where from, nobody knows. None: the service."""
    entry = Entry(
        action=action,
        entity=entity,
        entity_id=None if entity_id is None else str(entity_id),
        old=old,
        new=new,
        actor_kind=ActorKind.SERVICE if actor_id is None else ActorKind.USER,
        actor_id=actor_id,
    )
    _gather(transaction, entry)


async def record_by_service(
    transaction: Transaction,
    action: str,
    entity: str,
    entity_id: UUID | str | None = None,
    *,
    old: Any = None,
    new: Any = None,
) -> None:
    """Note what the service did by itself: a job, or what the media server told."""
    await record_by(transaction, None, action, entity, entity_id, old=old, new=new)


def _gather(transaction: Transaction, entry: Entry) -> None:
    assert transaction.writes, "who notes what is read needs a writing transaction, too: use=Use.WRITE"
    gathered = transaction.gathered.setdefault(_GATHERED, [])
    if not gathered:
        transaction.before_commit.append(_write)
    gathered.append(entry)


_GATHERED: Final = "audit"


async def _write(transaction: Transaction) -> None:
    last = await transaction.first(_head(transaction.org_id))
    if last is None:
        upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
        first = {"org_id": transaction.org_id, "seq": 0, "hash": FIRST_HASH}
        await transaction.execute(upsert(audit_head).values(first).on_conflict_do_nothing())
        last = await transaction.one(_head(transaction.org_id))
    seq, previous = last.seq, last.hash
    rows = []
    for entry in transaction.gathered.pop(_GATHERED):
        seq += 1
        row = _row(
            replace(entry, old=_plain(entry.old), new=_plain(entry.new)), transaction.org_id, seq, transaction.now
        )
        row["previous_hash"] = previous
        row |= digests(row, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(SALT_BYTES))
        row["hash"] = previous = hash_entry(row)
        rows.append(row)
    for row in rows:
        await transaction.later(Prepared(_INSERT, row))
    await transaction.later(_move_head(transaction.org_id, seq, previous))


@prepared
def _head(org_id: Any) -> Select[Any]:
    return select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.org_id == org_id).with_for_update()


_INSERT: Final = insert(audit_log)


@prepared
def _move_head(of_org: Any, at_seq: Any, last_hash: Any) -> Executable:
    return update(audit_head).where(audit_head.c.org_id == of_org).values({"seq": at_seq, "hash": last_hash})


def hash_entry(row: Mapping[str, Any]) -> bytes:
    """Return the hash of an entry: SHA-256 over the hash before it and its fields as sorted JSON.

    Of what is personal it covers the digests alone, so that it holds when that is taken out.
    """
    left_out = {"hash", "previous_hash", *_SALTS}
    left_out |= set(_DIGESTS) if row["content_hash"] is None else {*_ORIGIN, *_CONTENT}
    told = {name: row[name] for name in sorted(row) if name not in left_out}
    return hashlib.sha256(row["previous_hash"] + msgspec.json.encode(told, order="sorted")).digest()


def digests(row: Mapping[str, Any], origin_salt: bytes, content_salt: bytes) -> dict[str, bytes]:
    """Return the digests of what is personal in an entry, with their salts: without them nobody can try what it was."""
    return {
        "origin_hash": _digest(row, _ORIGIN, origin_salt),
        "origin_salt": origin_salt,
        "content_hash": _digest(row, _CONTENT, content_salt),
        "content_salt": content_salt,
    }


def content_holds(row: Mapping[str, Any]) -> bool:
    """Return whether what is personal in an entry is as it was written, or was taken out."""
    if row["content_hash"] is None:  # written before there were digests: its hash covers it
        return True
    for names, digest, salt in ((_ORIGIN, *_OF_ORIGIN), (_CONTENT, *_OF_CONTENT)):
        if row[salt] is None:
            if any(row[name] is not None for name in names):
                return False
        elif _digest(row, names, row[salt]) != row[digest]:
            return False
    return True


def _digest(row: Mapping[str, Any], names: tuple[str, ...], salt: bytes) -> bytes:
    told = {name: row[name] for name in names}
    return hashlib.sha256(salt + msgspec.json.encode(told, order="sorted")).digest()


def _plain(value: Any) -> Any:
    """Return a value as it will be read again: UUIDs, times and decimals as text."""
    return None if value is None else msgspec.json.decode(msgspec.json.encode(value, order="sorted"))


def _row(entry: Entry, org_id: UUID, seq: int, at: datetime) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "seq": seq,
        "actor_id": entry.actor_id,
        "actor_kind": entry.actor_kind,
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "old": entry.old,
        "new": entry.new,
        "address": entry.address,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
        "at": at,
    }
