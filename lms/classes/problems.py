"""How live classes refuse."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

NOT_NOW: Final = Problem("not_now", 409, "{reason}.", "{reason}.")
BAD_RULE: Final = Problem("bad_rule", 400, "{field}: {reason}.", "{field}: {reason}.")
MEDIA_UNAVAILABLE: Final = Problem(
    "media_unavailable",
    503,
    "The media server cannot be reached; try again soon.",
    "تعذّر الوصول إلى خادم البث؛ أعد المحاولة بعد قليل.",
)
BREAKOUTS_MAX: Final = Problem(
    "too_many_breakouts", 409, "The class has {value} breakouts, at most {expected} are possible.",
    "عدد الغرف الفرعية {value}، والحد الأقصى {expected}.",
)  # fmt: skip
CALENDARS_MAX: Final = Problem(
    "too_many_calendars", 409, "You have {value} calendars, at most {expected} are possible.",
    "لديك {value} تقويمًا، والحد الأقصى {expected}.",
)  # fmt: skip

THE_LIVE_CLASS: Final = Phrase("live class", "الحصة")
THE_SERIES: Final = Phrase("series", "سلسلة الحصص")
THE_INVITATION: Final = Phrase("invitation", "الدعوة")
THE_RECORDING: Final = Phrase("recording", "تسجيل الحصة")
THE_CALENDAR: Final = Phrase("calendar", "التقويم")
