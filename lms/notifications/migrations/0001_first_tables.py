"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import TEXT, Id, Json, Time

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("about", Json(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("read_at", Time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_notification_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_notification_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_notification")),
        sa.UniqueConstraint("org_id", "user_id", "source", name=op.f("uq_notification_org_id_user_id_source")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index("ix_notification_user", ["org_id", "user_id", "id"], unique=False)
    protect("notification")


def downgrade() -> None:
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index("ix_notification_user")

    op.drop_table("notification")
