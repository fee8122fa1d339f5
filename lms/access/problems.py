"""How logging in is refused."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import Problem

BAD_LOGIN: Final = Problem(
    "bad_login",
    401,
    "The login or the password is wrong, or the account is not in use.",
    "اسم الدخول أو كلمة المرور غير صحيحة، أو أن الحساب غير مفعّل.",
)
BAD_REFRESH: Final = Problem(
    "bad_refresh_token", 401, "This login has ended; log in again.", "انتهت جلسة الدخول؛ سجّل الدخول من جديد."
)
PASSWORD_EXPIRED: Final = Problem(
    "password_expired",
    403,
    "The password is too old; set a new one by the link that you can have mailed.",
    "انتهت مدة كلمة المرور؛ اطلب رابطًا لتعيين كلمة جديدة.",
)
ORGANIZATION_NEEDED: Final = Problem(
    "organization_needed",
    400,
    "Say of which organization you are: this address serves several.",
    "حدد المؤسسة التي تنتمي إليها: هذا العنوان يخدم أكثر من مؤسسة.",
)
BAD_LINK: Final = Problem(
    "bad_link",
    410,
    "This link was used, is too old or was replaced by a newer one.",
    "هذا الرابط مستخدم أو منتهي الصلاحية.",
)
WRONG_PASSWORD: Final = Problem(
    "wrong_password", 422, "The present password is wrong.", "كلمة المرور الحالية غير صحيحة."
)

THE_LOGIN: Final = Phrase("login", "جلسة الدخول")
