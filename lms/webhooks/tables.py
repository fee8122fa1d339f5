"""Tables of webhooks: the receivers, what each is told of, and what each is still to be told."""

from __future__ import annotations

import enum

from sqlalchemy import Column, Index, text

from lms.database.tables import choice, reference, tenant_table
from lms.database.types import INTEGER, TEXT, Flag, Id, Json, Time


class DeliveryState(enum.Enum):
    """What became of one event for one receiver."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; it waits for a replay."""


webhook = tenant_table(
    "webhook",
    Column("name", TEXT, nullable=False),
    Column("url", TEXT, nullable=False),
    Column("active", Flag, nullable=False),
    # Its secret is made of the service's and of this number; the one before is live until `previous_until`.
    Column("generation", INTEGER, nullable=False),
    Column("previous_until", Time),
    # Not before then it is told anything: a pause after a failure, or somebody is telling it now.
    Column("next_at", Time, nullable=False),
    Column("failures", INTEGER, nullable=False),
    Column("failing_since", Time),
    Column("error", TEXT),
    Column("succeeded_at", Time),
    Column("created_by", Id),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Index("ix_webhook_next", "next_at"),
)

webhook_topic = tenant_table(
    "webhook_topic",
    *reference("webhook_id", "webhook", on_delete="CASCADE"),
    Column("topic", TEXT, nullable=False),
    Index("ix_webhook_topic_topic", "org_id", "topic"),
    key=("webhook_id", "topic"),
)

webhook_delivery = tenant_table(
    "webhook_delivery",
    *reference("webhook_id", "webhook", on_delete="CASCADE"),
    # Of the outbox's message: deliveries go out in this order.
    Column("event_id", Id, nullable=False),
    Column("topic", TEXT, nullable=False),
    Column("payload", Json, nullable=False),
    *choice("state", DeliveryState, nullable=False),
    Column("attempts", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    # When it was taken or given up.
    Column("ended_at", Time),
    Column("error", TEXT),
    Index(
        "ix_webhook_delivery_waiting",
        "org_id",
        "webhook_id",
        "event_id",
        postgresql_where=text("state = 'waiting'"),
        sqlite_where=text("state = 'waiting'"),
    ),
    Index("ix_webhook_delivery_ended", "ended_at"),
    key=("webhook_id", "event_id"),
)
