"""What was written about somebody can be taken out of the history."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import ERASED_AT, allow_erasing, forbid_erasing
from lms.database.types import Time

revision = "attendance_0002"
down_revision = "attendance_0001"
branch_labels = None
depends_on = None

_TEXTS = ("old", "new", "reason")


def upgrade() -> None:
    op.add_column("attendance_history", sa.Column(ERASED_AT, Time(), nullable=True))
    allow_erasing("attendance_history", _TEXTS)


def downgrade() -> None:
    forbid_erasing("attendance_history", _TEXTS)
    op.drop_column("attendance_history", ERASED_AT)
