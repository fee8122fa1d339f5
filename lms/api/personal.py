"""What kept answers hold on somebody."""

from __future__ import annotations

from typing import Final

from lms.api.tables import idempotency
from lms.personal.holding import DELETE, Holding

HOLDINGS: Final = (Holding("repeated_requests", idempotency, by=("user_id",), erase=DELETE),)
