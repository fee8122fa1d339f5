"""Queries of webhooks: reading them with their topics and what waits, and writing their topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select

from lms.database.transaction import Transaction
from lms.webhooks.messages import WebhookView
from lms.webhooks.tables import DeliveryState, webhook, webhook_delivery, webhook_topic


async def find_webhook(transaction: Transaction, webhook_id: UUID) -> Row[Any] | None:
    """Return a receiver; who writes holds the row until the end."""
    statement = select(webhook).where(webhook.c.org_id == transaction.org_id, webhook.c.id == webhook_id)
    return await transaction.first(statement.with_for_update() if transaction.writes else statement)


async def views_of(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[WebhookView]:
    """Return receivers as they are told; two queries for all."""
    ids = [row.id for row in rows]
    topics: dict[UUID, list[str]] = {each: [] for each in ids}
    for row in await transaction.rows(
        select(webhook_topic)
        .where(webhook_topic.c.org_id == transaction.org_id, webhook_topic.c.webhook_id.in_(ids))
        .order_by(webhook_topic.c.topic)
    ):
        topics[row.webhook_id].append(row.topic)
    counted = await transaction.rows(
        select(webhook_delivery.c.webhook_id, webhook_delivery.c.state, func.count().label("events"))
        .where(
            webhook_delivery.c.org_id == transaction.org_id,
            webhook_delivery.c.webhook_id.in_(ids),
            webhook_delivery.c.state != DeliveryState.DELIVERED,
        )
        .group_by(webhook_delivery.c.webhook_id, webhook_delivery.c.state)
    )
    events = {(row.webhook_id, row.state): row.events for row in counted}
    return [_view(row, topics[row.id], events) for row in rows]


async def set_topics(transaction: Transaction, webhook_id: UUID, topics: Iterable[str]) -> None:
    """Have a receiver told of these topics, and no others."""
    await transaction.execute(
        delete(webhook_topic).where(
            webhook_topic.c.org_id == transaction.org_id, webhook_topic.c.webhook_id == webhook_id
        )
    )
    rows = [{"org_id": transaction.org_id, "webhook_id": webhook_id, "topic": topic} for topic in dict.fromkeys(topics)]
    await transaction.execute(insert(webhook_topic), rows)


def _view(row: Row[Any], topics: Sequence[str], events: Mapping[tuple[UUID, DeliveryState], int]) -> WebhookView:
    return WebhookView(
        id=row.id,
        name=row.name,
        url=row.url,
        topics=tuple(topics),
        active=row.active,
        previous_secret_until=row.previous_until,
        waiting=events.get((row.id, DeliveryState.WAITING), 0),
        dead=events.get((row.id, DeliveryState.DEAD), 0),
        failures=row.failures,
        failing_since=row.failing_since,
        error=row.error,
        next_attempt_at=row.next_at if row.failures else None,
        succeeded_at=row.succeeded_at,
        created_at=row.created_at,
        version=row.version,
    )
