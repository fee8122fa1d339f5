"""Attendance's tables: facts as told, what is derived from them, who was expected, rules, results and their history.

Facts name nobody: a person is an identity there (the id of an account, or of a guest), so that facts never need to be
changed when somebody is erased.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, UniqueConstraint, text

from lms.attendance.facts import FactKind
from lms.attendance.intervals import Close, Place
from lms.attendance.outcome import Status
from lms.attendance.policy import TimeWindow
from lms.database.tables import choice, reference, service_table, tenant_table
from lms.database.types import INTEGER, TEXT, Exact, Flag, Id, Json, Time

attendance_feed = service_table(
    "attendance_feed",
    Column("server", TEXT, nullable=False),
    Column("cursor", TEXT),
    # The process that told us last, and so lives as long as its feed can be read.
    Column("node", TEXT),
    Column("boot_id", TEXT),
    # Events that will never come, as the media server said, or because we came back after they were removed.
    Column("lost_events", INTEGER, nullable=False),
    Column("gone", INTEGER, nullable=False),
    Column("heard_at", Time, nullable=False),
    PrimaryKeyConstraint("server"),
)
"""How far each media server's feed has been read: changed in the transaction that keeps what was read."""

attendance_heard = tenant_table(
    "attendance_heard",
    *reference("run_id", "class_run"),
    Column("node", TEXT, nullable=False),
    Column("boot_id", TEXT, nullable=False),
    Column("heard_at", Time, nullable=False),
    Index("ix_attendance_heard_boot", "node", "boot_id"),
    key=("run_id", "node", "boot_id"),
)
"""When each process of a media server that held a run was last heard of, by our clock."""

attendance_event = tenant_table(
    "attendance_event",
    Column("node", TEXT, nullable=False),
    Column("boot_id", TEXT, nullable=False),
    Column("seq", INTEGER, nullable=False),
    *reference("run_id", "class_run"),
    *choice("kind", FactKind, nullable=False),
    Column("room", TEXT, nullable=False),
    Column("at", Time, nullable=False),
    Column("uptime_us", INTEGER, nullable=False),
    Column("participant", TEXT, nullable=False),
    Column("identity", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("hidden", Flag, nullable=False),
    Column("inferred_boot_id", TEXT),
    Column("inferred_uptime_us", INTEGER),
    Column("received_at", Time, nullable=False),
    UniqueConstraint("node", "boot_id", "seq"),
    Index("ix_attendance_event_run", "org_id", "run_id"),
    key=("node", "boot_id", "seq"),
    append_only=True,
)

attendance_run = tenant_table(
    "attendance_run",
    *reference("run_id", "class_run"),
    Column("roster_at", Time),
    Column("due_at", Time),
    Column("computed_at", Time),
    Column("window_start", Time),
    Column("window_end", Time),
    Column("clock_steps", INTEGER, nullable=False),
    # How often events were lost while it lasted: then presence may be missing.
    Column("losses", INTEGER, nullable=False),
    Column("version", INTEGER, nullable=False),
    Index(
        "ix_attendance_run_due",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL"),
        sqlite_where=text("due_at IS NOT NULL"),
    ),
    key=("run_id",),
)
"""Where the attendance of a run stands; with `due_at`, it is to be computed then."""

attendance_interval = tenant_table(
    "attendance_interval",
    *reference("run_id", "class_run"),
    Column("node", TEXT, nullable=False),
    Column("boot_id", TEXT, nullable=False),
    Column("connection", TEXT, nullable=False),
    Column("ordinal", INTEGER, nullable=False),
    Column("identity", TEXT, nullable=False),
    *choice("place", Place, nullable=False),
    Column("start_at", Time, nullable=False),
    Column("end_at", Time, nullable=False),
    *choice("close", Close, nullable=False),
    CheckConstraint("end_at >= start_at", name="order"),
    key=("run_id", "node", "boot_id", "connection", "ordinal"),
)
"""Intervals of runs that were computed: derived, and made anew with them."""

attendance_roster = tenant_table(
    "attendance_roster",
    *reference("run_id", "class_run"),
    *reference("user_id", "app_user"),
    Column("excused_reason", TEXT),
    Column("taken_at", Time, nullable=False),
    key=("run_id", "user_id"),
)
"""Who was expected when the run began."""

attendance_guest = tenant_table(
    "attendance_guest",
    *reference("run_id", "class_run"),
    Column("identity", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    *reference("user_id", "app_user", nullable=True),
    Column("claimed_by", Id),
    Column("claimed_at", Time),
    key=("run_id", "identity"),
)
"""Participants who are no account of ours, with the name that others saw; a teacher may say who it was."""

attendance_policy = tenant_table(
    "attendance_policy",
    *reference("course_id", "course", nullable=True),
    Column("scope", TEXT, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("min_seconds", INTEGER, nullable=False),
    Column("min_percent", Exact(5, 2), nullable=False),
    Column("late_after_s", INTEGER, nullable=False),
    Column("early_leave_s", INTEGER, nullable=False),
    Column("gap_merge_s", INTEGER, nullable=False),
    Column("min_interval_s", INTEGER, nullable=False),
    Column("count_lobby", Flag, nullable=False),
    Column("count_breakout", Flag, nullable=False),
    *choice("time_window", TimeWindow, nullable=False),
    Column("changed_at", Time, nullable=False),
    UniqueConstraint("org_id", "scope"),
)
"""The rules of a course, or of the organization where there is no course; `scope` says so in a word."""

attendance_result = tenant_table(
    "attendance_result",
    *reference("run_id", "class_run"),
    *reference("user_id", "app_user"),
    *choice("status", Status, nullable=False),
    Column("present_s", INTEGER, nullable=False),
    Column("percent", Exact(5, 2), nullable=False),
    Column("first_join", Time),
    Column("last_leave", Time),
    Column("joins", INTEGER, nullable=False),
    Column("late_s", INTEGER, nullable=False),
    Column("early_s", INTEGER, nullable=False),
    Column("policy_id", Id),
    Column("policy_version", INTEGER, nullable=False),
    Column("input_hash", TEXT, nullable=False),
    Column("computed_at", Time, nullable=False),
    *choice("override_status", Status, nullable=True),
    Column("override_by", Id),
    Column("override_at", Time),
    Column("override_note", TEXT),
    CheckConstraint("present_s >= 0", name="present_s"),
    Index("ix_attendance_result_user", "org_id", "user_id"),
    key=("run_id", "user_id"),
)
"""What came out for whoever was expected; `status` is the computed one, an override stands beside it."""

attendance_history = tenant_table(
    "attendance_history",
    *reference("run_id", "class_run"),
    *reference("user_id", "app_user"),
    Column("old", Json),
    Column("new", Json, nullable=False),
    Column("actor_id", Id),
    Column("reason", TEXT, nullable=False),
    Column("at", Time, nullable=False),
    Column("erased_at", Time),
    Index("ix_attendance_history_of", "org_id", "run_id", "user_id", "id"),
    append_only=True,
)
"""Every change of a result, by whom and why; nobody is the computation itself.

`erased_at`: when what was written as a reason was taken out, because the person was erased.
"""
