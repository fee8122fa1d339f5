"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Id, Json, Time

revision = "courses_0001"
down_revision = None
branch_labels = ("courses",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0001",
)


def upgrade() -> None:
    op.create_table(
        "course",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("branch_id", Id(), nullable=True),
        sa.Column("code", TEXT, nullable=True),
        sa.Column("code_key", TEXT, nullable=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("sort_key", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("max_students", INTEGER, nullable=True),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_by", Id(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_course_status")),
        sa.CheckConstraint("max_students > 0", name=op.f("ck_course_max_students")),
        sa.ForeignKeyConstraint(
            ["org_id", "branch_id"], ["branch.org_id", "branch.id"], name=op.f("fk_course_org_id_branch_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_course_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_course")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.create_index("ix_course_sort", ["org_id", "sort_key", "id"], unique=False)
        batch_op.create_index(
            "ux_course_code",
            ["org_id", "code_key"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "course_group",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_course_group_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_course_group_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_course_group")),
        sa.UniqueConstraint("org_id", "course_id", "name_key", name=op.f("uq_course_group_org_id_course_id_name_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "enrolment",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("access_code_id", Id(), nullable=True),
        sa.Column("valid_from", Time(), nullable=True),
        sa.Column("valid_to", Time(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.CheckConstraint("role IN ('teacher', 'ta', 'student', 'observer')", name=op.f("ck_enrolment_role")),
        sa.CheckConstraint("source IN ('manual', 'code', 'lti', 'oneroster', 'api')", name=op.f("ck_enrolment_source")),
        sa.CheckConstraint("status IN ('active', 'completed', 'dropped', 'expired')", name=op.f("ck_enrolment_status")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_enrolment_valid")),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_enrolment_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_enrolment_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_enrolment_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint(
            "org_id", "course_id", "user_id", "role", name=op.f("uq_enrolment_org_id_course_id_user_id_role")
        ),
        sqlite_strict=True,
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index("ix_enrolment_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "group_member",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("group_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "group_id"],
            ["course_group.org_id", "course_group.id"],
            name=op.f("fk_group_member_org_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_group_member_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_group_member_org_id")),
        sa.PrimaryKeyConstraint("org_id", "group_id", "user_id", name=op.f("pk_group_member")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.create_index("ix_group_member_user", ["org_id", "user_id"], unique=False)
    protect("course")
    protect("course_group")
    protect("enrolment")
    protect("group_member")


def downgrade() -> None:
    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.drop_index("ix_group_member_user")

    op.drop_table("group_member")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolment_user")

    op.drop_table("enrolment")
    op.drop_table("course_group")
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_course_code", postgresql_where=sa.text("deleted_at IS NULL"), sqlite_where=sa.text("deleted_at IS NULL")
        )
        batch_op.drop_index("ix_course_sort")

    op.drop_table("course")
