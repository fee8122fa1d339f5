"""What is held on what somebody was notified of."""

from __future__ import annotations

from typing import Final

from lms.notifications.tables import notification
from lms.personal.holding import DELETE, Holding

HOLDINGS: Final = (Holding("notifications", notification, by=("user_id",), erase=DELETE),)
