"""Code counter."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Id

revision = "people_0002"
down_revision = "people_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_counter",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("last", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_code_counter_org_id")),
        sa.PrimaryKeyConstraint("org_id", "prefix", name=op.f("pk_code_counter")),
        sqlite_strict=True,
    )
    protect("code_counter")


def downgrade() -> None:
    op.drop_table("code_counter")
