"""What a password must be: long, not guessed first, not made of what everybody knows of the person. Pure.

As NIST SP 800-63B has it: length counts; kinds of characters are asked for only where a school wants them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from lms.access.passwords_settings import PasswordSettings
from lms.api.phrases import Phrase
from lms.api.problems import Problem, ProblemError

PART_CHARACTERS_MIN: Final = 4  # of a name or code; shorter ones occur in anything

_COMMON: Final = frozenset(
    [
        "password",
        "passw0rd",
        "password1",
        "password12",
        "password123",
        "password1234",
        "12345678",
        "123456789",
        "1234567890",
        "12345678910",
        "123456789012",
        "qwertyuiop",
        "qwerty123",
        "qwerty12345",
        "qwertyuiop123",
        "1q2w3e4r",
        "1q2w3e4r5t",
        "1qaz2wsx",
        "1qaz2wsx3edc",
        "zaq12wsx",
        "iloveyou",
        "iloveyou1",
        "iloveyou123",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "batman123",
        "trustno1",
        "welcome",
        "welcome1",
        "welcome123",
        "letmein",
        "letmein123",
        "monkey123",
        "dragon123",
        "master123",
        "admin123",
        "administrator",
        "admin1234",
        "admin12345",
        "changeme",
        "changeme123",
        "abcd1234",
        "abc12345",
        "abcdefgh",
        "abcdefghijkl",
        "asdfghjkl",
        "asdfghjkl123",
        "zxcvbnm123",
        "11111111",
        "111111111111",
        "00000000",
        "000000000000",
        "88888888",
        "987654321",
        "0987654321",
        "123123123",
        "123123123123",
        "123321123",
        "aaaaaaaa",
        "aaaaaaaaaaaa",
        "qazwsxedc",
        "qazwsxedcrfv",
        "teacher123",
        "student123",
        "school123",
        "classroom",
        "class1234",
        "education",
        "learning123",
        "halqa1234",
        "secret123",
        "computer",
        "internet",
        "whatever",
        "starwars",
        "michael1",
        "jennifer",
        "charlie1",
        "michelle",
        "jordan23",
        "pokemon123",
        "minecraft",
        "roblox123",
        "football123",
        "liverpool1",
        "chelsea123",
        "barcelona",
        "realmadrid",
        "ahmed1234",
        "mohamed123",
        "muhammad123",
        "mohammed123",
        "abdullah123",
        "fatima123",
        "allahakbar",
        "bismillah",
        "alhamdulillah",
        "alhamdulillah1",
        "mashaallah",
        "insha",
        "allah123",
        "ramadan123",
        "passwordpassword",
        "correcthorsebatterystaple",
        "thisisapassword",
        "mypassword123",
        "p@ssw0rd",
        "p@ssword123",
        "p@ssw0rd1234",
        "qwer1234",
        "asdf1234",
        "zxcv1234",
        "test1234",
        "testtest",
        "testtesttest",
        "temp1234",
        "guest1234",
        "login1234",
        "user1234",
        "demo12345",
    ]
)

TOO_SHORT: Final = Problem(
    "password_too_short",
    422,
    "The password has {value} characters, expected {expected}.",
    "كلمة المرور مكونة من {value} حرفًا، والمتوقع {expected}.",
)
TOO_COMMON: Final = Problem(
    "password_too_common",
    422,
    "The password is one of those that are guessed first; take several words.",
    "كلمة المرور شائعة ويسهل تخمينها؛ اختر عدة كلمات.",
)
TOO_PERSONAL: Final = Problem(
    "password_too_personal",
    422,
    "The password holds your name, code or address.",
    "كلمة المرور تحتوي على اسمك أو رمزك أو بريدك.",
)
TOO_PLAIN: Final = Problem(
    "password_too_plain",
    422,
    "The password has {value} of the kinds lower case, upper case, digits and signs; expected {expected}.",
    "في كلمة المرور {value} من أنواع المحارف (صغيرة وكبيرة وأرقام وعلامات)، والمتوقع {expected}.",
)
USED_BEFORE: Final = Problem(
    "password_used_before",
    422,
    "The password was yours before; take another.",
    "استخدمت كلمة المرور هذه من قبل؛ اختر غيرها.",
)
PASSWORD_PROBLEMS: Final = (TOO_SHORT, TOO_COMMON, TOO_PERSONAL, TOO_PLAIN, USED_BEFORE)


def normal_form(password: str) -> str:
    """Return the password as it is hashed: the same whatever keyboard wrote it (RFC 8265: NFC)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, personal: Iterable[str | None], settings: PasswordSettings) -> None:
    """Raise ProblemError for a password that is not taken; `personal` is what is known of the person."""
    text = normal_form(password)
    if not settings.characters_min <= len(text) <= settings.characters_max:
        least, most = settings.characters_min, settings.characters_max
        expected = Phrase(f"{least} to {most}", f"من {least} إلى {most}")
        raise ProblemError(TOO_SHORT, field="password", value=len(text), expected=expected, rule="length")
    folded = text.casefold()
    if folded in _COMMON or len(set(folded)) <= 2:
        raise ProblemError(TOO_COMMON, field="password", rule="common")
    if _is_run(folded):
        raise ProblemError(TOO_COMMON, field="password", rule="common")
    for part in _parts(personal):
        if part in folded:
            raise ProblemError(TOO_PERSONAL, field="password", rule="personal")
    kinds = _kinds(text)
    if kinds < settings.kinds_min:
        least = settings.kinds_min
        expected = Phrase(f"{least} or more", f"{least} أو أكثر")
        raise ProblemError(TOO_PLAIN, field="password", value=kinds, expected=expected, rule="kinds")


def _is_run(text: str) -> bool:
    """Return whether each character follows the one before: abcdefgh, 98765432."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1 and steps <= {1, -1}


def _parts(personal: Iterable[str | None]) -> Iterable[str]:
    for text in personal:
        for part in (text or "").casefold().partition("@")[0].split():
            if len(part) >= PART_CHARACTERS_MIN:
                yield part


def _kinds(text: str) -> int:
    letters = [each for each in text if each.isalpha()]
    return sum(
        (
            any(each.islower() or not each.isupper() for each in letters),
            any(each.isupper() for each in letters),
            any(each.isdigit() for each in text),
            any(not each.isalnum() for each in text),
        )
    )
