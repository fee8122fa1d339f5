"""Tables of organizations: every other row of the service belongs to one."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text

from lms.database.tables import choice, service_table, tenant_table
from lms.database.types import INTEGER, TEXT, Id, Json, Time


class OrganizationStatus(enum.Enum):
    """Whether an organization may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Nobody of it can log in."""


class Plan(enum.Enum):
    """What an organization has agreed to; quotas are in `quota`."""

    FREE = "free"
    BASIC = "basic"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


organization = service_table(
    "organization",
    Column("id", Id, primary_key=True),
    Column("slug", TEXT, nullable=False, unique=True),
    Column("name", TEXT, nullable=False),
    *choice("plan", Plan, nullable=False),
    *choice("status", OrganizationStatus, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("language", TEXT, nullable=False),
    Column("settings", Json, nullable=False),
    Column("quota", Json, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("deleted_at", Time),
    CheckConstraint("length(slug) BETWEEN 3 AND 100", name="slug"),
    org_column="id",
)

org_host = service_table(
    "org_host",
    Column("org_id", Id, ForeignKey("organization.id"), nullable=False),
    Column("host", TEXT, nullable=False),
    Column("token", TEXT, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("verified_at", Time),
    # When DNS was first found to hold the proof, this time. None: nobody asked, as the operator gave the host.
    Column("proven_at", Time),
    # Since when DNS does not hold it any more, and when people were told of that.
    Column("missing_since", Time),
    Column("warned_at", Time),
    PrimaryKeyConstraint("org_id", "host"),
    Index(  # many may claim a host, one has it
        "uq_org_host_verified",
        "host",
        unique=True,
        postgresql_where=text("verified_at IS NOT NULL"),
        sqlite_where=text("verified_at IS NOT NULL"),
    ),
    org_column="org_id",
)

branch = tenant_table(
    "branch",
    Column("slug", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("settings", Json, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    UniqueConstraint("org_id", "slug"),
)
