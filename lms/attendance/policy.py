"""The rules of a school: how much presence makes somebody present, late or absent. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lms.api.phrases import Phrase
from lms.attendance.facts import SECOND_US
from lms.attendance.intervals import Place
from lms.attendance.spans import Span

SECONDS_MAX: Final = 86_400
"""No threshold is longer than a day; no class is."""


_SECONDS: Final = Phrase(f"0 to {SECONDS_MAX} seconds", f"من 0 إلى {SECONDS_MAX} ثانية")
_PERCENT: Final = Phrase("0 to 100 with at most two decimals", "من 0 إلى 100 بمنزلتين عشريتين على الأكثر")


class TimeWindow(enum.Enum):
    """Which time counts."""

    SCHEDULED = "scheduled"
    """As planned; a class without a plan counts as it was held."""
    ACTUAL = "actual"
    """As held: from the run's start to its end."""
    INTERSECTION = "intersection"
    """What was planned and held; if that is nothing, as held."""


class PolicyError(ValueError):
    """A policy that cannot be applied."""

    def __init__(self, field: str, value: object, expected: Phrase) -> None:
        super().__init__(f"{field} is {value}, expected {expected.english}")
        self.field = field
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy; the defaults are those of an organization that has set none."""

    min_seconds: int = 0
    """Less presence than this is `partial`."""
    min_percent: Decimal = Decimal(50)
    """Less of the window than this is `partial`, too; the greater of both counts."""
    late_after_s: int = 600
    """Whoever comes later than so long after the start is `late`."""
    early_leave_s: int = 600
    """Whoever goes earlier than so long before the end has `left_early`."""
    gap_merge_s: int = 60
    """Absences up to so long are no absence: a reload, a tunnel, a change from Wi-Fi to mobile."""
    min_interval_s: int = 0
    """Presence shorter than this in one piece is none, e.g. a look through the door."""
    count_lobby: bool = False
    """Whether waiting to be let in is presence."""
    count_breakout: bool = True
    """Whether breakout rooms are class."""
    time_window: TimeWindow = TimeWindow.ACTUAL

    def __post_init__(self) -> None:
        for name in ("min_seconds", "late_after_s", "early_leave_s", "gap_merge_s", "min_interval_s"):
            if not 0 <= (value := getattr(self, name)) <= SECONDS_MAX:
                raise PolicyError(name, value, _SECONDS)
        percent = self.min_percent
        if not percent.is_finite() or not 0 <= percent <= 100 or percent != round(percent, 2):
            raise PolicyError("min_percent", percent, _PERCENT)

    def counts(self, place: Place) -> bool:
        """Return whether being there is presence."""
        match place:
            case Place.MAIN:
                return True
            case Place.BREAKOUT:
                return self.count_breakout
            case Place.LOBBY:
                return self.count_lobby

    def window(self, *, scheduled: Span | None, actual: Span) -> Span:
        """Return the time that counts, before anything is cut off because it is yet to come."""
        if scheduled is None or self.time_window is TimeWindow.ACTUAL:
            return actual
        if self.time_window is TimeWindow.SCHEDULED:
            return scheduled
        common = Span(max(scheduled.start_us, actual.start_us), min(scheduled.end_us, actual.end_us))
        return common if common.length_us else actual

    def is_enough(self, present_us: int, window: Span) -> bool:
        """Return whether so much presence is not `partial`; exact, nothing is rounded."""
        enough_seconds = present_us >= self.min_seconds * SECOND_US
        return enough_seconds and present_us * 10_000 >= int(self.min_percent * 100) * window.length_us
