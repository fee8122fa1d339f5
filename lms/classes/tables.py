"""Tables of live classes: series, classes, runs, invitations, who was given a seat, recordings, calendars."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text

from lms.classes.rules import Seat
from lms.classes.status import ClassStatus
from lms.database.tables import choice, reference, tenant_table
from lms.database.types import BYTES, INTEGER, TEXT, Exact, Flag, Id, Json, Time


class InviteStatus(enum.Enum):
    """What somebody said to an invitation; all three open the class."""

    INVITED = "invited"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class RunEnd(enum.Enum):
    """Why a run ended."""

    ENDED = "ended"
    """Somebody who may ended it."""
    PARENT_ENDED = "parent_ended"
    """A breakout ends with its class."""
    TIMEOUT = "timeout"
    """Nobody ended it, and the longest time was over."""
    ROOM_ENDED = "room_ended"
    """The media server ended the room: by somebody who moderates in it, or because nobody came back."""


class RecordingState(enum.Enum):
    """What there is of a recording."""

    RECORDING = "recording"
    PROCESSING = "processing"
    PROCESSED = "processed"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    DELETED = "deleted"
    FAILED = "failed"


class_series = tenant_table(
    "class_series",
    *reference("course_id", "course", nullable=True),
    *reference("group_id", "course_group", nullable=True),
    *reference("host_id", "app_user"),
    Column("title", TEXT, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("rule", TEXT, nullable=False),
    # Local time of the first class, on the clock of `time_zone`: 2026-11-22T09:00:00.
    Column("starts_local", TEXT, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("duration_s", INTEGER, nullable=False),
    Column("without", Json, nullable=False),
    Column("invited_only", Flag, nullable=False),
    Column("settings", Json, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    CheckConstraint("duration_s > 0", name="duration"),
    Index("ix_class_series_course", "org_id", "course_id"),
)

live_class = tenant_table(
    "live_class",
    *reference("course_id", "course", nullable=True),
    *reference("group_id", "course_group", nullable=True),
    *reference("series_id", "class_series", nullable=True),
    # The class that it is a breakout of.
    *reference("parent_id", "live_class", nullable=True),
    *reference("host_id", "app_user"),
    Column("external_id", TEXT),
    Column("title", TEXT, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("starts_at", Time, nullable=False),
    Column("ends_at", Time, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    *choice("status", ClassStatus, nullable=False),
    # Students of the course need an invitation, too.
    Column("invited_only", Flag, nullable=False),
    # Of attendance; without one the course's or the school's counts.
    Column("policy_id", Id),
    Column("settings", Json, nullable=False),
    Column("locked", Flag, nullable=False),
    Column("cancel_reason", TEXT),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    Index("ix_live_class_starts", "org_id", "starts_at", "id"),
    Index("ix_live_class_course", "org_id", "course_id", "starts_at"),
    Index("ix_live_class_series", "org_id", "series_id", "starts_at"),
    Index("ix_live_class_parent", "org_id", "parent_id"),
    Index(
        "ux_live_class_external",
        "org_id",
        "external_id",
        unique=True,
        postgresql_where=text("status <> 'ended'"),
        sqlite_where=text("status <> 'ended'"),
    ),
)

class_run = tenant_table(
    "class_run",
    *reference("class_id", "live_class"),
    # The run of the class that this one is a breakout of: attendance counts both as one.
    *reference("parent_run_id", "class_run", nullable=True),
    # On the media server; the id of the run is in it, so no two organizations have one in common.
    Column("room", TEXT, nullable=False, unique=True),
    Column("started_at", Time, nullable=False),
    Column("started_by", Id, nullable=False),
    Column("ended_at", Time),
    Column("ended_by", Id),
    *choice("end_reason", RunEnd, nullable=True),
    CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
    CheckConstraint("ended_at >= started_at", name="ends_after_start"),
    Index(
        "ux_class_run_live",
        "org_id",
        "class_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
        sqlite_where=text("ended_at IS NULL"),
    ),
    Index("ix_class_run_class", "org_id", "class_id", "started_at"),
    Index("ix_class_run_parent", "org_id", "parent_run_id"),
)
"""A class has at most one run that has not ended."""

class_invite = tenant_table(
    "class_invite",
    *reference("class_id", "live_class"),
    *reference("user_id", "app_user"),
    *choice("status", InviteStatus, nullable=False),
    Column("access_code_id", Id),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Index("ix_class_invite_user", "org_id", "user_id"),
    key=("class_id", "user_id"),
)

join_grant = tenant_table(
    "join_grant",
    *reference("run_id", "class_run"),
    *reference("user_id", "app_user"),
    *choice("seat", Seat, nullable=False),
    Column("identity", TEXT, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Index("ix_join_grant_run", "org_id", "run_id", "user_id"),
)
"""Who was given a token, and until when it opens the room. The token itself is kept nowhere."""

recording = tenant_table(
    "recording",
    *reference("run_id", "class_run"),
    # As the media server names it.
    Column("record_id", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    *choice("state", RecordingState, nullable=False),
    Column("failure", TEXT),
    Column("protected", Flag, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("participants", INTEGER),
    Column("raw_bytes", INTEGER),
    Column("metadata", Json, nullable=False),
    Column("expires_at", Time),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("deleted_at", Time),
    CheckConstraint("ended_at >= started_at", name="ends_after_start"),
    UniqueConstraint("org_id", "record_id"),
    Index("ix_recording_run", "org_id", "run_id", "started_at"),
)

recording_format = tenant_table(
    "recording_format",
    *reference("recording_id", "recording"),
    Column("format", TEXT, nullable=False),
    Column("url", TEXT, nullable=False),
    Column("length_s", Exact(12, 3)),
    Column("bytes", INTEGER),
    Column("processing_ms", INTEGER),
    key=("recording_id", "format"),
)

recording_grant = tenant_table(
    "recording_grant",
    *reference("recording_id", "recording"),
    *reference("user_id", "app_user"),
    Column("access_code_id", Id),
    Column("created_at", Time, nullable=False),
    key=("recording_id", "user_id"),
)
"""To whom an access code opened a recording."""

calendar_feed = tenant_table(
    "calendar_feed",
    *reference("user_id", "app_user"),
    Column("name", TEXT, nullable=False),
    # SHA-256 of the secret in its address.
    Column("secret_hash", BYTES, nullable=False, unique=True),
    Column("created_at", Time, nullable=False),
    Column("read_at", Time),
    Index("ix_calendar_feed_user", "org_id", "user_id"),
)
