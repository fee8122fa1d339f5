"""The outbox's table: messages in the order in which they were written; those without `published_at` are due."""

from __future__ import annotations

from sqlalchemy import Column, Index, text

from lms.database.tables import tenant_table
from lms.database.types import INTEGER, TEXT, Json, Time

outbox = tenant_table(
    "outbox",
    Column("topic", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("payload", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("published_at", Time),
    Column("attempts", INTEGER, nullable=False),
    Column("next_at", Time, nullable=False),
    Column("error", TEXT),
    Index(
        "ix_outbox_due",
        "next_at",
        "id",
        postgresql_where=text("published_at IS NULL"),
        sqlite_where=text("published_at IS NULL"),
    ),
)
