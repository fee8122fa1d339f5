"""Writing into the outbox: the message is there if and only if the change that it tells of is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert

from lms.database.prepared import Prepared
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.outbox.tables import outbox


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is being written."""

    org_id: UUID
    id: UUID
    topic: str
    payload: dict[str, Any]


_INSERT: Final = insert(outbox)

Take = Callable[[Transaction, Sent], Awaitable[None]]


class Outbox:
    """Takes messages; `wake` is called after a commit that wrote some."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._wake: list[Any] = []
        self._takers: list[Take] = []
        self._acted_on: Callable[[str], bool] = lambda _topic: True

    def on_message(self, wake: Any) -> None:
        """Have a function called, without arguments, after each commit that wrote messages."""
        self._wake.append(wake)

    def also_write(self, take: Take) -> None:
        """Have a function write what follows from each message, in its transaction."""
        self._takers.append(take)

    def done_unless(self, acted_on: Callable[[str], bool]) -> None:
        """Have messages of topics that nobody acts on be done at once: they cost no second transaction."""
        self._acted_on = acted_on

    async def send(
        self, transaction: Transaction, topic: str, *, key: str, payload: dict[str, Any], org_id: UUID | None = None
    ) -> None:
        """Have somebody told, once the transaction is committed: messages of one topic and key in this order.

        `org_id` is for transactions of the whole service.
        """
        sent = Sent(org_id or transaction.org_id, self._ids.new(), topic, payload)
        row = {
            "org_id": sent.org_id,
            "id": sent.id,
            "topic": topic,
            "key": key,
            "payload": payload,
            "created_at": transaction.now,
            "attempts": 0,
            "next_at": transaction.now,
            "published_at": None if self._acted_on(topic) else transaction.now,
        }
        await transaction.later(Prepared(_INSERT, row))
        for take in self._takers:
            await take(transaction, sent)
        if row["published_at"] is not None:
            return
        transaction.after_commit.extend(wake for wake in self._wake if wake not in transaction.after_commit)
