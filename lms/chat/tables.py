"""Tables of chat: rooms, what is laid upon people in them, messages with earlier texts, reactions, reports.

A room counts twice: `last_seq` numbers its messages without holes; `change` everything that became different in it,
new messages too. Whoever was away asks for what has a higher `change` than they saw.
"""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text

from lms.chat.rules import RoomKind
from lms.database.tables import choice, reference, tenant_table
from lms.database.types import BYTES, INTEGER, TEXT, Flag, Id, Time


class MessageKind(enum.Enum):
    """What a message is."""

    TEXT = "text"
    SYSTEM = "system"
    """Written by the service: a class began, somebody cleared the room."""


class ReportReason(enum.Enum):
    """What somebody finds wrong with a message."""

    SPAM = "spam"
    HARASSMENT = "harassment"
    INAPPROPRIATE = "inappropriate"
    COPYRIGHT = "copyright"
    OTHER = "other"


class ReportStatus(enum.Enum):
    """What became of a report."""

    OPEN = "open"
    RESOLVED = "resolved"
    """Something was done."""
    DISMISSED = "dismissed"


chat_room = tenant_table(
    "chat_room",
    *choice("kind", RoomKind, nullable=False),
    # The run, course or group; of the staff's room the organization. None of two people.
    Column("ref_id", Id),
    # The two people, the lower id first: so both directions are one room.
    *reference("direct_low", "app_user", nullable=True),
    *reference("direct_high", "app_user", nullable=True),
    # Of a run's and a group's room: the course that it belongs to, if there is one.
    *reference("course_id", "course", nullable=True),
    Column("last_seq", INTEGER, nullable=False),
    Column("change", INTEGER, nullable=False),
    # The change that last made the room itself different.
    Column("room_change", INTEGER, nullable=False),
    # Everything up to this message was cleared or has run out, by this change.
    Column("cleared_seq", INTEGER, nullable=False),
    Column("locked", Flag, nullable=False),
    # None: as the organization keeps chat.
    Column("retention_days", INTEGER),
    Column("created_at", Time, nullable=False),
    # When something was said last; before that, when it was made.
    Column("active_at", Time, nullable=False),
    CheckConstraint("(kind = 'direct') = (ref_id IS NULL)", name="ref_id"),
    CheckConstraint("(kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)", name="direct"),
    CheckConstraint("direct_low < direct_high", name="direct_order"),
    CheckConstraint("last_seq >= 0 AND change >= last_seq AND cleared_seq <= last_seq", name="counts"),
    CheckConstraint("retention_days > 0", name="retention_days"),
    Index(
        "ux_chat_room_ref",
        "org_id",
        "kind",
        "ref_id",
        unique=True,
        postgresql_where=text("kind <> 'direct'"),
        sqlite_where=text("kind <> 'direct'"),
    ),
    Index(
        "ux_chat_room_direct",
        "org_id",
        "direct_low",
        "direct_high",
        unique=True,
        postgresql_where=text("kind = 'direct'"),
        sqlite_where=text("kind = 'direct'"),
    ),
    Index("ix_chat_room_high", "org_id", "direct_high"),
)

chat_member = tenant_table(
    "chat_member",
    *reference("room_id", "chat_room"),
    *reference("user_id", "app_user"),
    Column("last_read_seq", INTEGER, nullable=False),
    Column("last_read_at", Time),
    Column("muted_until", Time),
    Column("banned_at", Time),
    # Of the mute or ban.
    Column("reason", TEXT),
    Column("held_by", Id),
    Index("ix_chat_member_user", "org_id", "user_id"),
    key=("room_id", "user_id"),
)
"""Who has read or was muted or banned in a room; who belongs to it, enrolments and roles say."""

chat_message = tenant_table(
    "chat_message",
    *reference("room_id", "chat_room"),
    Column("seq", INTEGER, nullable=False),
    Column("id", Id, nullable=False),
    # None: the service.
    *reference("sender_id", "app_user", nullable=True),
    # The sender's device names a message before it sends it: sent again, it is known.
    Column("client_id", TEXT),
    Column("client_hash", BYTES),
    Column("client_at", Time),
    *choice("kind", MessageKind, nullable=False),
    Column("body", TEXT, nullable=False),
    # For search: `lms.text.search_form` of the body.
    Column("search_key", TEXT, nullable=False),
    Column("reply_to", Id),
    Column("edits", INTEGER, nullable=False),
    Column("change", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("edited_at", Time),
    Column("deleted_at", Time),
    Column("deleted_by", Id),
    Column("pinned_at", Time),
    Column("pinned_by", Id),
    CheckConstraint("seq > 0 AND edits >= 0", name="seq"),
    CheckConstraint("deleted_at IS NULL OR (body = '' AND search_key = '')", name="deleted_is_empty"),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("org_id", "sender_id", "client_id"),
    Index("ix_chat_message_change", "org_id", "room_id", "change"),
    Index("ix_chat_message_created", "org_id", "room_id", "created_at"),
    Index(
        "ix_chat_message_pinned",
        "org_id",
        "room_id",
        postgresql_where=text("pinned_at IS NOT NULL"),
        sqlite_where=text("pinned_at IS NOT NULL"),
    ),
    key=("room_id", "seq"),
)

chat_revision = tenant_table(
    "chat_revision",
    *reference("message_id", "chat_message", on_delete="CASCADE"),
    Column("number", INTEGER, nullable=False),
    # As it was before that edit.
    Column("body", TEXT, nullable=False),
    Column("replaced_at", Time, nullable=False),
    key=("message_id", "number"),
)
"""Gone with the message's text: what was deleted is nowhere."""

chat_reaction = tenant_table(
    "chat_reaction",
    *reference("message_id", "chat_message", on_delete="CASCADE"),
    *reference("user_id", "app_user"),
    Column("emoji", TEXT, nullable=False),
    Column("created_at", Time, nullable=False),
    key=("message_id", "user_id", "emoji"),
)

chat_report = tenant_table(
    "chat_report",
    *reference("room_id", "chat_room"),
    Column("message_id", Id, nullable=False),
    *reference("sender_id", "app_user", nullable=True),
    *reference("reporter_id", "app_user"),
    *choice("reason", ReportReason, nullable=False),
    Column("note", TEXT, nullable=False),
    # What the message said then: it may be deleted before anybody looks.
    Column("body", TEXT, nullable=False),
    *choice("status", ReportStatus, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("closed_at", Time),
    Column("closed_by", Id),
    Column("answer", TEXT, nullable=False),
    UniqueConstraint("org_id", "message_id", "reporter_id"),
    Index("ix_chat_report_room", "org_id", "room_id"),
)
