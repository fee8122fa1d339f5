"""Tables of people: accounts, their roles, and guardians."""

from __future__ import annotations

import enum

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, text

from lms.access.roles import Role
from lms.database.tables import choice, reference, tenant_table
from lms.database.types import INTEGER, TEXT, Id, Time


class UserStatus(enum.Enum):
    """Whether an account may be used."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    """Invited, and has not set a password yet; or has left."""
    SUSPENDED = "suspended"
    BANNED = "banned"


app_user = tenant_table(
    "app_user",
    Column("code", TEXT, nullable=False),
    Column("external_id", TEXT),
    Column("email", TEXT),
    Column("email_norm", TEXT),
    Column("email_verified_at", Time),
    Column("phone", TEXT),
    Column("display_name", TEXT, nullable=False),
    Column("sort_key", TEXT, nullable=False),
    Column("given_name", TEXT),
    Column("family_name", TEXT),
    Column("language", TEXT),
    Column("time_zone", TEXT),
    Column("password_hash", TEXT),
    Column("password_changed_at", Time),
    *choice("status", UserStatus, nullable=False),
    Column("token_version", INTEGER, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("last_login_at", Time),
    Column("deleted_at", Time),
    UniqueConstraint("org_id", "code"),
    UniqueConstraint("org_id", "external_id"),
    Index(
        "ux_app_user_email",
        "org_id",
        "email_norm",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
        sqlite_where=text("deleted_at IS NULL"),
    ),
    Index("ix_app_user_sort", "org_id", "sort_key", "id"),
)

membership = tenant_table(
    "membership",
    *reference("user_id", "app_user"),
    *choice("role", Role, nullable=False),
    Column("branch_id", Id),
    # A role holds in the whole organization or in one branch: NULLs are not distinct here, in either database.
    Column("branch_key", TEXT, nullable=False),
    Column("created_at", Time, nullable=False),
    ForeignKeyConstraint(["org_id", "branch_id"], ["branch.org_id", "branch.id"]),
    key=("user_id", "role", "branch_key"),
)

code_counter = tenant_table(
    "code_counter",
    Column("prefix", TEXT, nullable=False),
    Column("last", INTEGER, nullable=False),
    key=("prefix",),
)

guardian = tenant_table(
    "guardian",
    *reference("observer_id", "app_user"),
    *reference("student_id", "app_user"),
    Column("created_at", Time, nullable=False),
    key=("observer_id", "student_id"),
)
