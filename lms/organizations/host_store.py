"""Rows of hosts: who claims one, and who has proven that it is theirs."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update

from lms.api.phrases import Phrase
from lms.api.problems import QUOTA_EXCEEDED, ProblemError
from lms.database.transaction import Transaction
from lms.organizations.tables import org_host

TOKEN_BYTES: Final = 32  # nobody guesses it, nor makes two alike


async def find_host(transaction: Transaction, org_id: UUID, host: str) -> Row[Any] | None:
    """Return an organization's claim; who writes holds the row until the end."""
    statement = select(org_host).where(*_row(org_id, host))
    return await transaction.first(statement.with_for_update() if transaction.writes else statement)


async def list_hosts(transaction: Transaction, org_id: UUID) -> list[Row[Any]]:
    """Return all that an organization claims or has, by name."""
    return list(await transaction.rows(select(org_host).where(org_host.c.org_id == org_id).order_by(org_host.c.host)))


async def owner_of(transaction: Transaction, host: str) -> UUID | None:
    """Return whose a host is: who has it verified, among all; None for nobody."""
    owner = await transaction.value(
        select(org_host.c.org_id).where(org_host.c.host == host, org_host.c.verified_at.is_not(None))
    )
    return None if owner is None else UUID(str(owner))


async def claim(transaction: Transaction, org_id: UUID, host: str, most: int, *, verified: bool) -> None:
    """Write a claim with a token of its own; raises ProblemError (`quota_exceeded`), or IntegrityError if it is there
    or, of one that is verified, another's.
    """
    present = await transaction.value(select(func.count()).select_from(org_host).where(org_host.c.org_id == org_id))
    if present >= most:
        raise ProblemError(
            QUOTA_EXCEEDED, field="host", value=most, rule="quota", what=Phrase("hosts", "عناوين المواقع")
        )
    await transaction.execute(
        insert(org_host).values(
            org_id=org_id,
            host=host,
            token=secrets.token_urlsafe(TOKEN_BYTES),
            created_at=transaction.now,
            verified_at=transaction.now if verified else None,
        )
    )


async def verify(transaction: Transaction, org_id: UUID, host: str) -> bool:
    """Have a claim hold that DNS proves; return False if it holds already, or is not there.

    Raises IntegrityError if the host is another's.
    """
    done = await transaction.execute(
        update(org_host)
        .where(*_row(org_id, host), org_host.c.verified_at.is_(None))
        .values(verified_at=transaction.now, proven_at=transaction.now)
    )
    return bool(done.rowcount)


async def grant(transaction: Transaction, org_id: UUID, host: str) -> bool:
    """Have a claim hold whatever DNS says; return False if it held already. Raises IntegrityError as `verify` does."""
    done = await transaction.execute(
        update(org_host)
        .where(*_row(org_id, host), org_host.c.verified_at.is_(None))
        .values(verified_at=transaction.now)
    )
    unasked = {"proven_at": None, "missing_since": None, "warned_at": None}
    await transaction.execute(update(org_host).where(*_row(org_id, host)).values(**unasked))
    return bool(done.rowcount)


async def proven_hosts(transaction: Transaction) -> list[Row[Any]]:
    """Return what DNS has proven, of all organizations."""
    proven = (org_host.c.verified_at.is_not(None), org_host.c.proven_at.is_not(None))
    return list(await transaction.rows(select(org_host).where(*proven).order_by(org_host.c.host)))


async def note_missing(transaction: Transaction, org_id: UUID, host: str) -> None:
    """Note that DNS does not hold the proof of a host any more."""
    there = (org_host.c.proven_at.is_not(None), org_host.c.missing_since.is_(None))
    await transaction.execute(update(org_host).where(*_row(org_id, host), *there).values(missing_since=transaction.now))


async def note_found(transaction: Transaction, org_id: UUID, host: str) -> None:
    """Note that DNS holds the proof of a host again."""
    again = {"proven_at": transaction.now, "missing_since": None, "warned_at": None}
    missing = org_host.c.missing_since.is_not(None)
    await transaction.execute(update(org_host).where(*_row(org_id, host), missing).values(**again))


async def note_warned(transaction: Transaction, org_id: UUID, host: str) -> bool:
    """Note that people are told of it; return False if they were, or nothing is missing."""
    untold = (org_host.c.missing_since.is_not(None), org_host.c.warned_at.is_(None))
    done = await transaction.execute(
        update(org_host).where(*_row(org_id, host), *untold).values(warned_at=transaction.now)
    )
    return bool(done.rowcount)


async def let_go(transaction: Transaction, org_id: UUID, host: str, missing_before: datetime) -> bool:
    """Have a host be only claimed whose proof was missing so early already; return False if it was not."""
    lost = {"verified_at": None, "proven_at": None, "missing_since": None, "warned_at": None}
    done = await transaction.execute(
        update(org_host).where(*_row(org_id, host), org_host.c.missing_since <= missing_before).values(**lost)
    )
    return bool(done.rowcount)


async def give_up(transaction: Transaction, org_id: UUID, host: str) -> bool:
    """Take a claim away; return False if it is not there."""
    done = await transaction.execute(delete(org_host).where(*_row(org_id, host)))
    return bool(done.rowcount)


def _row(org_id: UUID, host: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return org_host.c.org_id == org_id, org_host.c.host == host
