"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Id, Json, Time

revision = "personal_0001"
down_revision = None
branch_labels = ("personal",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "data_request",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("requested_by", Id(), nullable=False),
        sa.Column("counts", Json(), nullable=False),
        sa.Column("archive", BYTES, nullable=True),
        sa.Column("size_bytes", INTEGER, nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("done_at", Time(), nullable=True),
        sa.Column("expires_at", Time(), nullable=True),
        sa.CheckConstraint("kind IN ('export', 'erasure')", name=op.f("ck_data_request_kind")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'expired')", name=op.f("ck_data_request_state")),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_data_request_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_data_request_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_data_request")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("data_request", schema=None) as batch_op:
        batch_op.create_index("ix_data_request_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_data_request_user", ["org_id", "user_id", "id"], unique=False)
    protect("data_request")


def downgrade() -> None:
    with op.batch_alter_table("data_request", schema=None) as batch_op:
        batch_op.drop_index("ix_data_request_user")
        batch_op.drop_index("ix_data_request_expires")

    op.drop_table("data_request")
