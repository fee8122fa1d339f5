"""The table of requests for somebody's data: who asked, what came of it, and the archive while it can be fetched."""

from __future__ import annotations

import enum

from sqlalchemy import Column, Index

from lms.database.tables import choice, reference, tenant_table
from lms.database.types import BYTES, INTEGER, Id, Json, Time


class RequestKind(enum.Enum):
    """What is asked."""

    EXPORT = "export"
    ERASURE = "erasure"


class RequestState(enum.Enum):
    """How far it is."""

    WAITING = "waiting"
    DONE = "done"
    EXPIRED = "expired"
    """The archive is gone: it was there to be fetched for a week."""


data_request = tenant_table(
    "data_request",
    *reference("user_id", "app_user"),
    *choice("kind", RequestKind, nullable=False),
    *choice("state", RequestState, nullable=False),
    Column("requested_by", Id, nullable=False),
    # How many rows of each section were told, or erased.
    Column("counts", Json, nullable=False),
    Column("archive", BYTES),
    Column("size_bytes", INTEGER),
    Column("created_at", Time, nullable=False),
    Column("done_at", Time),
    Column("expires_at", Time),
    Index("ix_data_request_user", "org_id", "user_id", "id"),
    Index("ix_data_request_expires", "expires_at"),
)
