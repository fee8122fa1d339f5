"""What requests for somebody's data hold on them."""

from __future__ import annotations

from typing import Final

from lms.personal.holding import Clear, Holding
from lms.personal.tables import data_request

HOLDINGS: Final = (
    Holding(
        "data_requests",
        data_request,
        by=("user_id", "requested_by"),
        erase=Clear({"archive": None}),
        leave_out=frozenset({"archive"}),
    ),
)
