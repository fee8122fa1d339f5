"""Proofs of hosts are looked for again: when DNS held one, since when it does not, and when people were told.

Nobody is asked about what is verified already: nothing says whether that was by DNS or by the operator.
"""

import sqlalchemy as sa
from alembic import op

from lms.database.types import Time

revision = "organizations_0003"
down_revision = "organizations_0002"
branch_labels = None
depends_on = None

_COLUMNS = ("proven_at", "missing_since", "warned_at")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("org_host", sa.Column(name, Time(), nullable=True))


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("org_host", name)
