"""How people are named where they are not there."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase

THE_USER: Final = Phrase("user", "المستخدم")
THE_ACCOUNT: Final = Phrase("account", "الحساب")
THE_GUARDIAN: Final = Phrase("guardian", "ولي الأمر")
IANA_NAME: Final = Phrase("a name of the IANA time zone database", "اسم من قاعدة بيانات المناطق الزمنية IANA")
"""What a time zone must be."""
