"""Which texts may name a room, a person's identity or a person: checked once, at the border."""

from __future__ import annotations

import unicodedata
from typing import Final

from signaling.identifiers import RoomName

ROOM_NAME_CHARACTERS_MAX: Final = 128
IDENTITY_CHARACTERS_MAX: Final = 128
DISPLAY_NAME_CHARACTERS_MAX: Final = 128

# Letters, combining marks (Arabic vowel signs, Indic vowels) and decimal digits of every script.
_ROOM_NAME_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})
_ROOM_NAME_PUNCTUATION: Final = frozenset("_.-")

# Controls, lone surrogates (not writable as UTF-8), private use, line and paragraph separators.
_TEXT_CATEGORIES_REFUSED: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# Embeddings, overrides and isolates turn round what follows the name too; marks (U+200E, U+200F) do not.
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def parse_room_name(text: str) -> RoomName:
    """Return the room name in Unicode form NFC, or raise ValueError with the rule that it breaks.

    1 to 128 letters, combining marks and digits of any script, `_`, `.` and `-`; the first is not a dot (names may
    become file names) and not a combining mark.
    """
    name = unicodedata.normalize("NFC", text[: 4 * ROOM_NAME_CHARACTERS_MAX])
    if not name:
        raise ValueError("room name is empty")
    if len(name) > ROOM_NAME_CHARACTERS_MAX:
        raise ValueError(f"room name is longer than {ROOM_NAME_CHARACTERS_MAX} characters")
    if name[0] == "." or unicodedata.category(name[0]).startswith("M"):
        raise ValueError("room name must start with a letter, a digit, _ or -")
    for character in name:
        if character not in _ROOM_NAME_PUNCTUATION and unicodedata.category(character) not in _ROOM_NAME_CATEGORIES:
            raise ValueError(f"room name holds U+{ord(character):04X}; letters, digits, _ . - are allowed")
    return RoomName(name)


def check_text(text: str, *, what: str, characters_max: int) -> str:
    """Return `text`, or raise ValueError if it is blank, too long, or would break a line or a display."""
    if not text.strip():
        raise ValueError(f"{what} is empty")
    if len(text) > characters_max:
        raise ValueError(f"{what} is longer than {characters_max} characters")
    for character in text:
        if character in _BIDI_CONTROLS or unicodedata.category(character) in _TEXT_CATEGORIES_REFUSED:
            raise ValueError(f"{what} holds the control character U+{ord(character):04X}")
    return text
