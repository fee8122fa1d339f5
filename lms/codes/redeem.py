"""Redeeming a code without a race: whoever comes when it is used up gets nothing, however many come at once.

The order of the statements makes it so. The redemption is written first: the same person twice at once waits for
themselves there, and is told the second time that it is open already. Then the use is counted by one UPDATE whose
condition is that a use is left, and only who was counted is let in. All of it is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.codes.tables import access_code, code_attempt, code_redemption
from lms.codes.target import Opened, open_for
from lms.database.transaction import Transaction
from lms.ids import Ids


class BadCodeError(Exception):
    """It opens nothing: whatever was done must be undone."""


@dataclass(frozen=True, slots=True)
class Redemption:
    """What somebody got."""

    code: Row[Any]
    opened: Opened


async def redeem(
    transaction: Transaction, ids: Ids, code_hmac: bytes, user_id: UUID, address: str | None
) -> Redemption:
    """Redeem a code for somebody; raises BadCodeError, and ProblemError when the course is full."""
    code = await transaction.first(
        select(access_code).where(access_code.c.org_id == transaction.org_id, access_code.c.code_hmac == code_hmac)
    )
    if code is None:
        raise BadCodeError
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    row = {"org_id": transaction.org_id, "code_id": code.id, "user_id": user_id, "at": transaction.now}
    written = await transaction.first(
        upsert(code_redemption)
        .values(row | {"address": address})
        .on_conflict_do_nothing()
        .returning(code_redemption.c.user_id)
    )
    if written is None:  # redeemed before: it counts for as long as the code does
        if not code.active or (code.expires_at is not None and code.expires_at <= transaction.now):
            raise BadCodeError
    elif not await _count_use(transaction, code.id):
        raise BadCodeError
    opened = await open_for(transaction, ids, user_id, code)
    if opened is None:
        raise BadCodeError
    if written is not None and not opened.new:  # it was open to them: nobody loses a use
        await _give_back(transaction, code.id, user_id)
    return Redemption(code, opened)


async def note_attempt(
    transaction: Transaction,
    ids: Ids,
    user_id: UUID,
    address: str | None,
    *,
    code_id: UUID | None = None,
    succeeded: bool,
) -> None:
    """Keep that somebody tried a code. What was typed is not kept: it may be a code that somebody else still has."""
    await transaction.execute(
        insert(code_attempt).values(
            org_id=transaction.org_id,
            id=ids.new(),
            user_id=user_id,
            address=address,
            at=transaction.now,
            succeeded=succeeded,
            code_id=code_id,
        )
    )


async def _count_use(transaction: Transaction, code_id: UUID) -> bool:
    """Take one use if one is left. PostgreSQL looks at the condition again when it had to wait for another."""
    counted = await transaction.execute(
        update(access_code)
        .where(
            access_code.c.org_id == transaction.org_id,
            access_code.c.id == code_id,
            access_code.c.active.is_(True),
            or_(access_code.c.expires_at.is_(None), access_code.c.expires_at > transaction.now),
            or_(access_code.c.max_uses.is_(None), access_code.c.uses < access_code.c.max_uses),
        )
        .values(uses=access_code.c.uses + 1)
    )
    return counted.rowcount == 1


async def _give_back(transaction: Transaction, code_id: UUID, user_id: UUID) -> None:
    await transaction.execute(
        update(access_code)
        .where(access_code.c.org_id == transaction.org_id, access_code.c.id == code_id)
        .values(uses=access_code.c.uses - 1)
    )
    await transaction.execute(
        delete(code_redemption).where(
            code_redemption.c.org_id == transaction.org_id,
            code_redemption.c.code_id == code_id,
            code_redemption.c.user_id == user_id,
        )
    )
