"""Brings each receiver what waits for it: one delivery at a time, so that order holds, and again until it is taken.

A receiver is one process's while it is told something: `next_at` is put into the future first, so that other processes
pass it over, and find it again if this one dies.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, select, update

from lms.clock import Clock
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.webhooks.queue import end_deliveries, waiting
from lms.webhooks.rules import is_dead, live_keys, retry_pause
from lms.webhooks.settings import WebhookSettings
from lms.webhooks.tables import DeliveryState, webhook, webhook_delivery
from webapi.webhooks.sender import DeliveryFailedError, Sender
from webapi.webhooks.signature import sign

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""Between looks at the tables when nobody wakes us: for what other processes wrote, and for second attempts."""
HELD: Final = timedelta(seconds=60)
"""For so long a receiver is one process's; longer than any time-out for its answer."""
AT_ONCE_MAX: Final = 16
"""Receivers that are told something at the same time; one that does not answer holds up no other."""
ERROR_CHARACTERS_MAX: Final = 200


@dataclass(slots=True)
class WebhookCounts:
    """What this process delivered, for metrics."""

    delivered: int = 0
    failed: int = 0
    """Attempts."""
    dead: int = 0


class WebhookDeliveries:
    """Runs from `start` to `close`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: WebhookSettings,
        secrets: Sequence[str],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._secrets = secrets
        self._chance = chance
        self._sender: Sender | None = None
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self.counts = WebhookCounts()

    def wake(self) -> None:
        """Look at the tables now."""
        self._woken.set()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def close(self) -> None:
        """Stop; what was under way is delivered again."""
        tasks = [*self._telling] if self._task is None else [self._task, *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()
            self._sender = None

    async def run_once(self) -> None:
        """Deliver what is due now, and wait for it; for tests, and for the end of a demo."""
        while True:
            begun = await self._begin()
            if not begun and not self._telling:
                return
            await asyncio.gather(*self._telling)

    async def _run(self) -> None:
        while True:
            try:
                self._woken.clear()
                while await self._begin() and len(self._telling) < AT_ONCE_MAX:
                    pass
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            except Exception:
                logger.exception("webhooks could not be read")
                await asyncio.sleep(LOOK_S)

    async def _begin(self) -> int:
        """Begin to tell those receivers something who may be told now, and return how many these are."""
        room = AT_ONCE_MAX - len(self._telling)
        if room <= 0:
            return 0
        async with self._database.write_all() as transaction:
            rows = await transaction.rows(_due(transaction, room))
            for row in rows:
                await _change(transaction, row, next_at=transaction.now + HELD)
        for row in rows:
            task = asyncio.create_task(self._tell(row), name=f"webhook {row.id}")
            self._telling.add(task)
            task.add_done_callback(self._told)
        return len(rows)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a webhook could not be worked on", exc_info=error)

    async def _tell(self, receiver: Row[Any]) -> None:
        """Make one attempt at what waits for a receiver."""
        async with self._database.read(receiver.org_id) as transaction:
            rows = await waiting(transaction, receiver.org_id, receiver.id)
        error = None
        if rows:
            try:
                await self._send(receiver, rows)
            except DeliveryFailedError as failed:
                error = str(failed)[:ERROR_CHARACTERS_MAX]
        async with self._database.write(receiver.org_id) as transaction:
            if error is None:
                await self._succeeded(transaction, receiver, rows)
            else:
                await self._failed(transaction, receiver, rows, error)

    async def _send(self, receiver: Row[Any], rows: Sequence[Row[Any]]) -> None:
        if self._sender is None:
            chosen = self._settings
            self._sender = Sender(allow_private_addresses=chosen.allow_private_addresses, timeout_s=chosen.timeout_s)
        now = self._clock.now()
        keys = live_keys(self._secrets, receiver.id, receiver.generation, receiver.previous_until, now)
        body = build_body(receiver.org_id, rows)
        await self._sender.send(receiver.url, sign(keys, str(rows[0].event_id), int(now.timestamp()), body), body)

    async def _succeeded(self, transaction: Transaction, receiver: Row[Any], rows: Sequence[Row[Any]]) -> None:
        await end_deliveries(transaction, rows, DeliveryState.DELIVERED)
        now = transaction.now
        taken: dict[str, Any] = {"succeeded_at": now} if rows else {}
        await _change(transaction, receiver, next_at=now, failures=0, failing_since=None, error=None, **taken)
        if receiver.failures:
            logger.info("a webhook is taken again", extra={"webhook": str(receiver.id)})
        self.counts.delivered += len(rows)

    async def _failed(self, transaction: Transaction, receiver: Row[Any], rows: Sequence[Row[Any]], error: str) -> None:
        now = transaction.now
        since = receiver.failing_since or now
        give_up = timedelta(seconds=self._settings.give_up_s)
        dead = [row for row in rows if is_dead(row.created_at, since, now, give_up)]
        await end_deliveries(transaction, dead, DeliveryState.DEAD, error)
        await end_deliveries(transaction, [row for row in rows if row not in dead], DeliveryState.WAITING, error)
        failures = receiver.failures + 1
        pause = retry_pause(failures, self._chance())
        await _change(transaction, receiver, next_at=now + pause, failures=failures, failing_since=since, error=error)
        if failures == 1:
            logger.warning("a webhook fails", extra={"webhook": str(receiver.id), "because": error})
        if dead:
            told = {"webhook": str(receiver.id), "events": len(dead), "because": error}
            logger.error("events are dead letters now", extra=told)
        self.counts.failed += 1
        self.counts.dead += len(dead)


def build_body(org_id: UUID, rows: Sequence[Row[Any]]) -> bytes:
    """Return the body of a delivery."""
    events: list[Mapping[str, Any]] = [
        {"id": row.event_id, "topic": row.topic, "at": row.created_at, "organization_id": org_id, "data": row.payload}
        for row in rows
    ]
    return msgspec.json.encode({"events": events})


async def count_waiting(transaction: Transaction) -> tuple[int, int]:
    """Return how many events wait, and how many are dead, in all organizations."""
    rows = await transaction.rows(
        select(webhook_delivery.c.state, func.count().label("events"))
        .where(webhook_delivery.c.state != DeliveryState.DELIVERED)
        .group_by(webhook_delivery.c.state)
    )
    found = {row.state: row.events for row in rows}
    return found.get(DeliveryState.WAITING, 0), found.get(DeliveryState.DEAD, 0)


def _due(transaction: Transaction, most: int) -> Any:
    has_waiting = (
        select(webhook_delivery.c.event_id)
        .where(
            webhook_delivery.c.org_id == webhook.c.org_id,
            webhook_delivery.c.webhook_id == webhook.c.id,
            webhook_delivery.c.state == DeliveryState.WAITING,
        )
        .exists()
    )
    return (
        select(webhook)
        .where(webhook.c.next_at <= transaction.now, webhook.c.active.is_(True), has_waiting)
        .order_by(webhook.c.next_at, webhook.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )


async def _change(transaction: Transaction, receiver: Row[Any], **values: Any) -> None:
    await transaction.execute(
        update(webhook).where(webhook.c.org_id == receiver.org_id, webhook.c.id == receiver.id).values(**values)
    )
