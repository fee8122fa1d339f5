"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Flag, Id, Time

revision = "codes_0001"
down_revision = None
branch_labels = ("codes",)
depends_on = (
    "classes_0001",
    "courses_0001",
    "database_0001",
    "organizations_0001",
    "people_0001",
)


def upgrade() -> None:
    op.create_table(
        "code_attempt",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("address", TEXT, nullable=True),
        sa.Column("at", Time(), nullable=False),
        sa.Column("succeeded", Flag(), nullable=False),
        sa.Column("code_id", Id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_code_attempt_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_code_attempt_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_code_attempt")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("code_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_code_attempt_at", ["org_id", "at"], unique=False)

    op.create_table(
        "access_code",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("code_hmac", BYTES, nullable=False),
        sa.Column("last_signs", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("course_id", Id(), nullable=True),
        sa.Column("group_id", Id(), nullable=True),
        sa.Column("class_id", Id(), nullable=True),
        sa.Column("recording_id", Id(), nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("max_uses", INTEGER, nullable=True),
        sa.Column("uses", INTEGER, nullable=False),
        sa.Column("expires_at", Time(), nullable=True),
        sa.Column("active", Flag(), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("created_by", Id(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.CheckConstraint(
            "(scope = 'course' AND course_id IS NOT NULL AND class_id IS NULL AND recording_id IS NULL)"
            " OR (scope = 'class' AND class_id IS NOT NULL AND course_id IS NULL AND recording_id IS NULL)"
            " OR (scope = 'recording' AND recording_id IS NOT NULL AND course_id IS NULL AND class_id IS NULL)",
            name=op.f("ck_access_code_opens_one"),
        ),
        sa.CheckConstraint("kind IN ('single_use', 'multi_use', 'unlimited')", name=op.f("ck_access_code_kind")),
        sa.CheckConstraint("scope IN ('course', 'class', 'recording')", name=op.f("ck_access_code_scope")),
        sa.CheckConstraint("uses >= 0 AND uses <= coalesce(max_uses, uses)", name=op.f("ck_access_code_uses")),
        sa.ForeignKeyConstraint(
            ["org_id", "class_id"], ["live_class.org_id", "live_class.id"], name=op.f("fk_access_code_org_id_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_access_code_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "created_by"], ["app_user.org_id", "app_user.id"], name=op.f("fk_access_code_org_id_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "group_id"],
            ["course_group.org_id", "course_group.id"],
            name=op.f("fk_access_code_org_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "recording_id"],
            ["recording.org_id", "recording.id"],
            name=op.f("fk_access_code_org_id_recording_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_access_code_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_access_code")),
        sa.UniqueConstraint("org_id", "code_hmac", name=op.f("uq_access_code_org_id_code_hmac")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("access_code", schema=None) as batch_op:
        batch_op.create_index("ix_access_code_class", ["org_id", "class_id", "id"], unique=False)
        batch_op.create_index("ix_access_code_course", ["org_id", "course_id", "id"], unique=False)
        batch_op.create_index("ix_access_code_recording", ["org_id", "recording_id", "id"], unique=False)

    op.create_table(
        "code_redemption",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("code_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.Column("address", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "code_id"],
            ["access_code.org_id", "access_code.id"],
            name=op.f("fk_code_redemption_org_id_code_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_code_redemption_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_code_redemption_org_id")),
        sa.PrimaryKeyConstraint("org_id", "code_id", "user_id", name=op.f("pk_code_redemption")),
        sqlite_strict=True,
    )
    protect("code_attempt")
    protect("access_code")
    protect("code_redemption")


def downgrade() -> None:
    op.drop_table("code_redemption")
    with op.batch_alter_table("access_code", schema=None) as batch_op:
        batch_op.drop_index("ix_access_code_recording")
        batch_op.drop_index("ix_access_code_course")
        batch_op.drop_index("ix_access_code_class")

    op.drop_table("access_code")
    with op.batch_alter_table("code_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_code_attempt_at")

    op.drop_table("code_attempt")
