"""When somebody was there last."""

from __future__ import annotations

from sqlalchemy import Column

from lms.database.tables import reference, tenant_table
from lms.database.types import Time

last_seen = tenant_table(
    "last_seen",
    *reference("user_id", "app_user"),
    Column("at", Time, nullable=False),
    key=("user_id",),
)
"""Written when their last connection has ended."""
