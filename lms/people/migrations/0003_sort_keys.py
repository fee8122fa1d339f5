"""Sort keys: digits of every script are one, numbers count, and signs that only direct the writing are left out."""

from lms.database.rewrite import make_keys_anew
from lms.text import sort_key

revision = "people_0003"
down_revision = "people_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_keys_anew("app_user", "display_name", "sort_key", sort_key, ("org_id", "id"))


def downgrade() -> None:
    """Nothing: names sort and are found by these keys, too, until they are next changed."""
