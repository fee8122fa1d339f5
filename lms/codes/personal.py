"""What access codes hold on somebody."""

from __future__ import annotations

from typing import Final

from lms.codes.tables import access_code, code_attempt, code_redemption
from lms.personal.holding import DELETE, Clear, Holding, Keep

HOLDINGS: Final = (
    Holding("access_codes_made", access_code, by=("created_by",), erase=Keep("others use them")),
    Holding("access_codes_redeemed", code_redemption, by=("user_id",), erase=Clear({"address": None})),
    Holding("access_code_attempts", code_attempt, by=("user_id",), erase=DELETE),
)
