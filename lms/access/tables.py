"""Tables of logins: who is logged in where, earlier passwords, and links that work once."""

from __future__ import annotations

import enum

from sqlalchemy import Column, Index

from lms.database.tables import choice, reference, tenant_table
from lms.database.types import BYTES, TEXT, Flag, Id, Time

login = tenant_table(
    "login",
    *reference("user_id", "app_user"),
    Column("by_cookie", Flag, nullable=False),
    Column("address", TEXT),
    Column("user_agent", TEXT),
    Column("created_at", Time, nullable=False),
    Column("used_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("ended_because", TEXT),
    Index("ix_login_user", "org_id", "user_id", "created_at"),
    Index("ix_login_expires", "expires_at"),
)

refresh_token = tenant_table(
    "refresh_token",
    Column("hash", BYTES, nullable=False),
    *reference("login_id", "login", on_delete="CASCADE"),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    Index("ix_refresh_token_login", "org_id", "login_id"),
    key=("hash",),
)

password_history = tenant_table(
    "password_history",
    *reference("user_id", "app_user"),
    Column("password_hash", TEXT, nullable=False),
    Column("created_at", Time, nullable=False),
    Index("ix_password_history_user", "org_id", "user_id", "id"),
)


class LinkKind(enum.Enum):
    """What a link in a mail is for."""

    INVITATION = "invitation"
    RESET = "reset"
    VERIFICATION = "verification"


mailed_link = tenant_table(
    "mailed_link",
    *reference("user_id", "app_user"),
    *choice("kind", LinkKind, nullable=False),
    Column("email", TEXT, nullable=False),
    Column("created_by", Id),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    Index("ix_mailed_link_user", "org_id", "user_id", "kind"),
)
