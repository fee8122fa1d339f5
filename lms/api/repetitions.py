"""Repetitions of a request with one Idempotency-Key get the first answer again, and nothing is done twice.

The answer is kept by the transaction that does what is asked, so that there is never one without the other, whatever
crashes when. Two at once: the second waits for the first, and gets its answer.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.api.phrases import Phrase
from lms.api.problems import KEY_REUSED, ProblemError, bad_field
from lms.api.tables import idempotency
from lms.database.transaction import Transaction

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
KEPT: Final = timedelta(days=1)  # who tries again for longer has another problem

_FORM: Final = re.compile(r"[!-~]{1,128}")


class Kept(msgspec.Struct, frozen=True):
    """An answer that was given before."""

    status: int
    headers: dict[str, str]
    content: bytes


def check_key(key: str) -> None:
    """Raise ProblemError for a key that is none."""
    if not _FORM.fullmatch(key):
        raise bad_field(
            IDEMPOTENCY_KEY,
            key,
            Phrase("1 to 128 visible ASCII characters", "من 1 إلى 128 محرفًا ظاهرًا من محارف ASCII"),
            "pattern",
        )


def hash_request(method: str, path: str, content: bytes) -> bytes:
    """Return what tells one request from another."""
    return hashlib.sha256(f"{method} {path}\n".encode("utf-8", "surrogateescape") + content).digest()


async def begin(transaction: Transaction, user_id: UUID, key: str, request_hash: bytes) -> Kept | None:
    """Return the earlier answer, or None for a new request; raises ProblemError (`idempotency_key_reused`)."""
    insert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    of_key = (idempotency.c.org_id == transaction.org_id, idempotency.c.user_id == user_id, idempotency.c.key == key)
    await transaction.execute(delete(idempotency).where(*of_key, idempotency.c.created_at < transaction.now - KEPT))
    made = await transaction.first(
        insert(idempotency)
        .values(
            org_id=transaction.org_id,
            user_id=user_id,
            key=key,
            request_hash=request_hash,
            created_at=transaction.now,
        )
        .on_conflict_do_nothing()
        .returning(idempotency.c.key)
    )
    if made is not None:
        return None
    earlier = await transaction.one(select(idempotency).where(*of_key))
    if earlier.request_hash != request_hash:
        raise ProblemError(KEY_REUSED, field=IDEMPOTENCY_KEY, value=key, rule="unique")
    return Kept(earlier.status, msgspec.json.decode(earlier.headers), earlier.content)


async def keep(transaction: Transaction, user_id: UUID, key: str, kept: Kept) -> None:
    """Keep the answer with what was done."""
    await transaction.execute(
        update(idempotency)
        .where(
            idempotency.c.org_id == transaction.org_id,
            idempotency.c.user_id == user_id,
            idempotency.c.key == key,
        )
        .values(status=kept.status, headers=msgspec.json.encode(kept.headers).decode(), content=kept.content)
    )


async def forget_old(transaction: Transaction) -> int:
    """Delete answers of more than a day ago and return how many; a job of the whole service."""
    done = await transaction.execute(delete(idempotency).where(idempotency.c.created_at < transaction.now - KEPT))
    return done.rowcount
