"""Names and searches in Arabic and English: one form in which they are found, and one in which they sort. Pure.

Both databases compare these by code point, so that lists are in the same order, and cursors mean the same, on each:
Latin before Arabic, each in the order of its alphabet, and numbers by what they count ("Grade 9" before "Grade 10").
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

KEY_CHARACTERS_MAX: Final = 255
"""Of either part of a sort key: PostgreSQL's indexes hold 2,704 bytes a row, and a title's ligatures could be more."""

_HAS_NUMBER: Final = re.compile(r"[0-9]")
_NUMBER: Final = re.compile(r"0*([0-9]+)")
_PART_END: Final = "\x01"
"""Between the parts of a sort key; below everything else, so that what is shorter comes first."""
_NUMBER_LENGTH_BASE: Final = 1
_NUMBER_LENGTH_MAX: Final = 30
"""Digits; the signs that stand for lengths end where the space begins."""

_ONE_FORM: Final = {
    # Letters that people, and their keyboards, write one for another. Alef and its kin with hamza or madda, waw and ya
    # with hamza are taken apart before (NFKD), and their marks left out.
    "ٱ": "ا", "ٲ": "ا", "ٳ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ے": "ي", "ہ": "ه", "ھ": "ه",
    # Latin letters that Unicode does not take apart.
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h",
    # Stretches a word, and a hamza that floats: they say nothing.
    "\u0640": "", "\u0674": "",
    # Apostrophes, and what stands for ayn and hamza in Latin letters: Qur'an, Quran.
    **dict.fromkeys("'`´\u2018\u2019\u201b\u2032\u02bb\u02bc\u02be\u02bf", ""),
}  # fmt: skip


class _Signs(dict[int, str]):
    """What becomes of each sign; worked out when it is first met, for there are more than a hundred thousand."""

    def __missing__(self, code: int) -> str:
        made = self[code] = _one_form(chr(code))
        return made


def search_form(text: str) -> str:
    """Return the form in which a text is searched, and other texts in it; it is its own form.

    No case, no accents or vowel signs, one form of alef, ya, ta marbuta and digits of any script, no signs that only
    direct the writing, a space for dashes and runs of spaces.
    """
    whole = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", " ".join(whole.translate(_SIGNS).split()))


def sort_key(text: str) -> str:
    """Return the form by which a name sorts, and in which `search_pattern` finds it, too."""
    plain = search_form(text)[:KEY_CHARACTERS_MAX]
    if _HAS_NUMBER.search(plain) is None:
        return plain
    counted = _NUMBER.sub(lambda match: f"{_length_sign(match[1])}{match[1]}", plain)
    return f"{counted[:KEY_CHARACTERS_MAX]}{_PART_END}{plain}"


def search_pattern(text: str) -> str:
    """Return what LIKE finds a text with, anywhere in a form or key; the escape character is the backslash."""
    plain = search_form(text)
    for each in ("\\", "%", "_"):
        plain = plain.replace(each, f"\\{each}")
    return f"%{plain}%"


def _length_sign(digits: str) -> str:
    """Return what stands before a number, so that longer ones come later."""
    return chr(_NUMBER_LENGTH_BASE + min(len(digits), _NUMBER_LENGTH_MAX))


def _one_form(sign: str) -> str:
    if sign in _ONE_FORM:
        return _ONE_FORM[sign]
    if sign.isspace():
        return " "
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(sign)
    if category == "Pd":
        return " "
    return "" if category in {"Cc", "Cf"} or unicodedata.combining(sign) else sign


_SIGNS: Final = _Signs()
