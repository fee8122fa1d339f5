"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Exact, Flag, Id, Json, Time

revision = "classes_0001"
down_revision = None
branch_labels = ("classes",)
depends_on = (
    "courses_0001",
    "database_0001",
    "organizations_0001",
    "people_0001",
)


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("secret_hash", BYTES, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("read_at", Time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_calendar_feed_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_calendar_feed_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_calendar_feed_secret_hash")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_feed_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "class_series",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=True),
        sa.Column("group_id", Id(), nullable=True),
        sa.Column("host_id", Id(), nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("starts_local", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("duration_s", INTEGER, nullable=False),
        sa.Column("without", Json(), nullable=False),
        sa.Column("invited_only", Flag(), nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.CheckConstraint("duration_s > 0", name=op.f("ck_class_series_duration")),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_class_series_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "group_id"],
            ["course_group.org_id", "course_group.id"],
            name=op.f("fk_class_series_org_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "host_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_class_series_org_id_host_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_class_series_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_class_series")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("class_series", schema=None) as batch_op:
        batch_op.create_index("ix_class_series_course", ["org_id", "course_id"], unique=False)

    op.create_table(
        "live_class",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=True),
        sa.Column("group_id", Id(), nullable=True),
        sa.Column("series_id", Id(), nullable=True),
        sa.Column("parent_id", Id(), nullable=True),
        sa.Column("host_id", Id(), nullable=False),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("starts_at", Time(), nullable=False),
        sa.Column("ends_at", Time(), nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("invited_only", Flag(), nullable=False),
        sa.Column("policy_id", Id(), nullable=True),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("locked", Flag(), nullable=False),
        sa.Column("cancel_reason", TEXT, nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.CheckConstraint("status IN ('scheduled', 'live', 'ended', 'cancelled')", name=op.f("ck_live_class_status")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_live_class_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_live_class_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "group_id"],
            ["course_group.org_id", "course_group.id"],
            name=op.f("fk_live_class_org_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "host_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_live_class_org_id_host_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "parent_id"], ["live_class.org_id", "live_class.id"], name=op.f("fk_live_class_org_id_parent_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "series_id"],
            ["class_series.org_id", "class_series.id"],
            name=op.f("fk_live_class_org_id_series_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_live_class_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_live_class")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("live_class", schema=None) as batch_op:
        batch_op.create_index("ix_live_class_course", ["org_id", "course_id", "starts_at"], unique=False)
        batch_op.create_index("ix_live_class_parent", ["org_id", "parent_id"], unique=False)
        batch_op.create_index("ix_live_class_series", ["org_id", "series_id", "starts_at"], unique=False)
        batch_op.create_index("ix_live_class_starts", ["org_id", "starts_at", "id"], unique=False)
        batch_op.create_index(
            "ux_live_class_external",
            ["org_id", "external_id"],
            unique=True,
            postgresql_where=sa.text("status <> 'ended'"),
            sqlite_where=sa.text("status <> 'ended'"),
        )

    op.create_table(
        "class_invite",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("access_code_id", Id(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.CheckConstraint("status IN ('invited', 'confirmed', 'declined')", name=op.f("ck_class_invite_status")),
        sa.ForeignKeyConstraint(
            ["org_id", "class_id"], ["live_class.org_id", "live_class.id"], name=op.f("fk_class_invite_org_id_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_class_invite_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_class_invite_org_id")),
        sa.PrimaryKeyConstraint("org_id", "class_id", "user_id", name=op.f("pk_class_invite")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("class_invite", schema=None) as batch_op:
        batch_op.create_index("ix_class_invite_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "class_run",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("parent_run_id", Id(), nullable=True),
        sa.Column("room", TEXT, nullable=False),
        sa.Column("started_at", Time(), nullable=False),
        sa.Column("started_by", Id(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("ended_by", Id(), nullable=True),
        sa.Column("end_reason", TEXT, nullable=True),
        sa.CheckConstraint(
            "end_reason IN ('ended', 'parent_ended', 'timeout', 'room_ended')", name=op.f("ck_class_run_end_reason")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_class_run_ended_has_reason")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_class_run_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["org_id", "class_id"], ["live_class.org_id", "live_class.id"], name=op.f("fk_class_run_org_id_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "parent_run_id"],
            ["class_run.org_id", "class_run.id"],
            name=op.f("fk_class_run_org_id_parent_run_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_class_run_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_class_run")),
        sa.UniqueConstraint("room", name=op.f("uq_class_run_room")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("class_run", schema=None) as batch_op:
        batch_op.create_index("ix_class_run_class", ["org_id", "class_id", "started_at"], unique=False)
        batch_op.create_index("ix_class_run_parent", ["org_id", "parent_run_id"], unique=False)
        batch_op.create_index(
            "ux_class_run_live",
            ["org_id", "class_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "join_grant",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("seat", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=False),
        sa.CheckConstraint("seat IN ('teacher', 'assistant', 'student', 'observer')", name=op.f("ck_join_grant_seat")),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_join_grant_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_join_grant_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_join_grant_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_join_grant")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("join_grant", schema=None) as batch_op:
        batch_op.create_index("ix_join_grant_run", ["org_id", "run_id", "user_id"], unique=False)

    op.create_table(
        "recording",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("record_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("failure", TEXT, nullable=True),
        sa.Column("protected", Flag(), nullable=False),
        sa.Column("started_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("participants", INTEGER, nullable=True),
        sa.Column("raw_bytes", INTEGER, nullable=True),
        sa.Column("metadata", Json(), nullable=False),
        sa.Column("expires_at", Time(), nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint(
            "state IN ('recording', 'processing', 'processed', 'published', 'unpublished', 'deleted', 'failed')",
            name=op.f("ck_recording_state"),
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_recording_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"], ["class_run.org_id", "class_run.id"], name=op.f("fk_recording_org_id_run_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_recording_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_recording")),
        sa.UniqueConstraint("org_id", "record_id", name=op.f("uq_recording_org_id_record_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index("ix_recording_run", ["org_id", "run_id", "started_at"], unique=False)

    op.create_table(
        "recording_format",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("recording_id", Id(), nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("length_s", Exact(12, 3), nullable=True),
        sa.Column("bytes", INTEGER, nullable=True),
        sa.Column("processing_ms", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "recording_id"],
            ["recording.org_id", "recording.id"],
            name=op.f("fk_recording_format_org_id_recording_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_recording_format_org_id")),
        sa.PrimaryKeyConstraint("org_id", "recording_id", "format", name=op.f("pk_recording_format")),
        sqlite_strict=True,
    )
    op.create_table(
        "recording_grant",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("recording_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("access_code_id", Id(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "recording_id"],
            ["recording.org_id", "recording.id"],
            name=op.f("fk_recording_grant_org_id_recording_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_recording_grant_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_recording_grant_org_id")),
        sa.PrimaryKeyConstraint("org_id", "recording_id", "user_id", name=op.f("pk_recording_grant")),
        sqlite_strict=True,
    )
    protect("calendar_feed")
    protect("class_series")
    protect("live_class")
    protect("class_invite")
    protect("class_run")
    protect("join_grant")
    protect("recording")
    protect("recording_format")
    protect("recording_grant")


def downgrade() -> None:
    op.drop_table("recording_grant")
    op.drop_table("recording_format")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index("ix_recording_run")

    op.drop_table("recording")
    with op.batch_alter_table("join_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_join_grant_run")

    op.drop_table("join_grant")
    with op.batch_alter_table("class_run", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_class_run_live", postgresql_where=sa.text("ended_at IS NULL"), sqlite_where=sa.text("ended_at IS NULL")
        )
        batch_op.drop_index("ix_class_run_parent")
        batch_op.drop_index("ix_class_run_class")

    op.drop_table("class_run")
    with op.batch_alter_table("class_invite", schema=None) as batch_op:
        batch_op.drop_index("ix_class_invite_user")

    op.drop_table("class_invite")
    with op.batch_alter_table("live_class", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_live_class_external",
            postgresql_where=sa.text("status <> 'ended'"),
            sqlite_where=sa.text("status <> 'ended'"),
        )
        batch_op.drop_index("ix_live_class_starts")
        batch_op.drop_index("ix_live_class_series")
        batch_op.drop_index("ix_live_class_parent")
        batch_op.drop_index("ix_live_class_course")

    op.drop_table("live_class")
    with op.batch_alter_table("class_series", schema=None) as batch_op:
        batch_op.drop_index("ix_class_series_course")

    op.drop_table("class_series")
    with op.batch_alter_table("calendar_feed", schema=None) as batch_op:
        batch_op.drop_index("ix_calendar_feed_user")

    op.drop_table("calendar_feed")
