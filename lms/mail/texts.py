"""What mails say, in each language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lms.access.tables import LinkKind
from lms.api.languages import Language

_ENGLISH: Final[Mapping[LinkKind, tuple[str, str]]] = {
    LinkKind.INVITATION: (
        "{school}: your account",
        (
            "Hello {name},\n\nthere is an account for you at {school}. Your code is {code}.\n"
            "Choose a password here, by {until} (UTC):\n\n{link}\n\n"
            "If you do not know {school}, do nothing.\n"
        ),
    ),
    LinkKind.RESET: (
        "{school}: a new password",
        (
            "Hello {name},\n\nsomebody asked for a new password for your account {code} at {school}.\n"
            "Set it here, by {until} (UTC):\n\n{link}\n\n"
            "If that was not you, do nothing: your password stays as it is.\n"
        ),
    ),
    LinkKind.VERIFICATION: (
        "{school}: is this your address?",
        (
            "Hello {name},\n\nthis address was given for the account {code} at {school}.\n"
            "Confirm it here, by {until} (UTC):\n\n{link}\n\nIf it is not yours, do nothing.\n"
        ),
    ),
}
_ARABIC: Final[Mapping[LinkKind, tuple[str, str]]] = {
    LinkKind.INVITATION: (
        "{school}: حسابك",
        (
            "مرحبًا {name}،\n\nأُنشئ لك حساب في {school}. رمزك هو {code}.\n"
            "اختر كلمة مرور من هذا الرابط قبل {until} (التوقيت العالمي):\n\n{link}\n\n"
            "إذا كنت لا تعرف {school} فتجاهل هذه الرسالة.\n"
        ),
    ),
    LinkKind.RESET: (
        "{school}: كلمة مرور جديدة",
        (
            "مرحبًا {name}،\n\nطُلبت كلمة مرور جديدة لحسابك {code} في {school}.\n"
            "عيّنها من هذا الرابط قبل {until} (التوقيت العالمي):\n\n{link}\n\n"
            "إذا لم تطلب ذلك فتجاهل هذه الرسالة، وتبقى كلمة مرورك كما هي.\n"
        ),
    ),
    LinkKind.VERIFICATION: (
        "{school}: هل هذا عنوانك؟",
        (
            "مرحبًا {name}،\n\nسُجّل هذا العنوان للحساب {code} في {school}.\n"
            "أكّده من هذا الرابط قبل {until} (التوقيت العالمي):\n\n{link}\n\nإذا لم يكن عنوانك فتجاهل هذه الرسالة.\n"
        ),
    ),
}
_TEXTS: Final = {Language.ENGLISH: _ENGLISH, Language.ARABIC: _ARABIC}


def write_mail(kind: LinkKind, language: Language, words: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and text; what people chose as names cannot break a line."""
    plain = {name: " ".join(text.split()) for name, text in words.items()}
    subject, text = _TEXTS[language][kind]
    return subject.format_map(plain), text.format_map(plain)
