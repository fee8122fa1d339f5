"""What attendance holds on somebody: the record of a class stays, and names nobody once the account is erased."""

from __future__ import annotations

from typing import Any, Final

from lms.attendance.tables import (
    attendance_event,
    attendance_guest,
    attendance_history,
    attendance_interval,
    attendance_result,
    attendance_roster,
)
from lms.personal.holding import Clear, Holding, Keep, TakeOut

_RECORD: Final = Keep("it is the school's record of the class")

_WORDS: Final = frozenset({"note", "excused"})
"""Of what a history tells: texts that somebody wrote."""


def without_words(told: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what a history tells without what was written; an empty text stands where there was one."""
    if told is None:
        return None
    return {name: "" if name in _WORDS and value is not None else value for name, value in told.items()}


HOLDINGS: Final = (
    Holding("attendance", attendance_result, by=("user_id",), erase=Clear({"override_note": None})),
    Holding(
        "attendance_history",
        attendance_history,
        by=("user_id",),
        erase=TakeOut({"old": without_words, "new": without_words, "reason": lambda _: ""}),
    ),
    Holding("attendance_expected", attendance_roster, by=("user_id",), erase=Clear({"excused_reason": None})),
    Holding("attendance_as_guest", attendance_guest, by=("user_id",), erase=Clear({"name": ""})),
    Holding("presence", attendance_interval, by=("identity",), erase=_RECORD),
    Holding("presence_events", attendance_event, by=("identity",), erase=_RECORD),
)
