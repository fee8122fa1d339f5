"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Exact, Flag, Id, Json, Time

revision = "grades_0001"
down_revision = None
branch_labels = ("grades",)
depends_on = (
    "courses_0001",
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "grade_category",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("weight", Exact(7, 4), nullable=False),
        sa.Column("drop_lowest", INTEGER, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint("drop_lowest >= 0", name=op.f("ck_grade_category_drop_lowest")),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_grade_category_weight")),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_grade_category_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_grade_category_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_grade_category")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("grade_category", schema=None) as batch_op:
        batch_op.create_index("ix_grade_category_course", ["org_id", "course_id", "position", "id"], unique=False)

    op.create_table(
        "grade_item",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("course_id", Id(), nullable=False),
        sa.Column("category_id", Id(), nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("title_key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ref_id", Id(), nullable=True),
        sa.Column("scale", Json(), nullable=True),
        sa.Column("max_points", Exact(9, 4), nullable=False),
        sa.Column("weight", Exact(7, 4), nullable=False),
        sa.Column("due_at", Time(), nullable=True),
        sa.Column("hidden", Flag(), nullable=False),
        sa.Column("locked_at", Time(), nullable=True),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint("kind IN ('manual', 'attendance', 'poll', 'external')", name=op.f("ck_grade_item_kind")),
        sa.CheckConstraint("max_points > 0", name=op.f("ck_grade_item_max_points")),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_grade_item_weight")),
        sa.ForeignKeyConstraint(
            ["org_id", "category_id"],
            ["grade_category.org_id", "grade_category.id"],
            name=op.f("fk_grade_item_org_id_category_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "course_id"], ["course.org_id", "course.id"], name=op.f("fk_grade_item_org_id_course_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_grade_item_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_grade_item")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("grade_item", schema=None) as batch_op:
        batch_op.create_index("ix_grade_item_course", ["org_id", "course_id", "position", "id"], unique=False)
        batch_op.create_index(
            "ux_grade_item_ref",
            ["org_id", "course_id", "kind", "ref_id"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL AND ref_id IS NOT NULL"),
            sqlite_where=sa.text("deleted_at IS NULL AND ref_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ux_grade_item_title",
            ["org_id", "course_id", "title_key"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "grade",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("points", Exact(9, 4), nullable=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("feedback", TEXT, nullable=True),
        sa.Column("graded_by", Id(), nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
        sa.CheckConstraint("(state = 'graded') = (points IS NOT NULL)", name=op.f("ck_grade_graded_has_points")),
        sa.CheckConstraint("source IN ('manual', 'import', 'auto')", name=op.f("ck_grade_source")),
        sa.CheckConstraint("state IN ('none', 'graded', 'excused', 'missing')", name=op.f("ck_grade_state")),
        sa.CheckConstraint("points >= 0", name=op.f("ck_grade_points")),
        sa.CheckConstraint("version > 0", name=op.f("ck_grade_version")),
        sa.ForeignKeyConstraint(
            ["org_id", "item_id"], ["grade_item.org_id", "grade_item.id"], name=op.f("fk_grade_org_id_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_grade_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_grade_org_id")),
        sa.PrimaryKeyConstraint("org_id", "item_id", "user_id", name=op.f("pk_grade")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("grade", schema=None) as batch_op:
        batch_op.create_index("ix_grade_user", ["org_id", "user_id"], unique=False)

    op.create_table(
        "grade_history",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("old_state", TEXT, nullable=False),
        sa.Column("old_points", Exact(9, 4), nullable=True),
        sa.Column("new_state", TEXT, nullable=False),
        sa.Column("new_points", Exact(9, 4), nullable=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("at", Time(), nullable=False),
        sa.CheckConstraint(
            "new_state IN ('none', 'graded', 'excused', 'missing')", name=op.f("ck_grade_history_new_state")
        ),
        sa.CheckConstraint(
            "old_state IN ('none', 'graded', 'excused', 'missing')", name=op.f("ck_grade_history_old_state")
        ),
        sa.CheckConstraint("source IN ('manual', 'import', 'auto')", name=op.f("ck_grade_history_source")),
        sa.ForeignKeyConstraint(
            ["org_id", "item_id", "user_id"],
            ["grade.org_id", "grade.item_id", "grade.user_id"],
            name=op.f("fk_grade_history_org_id_item_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_grade_history_org_id")),
        sa.PrimaryKeyConstraint("org_id", "item_id", "user_id", "version", name=op.f("pk_grade_history")),
        sqlite_strict=True,
    )
    protect("grade_category")
    protect("grade_item")
    protect("grade")
    protect("grade_history", append_only=True)


def downgrade() -> None:
    op.drop_table("grade_history")
    with op.batch_alter_table("grade", schema=None) as batch_op:
        batch_op.drop_index("ix_grade_user")

    op.drop_table("grade")
    with op.batch_alter_table("grade_item", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_grade_item_title",
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "ux_grade_item_ref",
            postgresql_where=sa.text("deleted_at IS NULL AND ref_id IS NOT NULL"),
            sqlite_where=sa.text("deleted_at IS NULL AND ref_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_grade_item_course")

    op.drop_table("grade_item")
    with op.batch_alter_table("grade_category", schema=None) as batch_op:
        batch_op.drop_index("ix_grade_category_course")

    op.drop_table("grade_category")
