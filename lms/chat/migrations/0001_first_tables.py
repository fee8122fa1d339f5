"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Flag, Id, Time

revision = "chat_0001"
down_revision = None
branch_labels = ("chat",)
depends_on = (
    "courses_0001",
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "chat_room",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ref_id", Id(), nullable=True),
        sa.Column("direct_low", Id(), nullable=True),
        sa.Column("direct_high", Id(), nullable=True),
        sa.Column("course_id", Id(), nullable=True),
        sa.Column("last_seq", INTEGER, nullable=False),
        sa.Column("change", INTEGER, nullable=False),
        sa.Column("room_change", INTEGER, nullable=False),
        sa.Column("cleared_seq", INTEGER, nullable=False),
        sa.Column("locked", Flag(), nullable=False),
        sa.Column("retention_days", INTEGER, nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("active_at", Time(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)", name=op.f("ck_chat_room_direct")
        ),
        sa.CheckConstraint("(kind = 'direct') = (ref_id IS NULL)", name=op.f("ck_chat_room_ref_id")),
        sa.CheckConstraint("kind IN ('run', 'course', 'group', 'staff', 'direct')", name=op.f("ck_chat_room_kind")),
        sa.CheckConstraint("direct_low < direct_high", name=op.f("ck_chat_room_direct_order")),
        sa.CheckConstraint(
            "last_seq >= 0 AND change >= last_seq AND cleared_seq <= last_seq", name=op.f("ck_chat_room_counts")
        ),
        sa.CheckConstraint("retention_days > 0", name=op.f("ck_chat_room_retention_days")),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_chat_room_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "direct_high"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_room_org_id_direct_high")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "direct_low"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_room_org_id_direct_low")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_room_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_chat_room")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("chat_room", schema=None) as batch_op:
        batch_op.create_index("ix_chat_room_high", ["org_id", "direct_high"], unique=False)
        batch_op.create_index(
            "ux_chat_room_direct",
            ["org_id", "direct_low", "direct_high"],
            unique=True,
            postgresql_where=sa.text("kind = 'direct'"),
            sqlite_where=sa.text("kind = 'direct'"),
        )
        batch_op.create_index(
            "ux_chat_room_ref",
            ["org_id", "kind", "ref_id"],
            unique=True,
            postgresql_where=sa.text("kind <> 'direct'"),
            sqlite_where=sa.text("kind <> 'direct'"),
        )

    op.create_table(
        "chat_member",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("room_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("last_read_seq", INTEGER, nullable=False),
        sa.Column("last_read_at", Time(), nullable=True),
        sa.Column("muted_until", Time(), nullable=True),
        sa.Column("banned_at", Time(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("held_by", Id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "room_id"], ["chat_room.org_id", "chat_room.id"], name=op.f("fk_chat_member_org_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_member_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_member_org_id")),
        sa.PrimaryKeyConstraint("org_id", "room_id", "user_id", name=op.f("pk_chat_member")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("chat_member", schema=None) as batch_op:
        batch_op.create_index("ix_chat_member_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "chat_message",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("room_id", Id(), nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("sender_id", Id(), nullable=True),
        sa.Column("client_id", TEXT, nullable=True),
        sa.Column("client_hash", BYTES, nullable=True),
        sa.Column("client_at", Time(), nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("search_key", TEXT, nullable=False),
        sa.Column("reply_to", Id(), nullable=True),
        sa.Column("edits", INTEGER, nullable=False),
        sa.Column("change", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("edited_at", Time(), nullable=True),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.Column("deleted_by", Id(), nullable=True),
        sa.Column("pinned_at", Time(), nullable=True),
        sa.Column("pinned_by", Id(), nullable=True),
        sa.CheckConstraint(
            "deleted_at IS NULL OR (body = '' AND search_key = '')", name=op.f("ck_chat_message_deleted_is_empty")
        ),
        sa.CheckConstraint("kind IN ('text', 'system')", name=op.f("ck_chat_message_kind")),
        sa.CheckConstraint("seq > 0 AND edits >= 0", name=op.f("ck_chat_message_seq")),
        sa.ForeignKeyConstraint(
            ["org_id", "room_id"], ["chat_room.org_id", "chat_room.id"], name=op.f("fk_chat_message_org_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "sender_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_message_org_id_sender_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_message_org_id")),
        sa.PrimaryKeyConstraint("org_id", "room_id", "seq", name=op.f("pk_chat_message")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_chat_message_org_id_id")),
        sa.UniqueConstraint(
            "org_id", "sender_id", "client_id", name=op.f("uq_chat_message_org_id_sender_id_client_id")
        ),
        sqlite_strict=True,
    )
    with op.batch_alter_table("chat_message", schema=None) as batch_op:
        batch_op.create_index("ix_chat_message_change", ["org_id", "room_id", "change"], unique=False)
        batch_op.create_index("ix_chat_message_created", ["org_id", "room_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_chat_message_pinned",
            ["org_id", "room_id"],
            unique=False,
            postgresql_where=sa.text("pinned_at IS NOT NULL"),
            sqlite_where=sa.text("pinned_at IS NOT NULL"),
        )

    op.create_table(
        "chat_report",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("room_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("sender_id", Id(), nullable=True),
        sa.Column("reporter_id", Id(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("closed_at", Time(), nullable=True),
        sa.Column("closed_by", Id(), nullable=True),
        sa.Column("answer", TEXT, nullable=False),
        sa.CheckConstraint(
            "reason IN ('spam', 'harassment', 'inappropriate', 'copyright', 'other')",
            name=op.f("ck_chat_report_reason"),
        ),
        sa.CheckConstraint("status IN ('open', 'resolved', 'dismissed')", name=op.f("ck_chat_report_status")),
        sa.ForeignKeyConstraint(
            ["org_id", "reporter_id"],
            ["app_user.org_id", "app_user.id"],
            name=op.f("fk_chat_report_org_id_reporter_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "room_id"], ["chat_room.org_id", "chat_room.id"], name=op.f("fk_chat_report_org_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "sender_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_report_org_id_sender_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_report_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_chat_report")),
        sa.UniqueConstraint(
            "org_id", "message_id", "reporter_id", name=op.f("uq_chat_report_org_id_message_id_reporter_id")
        ),
        sqlite_strict=True,
    )
    with op.batch_alter_table("chat_report", schema=None) as batch_op:
        batch_op.create_index("ix_chat_report_room", ["org_id", "room_id"], unique=False)

    op.create_table(
        "chat_reaction",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("emoji", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "message_id"],
            ["chat_message.org_id", "chat_message.id"],
            name=op.f("fk_chat_reaction_org_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_chat_reaction_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_reaction_org_id")),
        sa.PrimaryKeyConstraint("org_id", "message_id", "user_id", "emoji", name=op.f("pk_chat_reaction")),
        sqlite_strict=True,
    )
    op.create_table(
        "chat_revision",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("replaced_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "message_id"],
            ["chat_message.org_id", "chat_message.id"],
            name=op.f("fk_chat_revision_org_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_chat_revision_org_id")),
        sa.PrimaryKeyConstraint("org_id", "message_id", "number", name=op.f("pk_chat_revision")),
        sqlite_strict=True,
    )
    protect("chat_room")
    protect("chat_member")
    protect("chat_message")
    protect("chat_report")
    protect("chat_reaction")
    protect("chat_revision")


def downgrade() -> None:
    op.drop_table("chat_revision")
    op.drop_table("chat_reaction")
    with op.batch_alter_table("chat_report", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_report_room")

    op.drop_table("chat_report")
    with op.batch_alter_table("chat_message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_chat_message_pinned",
            postgresql_where=sa.text("pinned_at IS NOT NULL"),
            sqlite_where=sa.text("pinned_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_chat_message_created")
        batch_op.drop_index("ix_chat_message_change")

    op.drop_table("chat_message")
    with op.batch_alter_table("chat_member", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_member_user")

    op.drop_table("chat_member")
    with op.batch_alter_table("chat_room", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_chat_room_ref", postgresql_where=sa.text("kind <> 'direct'"), sqlite_where=sa.text("kind <> 'direct'")
        )
        batch_op.drop_index(
            "ux_chat_room_direct", postgresql_where=sa.text("kind = 'direct'"), sqlite_where=sa.text("kind = 'direct'")
        )
        batch_op.drop_index("ix_chat_room_high")

    op.drop_table("chat_room")
