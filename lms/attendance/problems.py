"""How attendance refuses."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

NEVER_HELD: Final = Problem("class_never_held", 409, "This class has not been held yet.", "لم تُعقد هذه الحصة بعد.")
NOT_EXPECTED: Final = Problem(
    "not_on_roster", 409, "{value} was not expected in this class.", "{value} ليس في قائمة المتوقع حضورهم في هذه الحصة."
)
NO_GUEST: Final = Problem(
    "no_such_guest", 404, "No guest {value} was in this class.", "لا يوجد ضيف {value} في هذه الحصة."
)
BAD_POLICY: Final = Problem(
    "bad_policy", 400, "{field} is {value}, expected {expected}.", "قيمة {field} هي {value}، والمتوقع {expected}."
)

THE_PERSON_IN_CLASS: Final = Phrase("person in this class", "الشخص في هذه الحصة")
THE_RUN_OF_CLASS: Final = Phrase("run of this class", "انعقاد هذه الحصة")
