"""What others are told of grades, by the outbox: whose changed, never which points."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lms.database.transaction import Transaction
from lms.outbox.send import Outbox

UPDATED: Final = "grade.updated"


async def tell_grades(transaction: Transaction, outbox: Outbox, item: Row[Any], user_ids: Collection[UUID]) -> None:
    """Have it told that grades of an item changed, or can be seen now; key is the item, so that order holds for it."""
    if not user_ids:
        return
    payload = {
        "course_id": str(item.course_id),
        "item_id": str(item.id),
        "user_ids": sorted(str(each) for each in user_ids),
        "published": not item.hidden,
    }
    await outbox.send(transaction, UPDATED, key=str(item.id), payload=payload)
