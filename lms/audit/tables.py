"""Tables of the audit log: the entries, and where the chain of each organization begins and ends."""

from __future__ import annotations

import enum

from sqlalchemy import Column, Index

from lms.database.tables import choice, tenant_table
from lms.database.types import BYTES, INTEGER, TEXT, Id, Json, Time


class ActorKind(enum.Enum):
    """Who did something."""

    USER = "user"
    SERVICE = "service"
    """This service by itself: a job, an event from the media server."""
    NOBODY = "nobody"
    """Somebody who is not logged in."""


audit_log = tenant_table(
    "audit_log",
    Column("seq", INTEGER, nullable=False),
    Column("actor_id", Id),
    *choice("actor_kind", ActorKind, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("entity_id", TEXT),
    Column("old", Json),
    Column("new", Json),
    Column("address", TEXT),
    Column("user_agent", TEXT),
    Column("request_id", TEXT),
    Column("at", Time, nullable=False),
    Column("previous_hash", BYTES, nullable=False),
    Column("hash", BYTES, nullable=False),
    # Digests of who asked from where, and of what changed, each with its salt: the entry's hash covers the digests, so
    # that what is personal can be taken out when somebody is erased. Without a salt it was. Old entries have neither.
    Column("origin_hash", BYTES),
    Column("origin_salt", BYTES),
    Column("content_hash", BYTES),
    Column("content_salt", BYTES),
    Index("ix_audit_log_actor", "org_id", "actor_id", "seq"),
    Index("ix_audit_log_entity", "org_id", "entity", "entity_id", "seq"),
    key=("seq",),
    append_only=True,
)

audit_head = tenant_table(
    "audit_head",
    Column("seq", INTEGER, nullable=False),
    Column("hash", BYTES, nullable=False),
    key=(),
)

audit_anchor = tenant_table(
    "audit_anchor",
    Column("seq", INTEGER, nullable=False),
    Column("hash", BYTES, nullable=False),
    Column("at", Time, nullable=False),
    key=(),
)
"""Up to where entries were deleted because their time was over; only these can be."""
