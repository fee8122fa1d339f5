"""The table of notifications."""

from __future__ import annotations

from sqlalchemy import Column, Index, UniqueConstraint

from lms.database.tables import reference, tenant_table
from lms.database.types import TEXT, Json, Time

notification = tenant_table(
    "notification",
    *reference("user_id", "app_user"),
    # Of `kinds.Kind`; modules to come add theirs without a migration.
    Column("kind", TEXT, nullable=False),
    # What happened: the same thing is told once, however often it is found.
    Column("source", TEXT, nullable=False),
    Column("about", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("read_at", Time),
    UniqueConstraint("org_id", "user_id", "source"),
    Index("ix_notification_user", "org_id", "user_id", "id"),
)
