"""How live classes refuse."""

from __future__ import annotations

from typing import Final

from lms.api.problems import Problem

NOT_NOW: Final = Problem("not_now", 409, "{reason}.", "حالة الحصة الآن لا تسمح بذلك ({value}).")
BAD_RULE: Final = Problem("bad_rule", 400, "{field}: {reason}.", "قاعدة التكرار غير صحيحة: {value}.")
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
