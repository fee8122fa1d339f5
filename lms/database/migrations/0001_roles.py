"""The roles that transactions take on in PostgreSQL; every table's protection names them."""

from lms.database.protect import make_roles

revision = "database_0001"
down_revision = None
branch_labels = ("database",)
depends_on = None


def upgrade() -> None:
    make_roles()


def downgrade() -> None:
    """Roles belong to the whole cluster: other databases may need them."""
