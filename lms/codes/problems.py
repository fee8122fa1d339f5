"""How codes refuse. One text for a wrong, an old, a used up and an ended code: nobody learns that one exists."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

BAD_CODE: Final = Problem(
    "bad_code",
    404,
    "This code opens nothing. Check it, or ask for a new one.",
    "هذا الرمز غير صالح. تحقق منه أو اطلب رمزًا جديدًا.",
)
CODES_MAX: Final = Problem(
    "too_many_codes", 409, "There are {value} codes for this, at most {expected} are possible.",
    "عدد الرموز {value}، والحد الأقصى {expected}.",
)  # fmt: skip

THE_ACCESS_CODE: Final = Phrase("access code", "رمز الوصول")
