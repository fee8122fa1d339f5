"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, TEXT, Id, Json, Time

revision = "sync_0001"
down_revision = None
branch_labels = ("sync",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "sync_operation",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("device_id", TEXT, nullable=False),
        sa.Column("operation_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("content_hash", BYTES, nullable=False),
        sa.Column("result", Json(), nullable=True),
        sa.Column("applied_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_sync_operation_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_sync_operation_org_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", "device_id", "operation_id", name=op.f("pk_sync_operation")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("sync_operation", schema=None) as batch_op:
        batch_op.create_index("ix_sync_operation_applied", ["applied_at"], unique=False)
    protect("sync_operation")


def downgrade() -> None:
    with op.batch_alter_table("sync_operation", schema=None) as batch_op:
        batch_op.drop_index("ix_sync_operation_applied")

    op.drop_table("sync_operation")
