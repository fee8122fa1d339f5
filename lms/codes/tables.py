"""Tables of access codes: the codes, who redeemed them, and every attempt."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint

from lms.codes.code import CodeKind, CodeScope
from lms.database.tables import choice, reference, tenant_table
from lms.database.types import BYTES, INTEGER, TEXT, Flag, Id, Time

_OPENS_ONE = (
    "(scope = 'course' AND course_id IS NOT NULL AND class_id IS NULL AND recording_id IS NULL)"
    " OR (scope = 'class' AND class_id IS NOT NULL AND course_id IS NULL AND recording_id IS NULL)"
    " OR (scope = 'recording' AND recording_id IS NOT NULL AND course_id IS NULL AND class_id IS NULL)"
)

access_code = tenant_table(
    "access_code",
    Column("code_hmac", BYTES, nullable=False),
    Column("last_signs", TEXT, nullable=False),
    *choice("scope", CodeScope, nullable=False),
    *reference("course_id", "course", nullable=True),
    # Of the course: whoever redeems the code is in it, too.
    *reference("group_id", "course_group", nullable=True),
    *reference("class_id", "live_class", nullable=True),
    *reference("recording_id", "recording", nullable=True),
    *choice("kind", CodeKind, nullable=False),
    Column("max_uses", INTEGER),
    Column("uses", INTEGER, nullable=False),
    Column("expires_at", Time),
    Column("active", Flag, nullable=False),
    Column("note", TEXT, nullable=False),
    *reference("created_by", "app_user"),
    Column("created_at", Time, nullable=False),
    Column("ended_at", Time),
    CheckConstraint(_OPENS_ONE, name="opens_one"),
    CheckConstraint("uses >= 0 AND uses <= coalesce(max_uses, uses)", name="uses"),
    UniqueConstraint("org_id", "code_hmac"),
    Index("ix_access_code_course", "org_id", "course_id", "id"),
    Index("ix_access_code_class", "org_id", "class_id", "id"),
    Index("ix_access_code_recording", "org_id", "recording_id", "id"),
)

code_redemption = tenant_table(
    "code_redemption",
    *reference("code_id", "access_code", on_delete="CASCADE"),
    *reference("user_id", "app_user"),
    Column("at", Time, nullable=False),
    Column("address", TEXT),
    key=("code_id", "user_id"),
)

code_attempt = tenant_table(
    "code_attempt",
    *reference("user_id", "app_user"),
    Column("address", TEXT),
    Column("at", Time, nullable=False),
    Column("succeeded", Flag, nullable=False),
    # Without a key: a code may be gone while what was tried is still known.
    Column("code_id", Id),
    Index("ix_code_attempt_at", "org_id", "at"),
)
"""Every attempt, what was typed not among it."""
