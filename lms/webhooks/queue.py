"""What a receiver is still to be told: written with the change that it is told of, read in the order of the events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Insert, Row, bindparam, delete, insert, literal, or_, select, update

from lms.database.transaction import Transaction
from lms.database.types import TEXT, Choice, Id, Json, Time
from lms.outbox.send import Sent
from lms.webhooks.tables import DeliveryState, webhook, webhook_delivery, webhook_topic
from lms.webhooks.topics import EVERYTHING, TOPICS

BATCH_EVENTS_MAX: Final = 100  # in one delivery, some 30 kB
DELIVERED_KEPT: Final = timedelta(days=7)
DEAD_KEPT: Final = timedelta(days=30)

_COLUMNS: Final = ("org_id", "webhook_id", "event_id", "topic", "payload", "state", "attempts", "created_at")


def _for_receivers() -> Insert:
    """Return the statement that notes a message for every active receiver of its topic: built once."""
    wanted = (
        select(webhook_topic.c.webhook_id)
        .where(
            webhook_topic.c.org_id == webhook.c.org_id,
            webhook_topic.c.webhook_id == webhook.c.id,
            or_(webhook_topic.c.topic == bindparam("about", type_=TEXT), webhook_topic.c.topic == EVERYTHING),
        )
        .exists()
    )
    receivers = select(
        webhook.c.org_id,
        webhook.c.id,
        bindparam("event", type_=Id()),
        bindparam("about", type_=TEXT),
        bindparam("told", type_=Json()),
        bindparam("first", type_=Choice(DeliveryState)),
        literal(0),
        bindparam("at", type_=Time()),
    ).where(webhook.c.org_id == bindparam("for_org", type_=Id()), webhook.c.active.is_(True), wanted)
    return insert(webhook_delivery).from_select(_COLUMNS, receivers)


_FOR_RECEIVERS: Final = _for_receivers()


class DeliveryQueue:
    """Takes each message of the outbox for those who want to be told of it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    async def take(self, transaction: Transaction, sent: Sent) -> None:
        """Note a message for every active receiver of its topic."""
        if sent.topic not in TOPICS:
            return
        values = {
            "for_org": sent.org_id,
            "event": sent.id,
            "about": sent.topic,
            "told": sent.payload,
            "first": DeliveryState.WAITING,
            "at": transaction.now,
        }
        done = await transaction.execute(_FOR_RECEIVERS, values)
        if done.rowcount and self._wake not in transaction.after_commit:
            transaction.after_commit.append(self._wake)


async def add_delivery(transaction: Transaction, webhook_id: UUID, event_id: UUID, topic: str) -> None:
    """Have one receiver told something that no one else is told."""
    await transaction.execute(
        insert(webhook_delivery).values(
            org_id=transaction.org_id,
            webhook_id=webhook_id,
            event_id=event_id,
            topic=topic,
            payload={},
            state=DeliveryState.WAITING,
            attempts=0,
            created_at=transaction.now,
        )
    )


async def waiting(transaction: Transaction, org_id: UUID, webhook_id: UUID) -> Sequence[Row[Any]]:
    """Return what a receiver is to be told next, in order."""
    return await transaction.rows(
        select(webhook_delivery)
        .where(
            webhook_delivery.c.org_id == org_id,
            webhook_delivery.c.webhook_id == webhook_id,
            webhook_delivery.c.state == DeliveryState.WAITING,
        )
        .order_by(webhook_delivery.c.event_id)
        .limit(BATCH_EVENTS_MAX)
    )


async def end_deliveries(
    transaction: Transaction, rows: Sequence[Row[Any]], state: DeliveryState, error: str | None = None
) -> None:
    """Note what became of an attempt at these events of one receiver."""
    if not rows:
        return
    ended = None if state is DeliveryState.WAITING else transaction.now
    await transaction.execute(
        update(webhook_delivery)
        .where(
            webhook_delivery.c.org_id == rows[0].org_id,
            webhook_delivery.c.webhook_id == rows[0].webhook_id,
            webhook_delivery.c.event_id.in_([row.event_id for row in rows]),
        )
        .values(state=state, attempts=webhook_delivery.c.attempts + 1, ended_at=ended, error=error)
    )


async def replay_dead(transaction: Transaction, webhook_id: UUID) -> int:
    """Have everything that was given up delivered again, in order, and return how many events that are."""
    done = await transaction.execute(
        update(webhook_delivery)
        .where(
            webhook_delivery.c.org_id == transaction.org_id,
            webhook_delivery.c.webhook_id == webhook_id,
            webhook_delivery.c.state == DeliveryState.DEAD,
        )
        .values(state=DeliveryState.WAITING, ended_at=None, created_at=transaction.now)
    )
    return done.rowcount


async def forget_old(transaction: Transaction) -> int:
    """Delete what was delivered a week ago or given up a month ago, and return how many; a job of the whole service."""
    done = await transaction.execute(
        delete(webhook_delivery).where(
            or_(
                (webhook_delivery.c.state == DeliveryState.DELIVERED)
                & (webhook_delivery.c.ended_at < transaction.now - DELIVERED_KEPT),
                (webhook_delivery.c.state == DeliveryState.DEAD)
                & (webhook_delivery.c.ended_at < transaction.now - DEAD_KEPT),
            )
        )
    )
    return done.rowcount
