"""What was written about somebody can be taken out of the history."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import ERASED_AT, allow_erasing, forbid_erasing
from lms.database.types import Time

revision = "grades_0002"
down_revision = "grades_0001"
branch_labels = None
depends_on = None

_TEXTS = ("reason",)


def upgrade() -> None:
    op.add_column("grade_history", sa.Column(ERASED_AT, Time(), nullable=True))
    allow_erasing("grade_history", _TEXTS)


def downgrade() -> None:
    forbid_erasing("grade_history", _TEXTS)
    op.drop_column("grade_history", ERASED_AT)
