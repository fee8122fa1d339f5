"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import Id, Time

revision = "live_0001"
down_revision = None
branch_labels = ("live",)
depends_on = (
    "database_0001",
    "organizations_0001",
    "people_0002",
)


def upgrade() -> None:
    op.create_table(
        "last_seen",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"], ["app_user.org_id", "app_user.id"], name=op.f("fk_last_seen_org_id_user_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_last_seen_org_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_last_seen")),
        sqlite_strict=True,
    )
    protect("last_seen")


def downgrade() -> None:
    op.drop_table("last_seen")
