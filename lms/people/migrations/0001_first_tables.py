"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Id, Time

revision = "people_0001"
down_revision = None
branch_labels = ("people",)
depends_on = (
    "database_0001",
    "organizations_0001",
)


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("email_norm", TEXT, nullable=True),
        sa.Column("email_verified_at", Time(), nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("sort_key", TEXT, nullable=False),
        sa.Column("given_name", TEXT, nullable=True),
        sa.Column("family_name", TEXT, nullable=True),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("time_zone", TEXT, nullable=True),
        sa.Column("password_hash", TEXT, nullable=True),
        sa.Column("password_changed_at", Time(), nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("token_version", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("last_login_at", Time(), nullable=True),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint("status IN ('active', 'inactive', 'suspended', 'banned')", name=op.f("ck_app_user_status")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_app_user_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("org_id", "code", name=op.f("uq_app_user_org_id_code")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_app_user_org_id_external_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.create_index("ix_app_user_sort", ["org_id", "sort_key", "id"], unique=False)
        batch_op.create_index(
            "ux_app_user_email",
            ["org_id", "email_norm"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "guardian",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("observer_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "observer_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_guardian_org_id_observer_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "student_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_guardian_org_id_student_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_guardian_org_id")),
        sa.PrimaryKeyConstraint("org_id", "observer_id", "student_id", name=op.f("pk_guardian")),
        sqlite_strict=True,
    )
    op.create_table(
        "membership",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("branch_id", Id(), nullable=True),
        sa.Column("branch_key", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'admin', 'manager', 'teacher', 'ta', 'student', 'observer', 'service')",
            name=op.f("ck_membership_role"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "branch_id"], ["branch.org_id", "branch.id"], name=op.f("fk_membership_org_id_branch_id")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_membership_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_membership_org_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", "role", "branch_key", name=op.f("pk_membership")),
        sqlite_strict=True,
    )
    protect("app_user")
    protect("guardian")
    protect("membership")


def downgrade() -> None:
    op.drop_table("membership")
    op.drop_table("guardian")
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_app_user_email",
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index("ix_app_user_sort")

    op.drop_table("app_user")
