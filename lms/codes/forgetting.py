"""Access codes and attempts at them that are too old to matter are deleted: jobs of the whole service."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete

from lms.codes.tables import access_code, code_attempt
from lms.database.transaction import Transaction

CODES_KEPT: Final = timedelta(days=90)
"""After they ended or expired: so long it can be seen who came by them. Enrolments that they made stay."""
ATTEMPTS_KEPT: Final = timedelta(days=30)
"""They hold addresses."""


async def forget_old(transaction: Transaction) -> int:
    """Delete codes that opened nothing for long, with their redemptions, and old attempts; return how many."""
    oldest = transaction.now - CODES_KEPT
    codes = await transaction.execute(
        delete(access_code).where((access_code.c.expires_at < oldest) | (access_code.c.ended_at < oldest))
    )
    attempts = await transaction.execute(
        delete(code_attempt).where(code_attempt.c.at < transaction.now - ATTEMPTS_KEPT)
    )
    return codes.rowcount + attempts.rowcount
