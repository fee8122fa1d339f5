"""What is held on queues of somebody's devices."""

from __future__ import annotations

from typing import Final

from lms.personal.holding import DELETE, Holding
from lms.sync.tables import sync_operation

HOLDINGS: Final = (
    Holding("sync_operations", sync_operation, by=("user_id",), erase=DELETE, leave_out=frozenset({"result"})),
)
