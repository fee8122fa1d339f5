"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Flag, Id, Json, Time

revision = "webhooks_0001"
down_revision = None
branch_labels = ("webhooks",)
depends_on = (
    "database_0001",
    "organizations_0001",
)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("active", Flag(), nullable=False),
        sa.Column("generation", INTEGER, nullable=False),
        sa.Column("previous_until", Time(), nullable=True),
        sa.Column("next_at", Time(), nullable=False),
        sa.Column("failures", INTEGER, nullable=False),
        sa.Column("failing_since", Time(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("succeeded_at", Time(), nullable=True),
        sa.Column("created_by", Id(), nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_webhook_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_next", ["next_at"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("webhook_id", Id(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_webhook_delivery_state")),
        sa.ForeignKeyConstraint(
            ["org_id", "webhook_id"],
            ["webhook.org_id", "webhook.id"],
            name=op.f("fk_webhook_delivery_org_id_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_webhook_delivery_org_id")),
        sa.PrimaryKeyConstraint("org_id", "webhook_id", "event_id", name=op.f("pk_webhook_delivery")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_delivery_ended", ["ended_at"], unique=False)
        batch_op.create_index(
            "ix_webhook_delivery_waiting",
            ["org_id", "webhook_id", "event_id"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "webhook_topic",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("webhook_id", Id(), nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "webhook_id"],
            ["webhook.org_id", "webhook.id"],
            name=op.f("fk_webhook_topic_org_id_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_webhook_topic_org_id")),
        sa.PrimaryKeyConstraint("org_id", "webhook_id", "topic", name=op.f("pk_webhook_topic")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("webhook_topic", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_topic_topic", ["org_id", "topic"], unique=False)
    protect("webhook")
    protect("webhook_delivery")
    protect("webhook_topic")


def downgrade() -> None:
    with op.batch_alter_table("webhook_topic", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_topic_topic")

    op.drop_table("webhook_topic")
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_webhook_delivery_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("ix_webhook_delivery_ended")

    op.drop_table("webhook_delivery")
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_next")

    op.drop_table("webhook")
