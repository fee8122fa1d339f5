"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Exact, Flag, Id, Json, Time

revision = "attendance_0001"
down_revision = None
branch_labels = ("attendance",)
depends_on = (
    "classes_0001",
    "courses_0001",
    "database_0001",
    "organizations_0001",
    "people_0001",
)


def upgrade() -> None:
    op.create_table(
        "attendance_feed",
        sa.Column("server", TEXT, nullable=False),
        sa.Column("cursor", TEXT, nullable=True),
        sa.Column("node", TEXT, nullable=True),
        sa.Column("boot_id", TEXT, nullable=True),
        sa.Column("lost_events", INTEGER, nullable=False),
        sa.Column("gone", INTEGER, nullable=False),
        sa.Column("heard_at", Time(), nullable=False),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_attendance_feed")),
        sqlite_strict=True,
    )
    op.create_table(
        "attendance_policy",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=True),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("min_seconds", INTEGER, nullable=False),
        sa.Column("min_percent", Exact(5, 2), nullable=False),
        sa.Column("late_after_s", INTEGER, nullable=False),
        sa.Column("early_leave_s", INTEGER, nullable=False),
        sa.Column("gap_merge_s", INTEGER, nullable=False),
        sa.Column("min_interval_s", INTEGER, nullable=False),
        sa.Column("count_lobby", Flag(), nullable=False),
        sa.Column("count_breakout", Flag(), nullable=False),
        sa.Column("time_window", TEXT, nullable=False),
        sa.Column("changed_at", Time(), nullable=False),
        sa.CheckConstraint(
            "time_window IN ('scheduled', 'actual', 'intersection')", name=op.f("ck_attendance_policy_time_window")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_attendance_policy_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_policy_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_attendance_policy")),
        sa.UniqueConstraint("org_id", "scope", name=op.f("uq_attendance_policy_org_id_scope")),
        sqlite_strict=True,
    )
    op.create_table(
        "attendance_event",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("node", TEXT, nullable=False),
        sa.Column("boot_id", TEXT, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("room", TEXT, nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.Column("uptime_us", INTEGER, nullable=False),
        sa.Column("participant", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("hidden", Flag(), nullable=False),
        sa.Column("inferred_boot_id", TEXT, nullable=True),
        sa.Column("inferred_uptime_us", INTEGER, nullable=True),
        sa.Column("received_at", Time(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('room_started', 'room_ended', 'joined', 'left', 'suspended', 'resumed')",
            name=op.f("ck_attendance_event_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_event_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_event_org_id")),
        sa.PrimaryKeyConstraint("org_id", "node", "boot_id", "seq", name=op.f("pk_attendance_event")),
        sa.UniqueConstraint("node", "boot_id", "seq", name=op.f("uq_attendance_event_node_boot_id_seq")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attendance_event", schema=None) as batch_op:
        batch_op.create_index("ix_attendance_event_run", ["org_id", "run_id"], unique=False)

    op.create_table(
        "attendance_guest",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("claimed_by", Id(), nullable=True),
        sa.Column("claimed_at", Time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_guest_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_attendance_guest_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_guest_org_id")),
        sa.PrimaryKeyConstraint("org_id", "run_id", "identity", name=op.f("pk_attendance_guest")),
        sqlite_strict=True,
    )
    op.create_table(
        "attendance_heard",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("node", TEXT, nullable=False),
        sa.Column("boot_id", TEXT, nullable=False),
        sa.Column("heard_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_heard_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_heard_org_id")),
        sa.PrimaryKeyConstraint("org_id", "run_id", "node", "boot_id", name=op.f("pk_attendance_heard")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attendance_heard", schema=None) as batch_op:
        batch_op.create_index("ix_attendance_heard_boot", ["node", "boot_id"], unique=False)

    op.create_table(
        "attendance_history",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("old", Json(), nullable=True),
        sa.Column("new", Json(), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_history_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_attendance_history_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_history_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_attendance_history")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attendance_history", schema=None) as batch_op:
        batch_op.create_index("ix_attendance_history_of", ["org_id", "run_id", "user_id", "id"], unique=False)

    op.create_table(
        "attendance_interval",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("node", TEXT, nullable=False),
        sa.Column("boot_id", TEXT, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("ordinal", INTEGER, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("start_at", Time(), nullable=False),
        sa.Column("end_at", Time(), nullable=False),
        sa.Column("close", TEXT, nullable=False),
        sa.CheckConstraint(
            "close IN ('leave', 'disconnect', 'suspend', 'kicked', 'moved', 'superseded', 'run_end', 'timeout', "
            "'node_lost')",
            name=op.f("ck_attendance_interval_close"),
        ),
        sa.CheckConstraint("place IN ('main', 'breakout', 'lobby')", name=op.f("ck_attendance_interval_place")),
        sa.CheckConstraint("end_at >= start_at", name=op.f("ck_attendance_interval_order")),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"],
            ["class_run.org_id", "class_run.id"],
            name=op.f("fk_attendance_interval_org_id_run_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_interval_org_id")),
        sa.PrimaryKeyConstraint(
            "org_id", "run_id", "node", "boot_id", "connection", "ordinal", name=op.f("pk_attendance_interval")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "attendance_result",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("present_s", INTEGER, nullable=False),
        sa.Column("percent", Exact(5, 2), nullable=False),
        sa.Column("first_join", Time(), nullable=True),
        sa.Column("last_leave", Time(), nullable=True),
        sa.Column("joins", INTEGER, nullable=False),
        sa.Column("late_s", INTEGER, nullable=False),
        sa.Column("early_s", INTEGER, nullable=False),
        sa.Column("policy_id", Id(), nullable=True),
        sa.Column("policy_version", INTEGER, nullable=False),
        sa.Column("input_hash", TEXT, nullable=False),
        sa.Column("computed_at", Time(), nullable=False),
        sa.Column("override_status", TEXT, nullable=True),
        sa.Column("override_by", Id(), nullable=True),
        sa.Column("override_at", Time(), nullable=True),
        sa.Column("override_note", TEXT, nullable=True),
        sa.CheckConstraint(
            "override_status IN ('absent', 'partial', 'late', 'left_early', 'present', 'excused')",
            name=op.f("ck_attendance_result_override_status"),
        ),
        sa.CheckConstraint(
            "status IN ('absent', 'partial', 'late', 'left_early', 'present', 'excused')",
            name=op.f("ck_attendance_result_status"),
        ),
        sa.CheckConstraint("present_s >= 0", name=op.f("ck_attendance_result_present_s")),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_result_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_attendance_result_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_result_org_id")),
        sa.PrimaryKeyConstraint("org_id", "run_id", "user_id", name=op.f("pk_attendance_result")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attendance_result", schema=None) as batch_op:
        batch_op.create_index("ix_attendance_result_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "attendance_roster",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("excused_reason", TEXT, nullable=True),
        sa.Column("taken_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_roster_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_attendance_roster_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_roster_org_id")),
        sa.PrimaryKeyConstraint("org_id", "run_id", "user_id", name=op.f("pk_attendance_roster")),
        sqlite_strict=True,
    )
    op.create_table(
        "attendance_run",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("roster_at", Time(), nullable=True),
        sa.Column("due_at", Time(), nullable=True),
        sa.Column("computed_at", Time(), nullable=True),
        sa.Column("window_start", Time(), nullable=True),
        sa.Column("window_end", Time(), nullable=True),
        sa.Column("clock_steps", INTEGER, nullable=False),
        sa.Column("losses", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_attendance_run_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_attendance_run_org_id")),
        sa.PrimaryKeyConstraint("org_id", "run_id", name=op.f("pk_attendance_run")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attendance_run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attendance_run_due",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )
    protect("attendance_feed", org_column=None)
    protect("attendance_policy")
    protect("attendance_event", append_only=True)
    protect("attendance_guest")
    protect("attendance_heard")
    protect("attendance_history", append_only=True)
    protect("attendance_interval")
    protect("attendance_result")
    protect("attendance_roster")
    protect("attendance_run")


def downgrade() -> None:
    with op.batch_alter_table("attendance_run", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_attendance_run_due",
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )

    op.drop_table("attendance_run")
    op.drop_table("attendance_roster")
    with op.batch_alter_table("attendance_result", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_result_user")

    op.drop_table("attendance_result")
    op.drop_table("attendance_interval")
    with op.batch_alter_table("attendance_history", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_history_of")

    op.drop_table("attendance_history")
    with op.batch_alter_table("attendance_heard", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_heard_boot")

    op.drop_table("attendance_heard")
    op.drop_table("attendance_guest")
    with op.batch_alter_table("attendance_event", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_event_run")

    op.drop_table("attendance_event")
    op.drop_table("attendance_policy")
    op.drop_table("attendance_feed")
