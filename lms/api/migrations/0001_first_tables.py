"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Id, Time

revision = "api_0001"
down_revision = None
branch_labels = ("api",)
depends_on = (
    "database_0001",
    "organizations_0001",
)


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request_hash", BYTES, nullable=False),
        sa.Column("status", INTEGER, nullable=True),
        sa.Column("headers", TEXT, nullable=True),
        sa.Column("content", BYTES, nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_idempotency_org_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", "key", name=op.f("pk_idempotency")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_created", ["created_at"], unique=False)
    protect("idempotency")


def downgrade() -> None:
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_created")

    op.drop_table("idempotency")
