"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Time

revision = "schedule_0001"
down_revision = None
branch_labels = ("schedule",)
depends_on = ("database_0001",)


def upgrade() -> None:
    op.create_table(
        "scheduled_job",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("next_at", Time(), nullable=False),
        sa.Column("holder", TEXT, nullable=True),
        sa.Column("lease_until", Time(), nullable=True),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("runs", INTEGER, nullable=False),
        sa.Column("started_at", Time(), nullable=True),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("succeeded_at", Time(), nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("did", INTEGER, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.CheckConstraint("outcome IN ('done', 'failed', 'lost')", name=op.f("ck_scheduled_job_outcome")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduled_job")),
        sqlite_strict=True,
    )
    protect("scheduled_job", org_column=None)


def downgrade() -> None:
    op.drop_table("scheduled_job")
