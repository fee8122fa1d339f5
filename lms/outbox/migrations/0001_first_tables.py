"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Id, Json, Time

revision = "outbox_0001"
down_revision = None
branch_labels = ("outbox",)
depends_on = (
    "database_0001",
    "organizations_0001",
)


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("published_at", Time(), nullable=True),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_at", Time(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_outbox_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_outbox")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_due",
            ["next_at", "id"],
            unique=False,
            postgresql_where=sa.text("published_at IS NULL"),
            sqlite_where=sa.text("published_at IS NULL"),
        )
    protect("outbox")


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_due",
            postgresql_where=sa.text("published_at IS NULL"),
            sqlite_where=sa.text("published_at IS NULL"),
        )

    op.drop_table("outbox")
