"""What logins hold on somebody."""

from __future__ import annotations

from typing import Final

from lms.access.tables import login, mailed_link, password_history
from lms.personal.holding import DELETE, Holding

HOLDINGS: Final = (
    Holding("logins", login, by=("user_id",), erase=DELETE),
    Holding("passwords", password_history, by=("user_id",), erase=DELETE),
    Holding("mailed_links", mailed_link, by=("user_id",), erase=DELETE),
)
