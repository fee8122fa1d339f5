"""What grades hold on somebody: points and their history stay, what was written about the person goes out of both."""

from __future__ import annotations

from typing import Final

from lms.grades.tables import grade, grade_history, grade_item
from lms.personal.holding import Beside, Clear, Holding, TakeOut

_OF_ITEM: Final = (Beside("item_id", grade_item, "title"),)

HOLDINGS: Final = (
    Holding("grades", grade, by=("user_id",), beside=_OF_ITEM, erase=Clear({"feedback": None})),
    Holding(
        "grade_history", grade_history, by=("user_id",), beside=_OF_ITEM, erase=TakeOut({"reason": lambda _: None})
    ),
)
