"""What devices sent from their queues, and what became of it."""

from __future__ import annotations

from sqlalchemy import Column, Index

from lms.database.tables import reference, tenant_table
from lms.database.types import BYTES, TEXT, Json, Time

sync_operation = tenant_table(
    "sync_operation",
    *reference("user_id", "app_user"),
    Column("device_id", TEXT, nullable=False),
    # Chosen by the device; sent again with the same one, it is known.
    Column("operation_id", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    # SHA-256 of kind and body.
    Column("content_hash", BYTES, nullable=False),
    Column("result", Json),
    Column("applied_at", Time, nullable=False),
    Index("ix_sync_operation_applied", "applied_at"),
    key=("user_id", "device_id", "operation_id"),
)
"""Those that were applied; what was refused changed nothing, and may be sent again."""
