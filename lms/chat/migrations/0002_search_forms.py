"""Search forms: digits of every script are one, and signs that only direct the writing are left out."""

from lms.database.rewrite import make_keys_anew
from lms.text import search_form

revision = "chat_0002"
down_revision = "chat_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_keys_anew("chat_message", "body", "search_key", search_form, ("org_id", "room_id", "seq"))


def downgrade() -> None:
    """Nothing: messages are found by these forms, too."""
