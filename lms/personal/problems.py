"""How requests for somebody's data are refused."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

WRONG_CODE: Final = Problem(
    "wrong_code",
    422,
    "{field} is {value}, which is not the code of this account: nobody is erased.",
    "قيمة {field} هي {value}، وهي ليست رمز هذا الحساب: لم يُمحَ أحد.",
)
NO_ARCHIVE: Final = Problem(
    "no_archive",
    409,
    "There is no archive to fetch: the request is {value}.",
    "لا يوجد أرشيف لتنزيله: حالة الطلب {value}.",
)

THE_PERSON: Final = Phrase("person", "الشخص")
THE_REQUEST: Final = Phrase("request", "الطلب")
