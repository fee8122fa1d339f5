"""Groups sort as people and courses do."""

import sqlalchemy as sa
from alembic import op

from lms.database.rewrite import make_keys_anew
from lms.database.types import TEXT
from lms.text import sort_key

revision = "courses_0003"
down_revision = "courses_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("course_group", sa.Column("sort_key", TEXT, nullable=False, server_default=""))
    make_keys_anew("course_group", "name", "sort_key", sort_key, ("org_id", "id"), empty_too=True)


def downgrade() -> None:
    op.drop_column("course_group", "sort_key")
