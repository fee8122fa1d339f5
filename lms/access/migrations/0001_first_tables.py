"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, TEXT, Flag, Id, Time

revision = "access_0001"
down_revision = None
branch_labels = ("access",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0001",
)


def upgrade() -> None:
    op.create_table(
        "login",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("by_cookie", Flag(), nullable=False),
        sa.Column("address", TEXT, nullable=True),
        sa.Column("user_agent", TEXT, nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("used_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("ended_because", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_login_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_login_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_login")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.create_index("ix_login_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_login_user", ["org_id", "user_id", "created_at"], unique=False)

    op.create_table(
        "mailed_link",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("created_by", Id(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=False),
        sa.Column("used_at", Time(), nullable=True),
        sa.CheckConstraint("kind IN ('invitation', 'reset', 'verification')", name=op.f("ck_mailed_link_kind")),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_mailed_link_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_mailed_link_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_mailed_link")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.create_index("ix_mailed_link_user", ["org_id", "user_id", "kind"], unique=False)

    op.create_table(
        "password_history",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_password_history_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_password_history_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_password_history")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("password_history", schema=None) as batch_op:
        batch_op.create_index("ix_password_history_user", ["org_id", "user_id", "id"], unique=False)

    op.create_table(
        "refresh_token",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("login_id", Id(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=False),
        sa.Column("used_at", Time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "login_id"],
            ["login.org_id", "login.id"],
            name=op.f("fk_refresh_token_org_id_login_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_refresh_token_org_id")),
        sa.PrimaryKeyConstraint("org_id", "hash", name=op.f("pk_refresh_token")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.create_index("ix_refresh_token_login", ["org_id", "login_id"], unique=False)
    protect("login")
    protect("mailed_link")
    protect("password_history")
    protect("refresh_token")


def downgrade() -> None:
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_index("ix_refresh_token_login")

    op.drop_table("refresh_token")
    with op.batch_alter_table("password_history", schema=None) as batch_op:
        batch_op.drop_index("ix_password_history_user")

    op.drop_table("password_history")
    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.drop_index("ix_mailed_link_user")

    op.drop_table("mailed_link")
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.drop_index("ix_login_user")
        batch_op.drop_index("ix_login_expires")

    op.drop_table("login")
