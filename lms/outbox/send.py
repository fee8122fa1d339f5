"""Writing into the outbox: the message is there if and only if the change that it tells of is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.outbox.tables import outbox


class Outbox:
    """Takes messages; `wake` is called after a commit that wrote some."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._wake: list[Any] = []

    def on_message(self, wake: Any) -> None:
        """Have a function called, without arguments, after each commit that wrote messages."""
        self._wake.append(wake)

    async def send(
        self, transaction: Transaction, topic: str, *, key: str, payload: dict[str, Any], org_id: UUID | None = None
    ) -> None:
        """Have somebody told, once the transaction is committed: messages of one topic and key in this order.

        `org_id` is for transactions of the whole service.
        """
        await transaction.execute(
            insert(outbox).values(
                org_id=org_id or transaction.org_id,
                id=self._ids.new(),
                topic=topic,
                key=key,
                payload=payload,
                created_at=transaction.now,
                attempts=0,
                next_at=transaction.now,
            )
        )
        transaction.after_commit.extend(wake for wake in self._wake if wake not in transaction.after_commit)
