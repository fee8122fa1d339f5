"""Names and searches in Arabic and English: one form in which they sort and are found, however typed. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

TATWEEL: Final = "\u0640"  # stretches a word and says nothing
_ONE_FORM: Final = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "ی": "ي", TATWEEL: ""}
)
"""Letters that people write one for another."""


def sort_key(text: str) -> str:
    """Return the form by which a name sorts and is searched: no case, no accents or vowel signs, one form of alef.

    It compares by code point, as both databases do: Latin before Arabic, and each in its own order.
    """
    whole = unicodedata.normalize("NFKD", text).casefold().translate(_ONE_FORM)
    plain = "".join(each for each in whole if not unicodedata.combining(each))
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def search_pattern(text: str) -> str:
    """Return what LIKE finds a text with, anywhere in a sort key; the escape character is the backslash."""
    plain = sort_key(text)
    for each in ("\\", "%", "_"):
        plain = plain.replace(each, f"\\{each}")
    return f"%{plain}%"
