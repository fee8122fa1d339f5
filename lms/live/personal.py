"""What is held on who was there when."""

from __future__ import annotations

from typing import Final

from lms.live.tables import last_seen
from lms.personal.holding import DELETE, Holding

HOLDINGS: Final = (Holding("last_seen", last_seen, by=("user_id",), erase=DELETE),)
