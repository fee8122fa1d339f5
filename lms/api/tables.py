"""The table of answers to requests with an Idempotency-Key, kept with what the requests did."""

from __future__ import annotations

from sqlalchemy import Column, Index

from lms.database.tables import tenant_table
from lms.database.types import BYTES, INTEGER, TEXT, Id, Time

idempotency = tenant_table(
    "idempotency",
    Column("user_id", Id, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("request_hash", BYTES, nullable=False),
    Column("status", INTEGER),
    Column("headers", TEXT),
    Column("content", BYTES),
    Column("created_at", Time, nullable=False),
    Index("ix_idempotency_created", "created_at"),
    key=("user_id", "key"),
)
