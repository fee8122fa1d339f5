"""What an access code is: twelve signs of 32 that cannot be taken for each other, kept as an HMAC alone. Pure.

12 signs of 32 are 2^60 codes. A school that has handed out a million at once, and lets an attacker try five a minute
for a year, loses one with a chance of 1 in 400,000.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from lms.api.phrases import Phrase

SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No I and O, which look like 1 and 0, and neither of these."""

GROUPS: Final = 3
GROUP_SIGNS: Final = 4
LENGTH: Final = GROUPS * GROUP_SIGNS
TYPED_MAX: Final = 64
"""Longer texts are not looked at."""


class CodeKind(enum.Enum):
    """How often a code may be used."""

    SINGLE_USE = "single_use"
    MULTI_USE = "multi_use"
    """By at most `max_uses` people."""
    UNLIMITED = "unlimited"


class CodeScope(enum.Enum):
    """What a code opens."""

    COURSE = "course"
    """Whoever redeems it is enrolled as a student."""
    CLASS = "class"
    """Whoever redeems it is invited to one live class."""
    RECORDING = "recording"
    """Whoever redeems it sees one recording."""


class UsesError(ValueError):
    """A number of uses that does not go with the kind of code; the phrase says which would."""

    def __init__(self, english: str, arabic: str) -> None:
        super().__init__(english)
        self.phrase = Phrase(english, arabic)


def make_code(choose: Callable[[str], str]) -> str:
    """Return a code as people see it; `choose` picks one sign of a text (`secrets.choice`)."""
    signs = "".join(choose(SIGNS) for _ in range(LENGTH))
    return "-".join(signs[at : at + GROUP_SIGNS] for at in range(0, LENGTH, GROUP_SIGNS))


def read_code(typed: str) -> str | None:
    """Return the twelve signs of a code as somebody typed it, None if it cannot be one.

    Small letters, spaces and dashes of any kind are taken as what they mean, and so are digits of other scripts: an
    Arabic keyboard types ٢ for 2.
    """
    if len(typed) > TYPED_MAX:
        return None
    signs = "".join(_sign(each) for each in unicodedata.normalize("NFKC", typed))
    return signs if len(signs) == LENGTH and all(sign in SIGNS for sign in signs) else None


def hash_code(signs: str, *, org_id: UUID, key: bytes) -> bytes:
    """Return what is kept of a code: without the key nobody can try codes on a stolen database."""
    assert len(key) >= 32, f"the key of access codes has {len(key)} bytes, expected at least 32"
    return hmac.digest(key, org_id.bytes + signs.encode(), hashlib.sha256)


def last_signs(code: str) -> str:
    """Return what is shown of a code after it was made, so that people can tell theirs apart."""
    return code[-GROUP_SIGNS:]


def uses_of(kind: CodeKind, max_uses: int | None) -> int | None:
    """Return how often a code may be used, None for any number; raises UsesError."""
    match kind:
        case CodeKind.SINGLE_USE:
            if max_uses not in {None, 1}:
                raise UsesError("1, or nothing: the code is single_use", "1 أو لا شيء: الرمز لمرة واحدة (single_use)")
            return 1
        case CodeKind.MULTI_USE:
            if max_uses is None:
                raise UsesError("a number: the code is multi_use", "عدد: الرمز لمرات معدودة (multi_use)")
            return max_uses
        case CodeKind.UNLIMITED:
            if max_uses is not None:
                raise UsesError("nothing: the code is unlimited", "لا شيء: الرمز بلا حد (unlimited)")
            return None


@dataclass(frozen=True, slots=True)
class CodeState:
    """What decides whether a code opens anything now."""

    active: bool
    uses: int
    max_uses: int | None
    expires_at: datetime | None

    def is_usable(self, now: datetime) -> bool:
        """Return whether one more person may use it. A code ends at `expires_at`, not after it."""
        return (
            self.active
            and (self.expires_at is None or now < self.expires_at)
            and (self.max_uses is None or self.uses < self.max_uses)
        )


def _sign(character: str) -> str:
    if character.isspace() or unicodedata.category(character) in {"Pd", "Cf"} or character == "_":
        return ""
    digit = unicodedata.decimal(character, None)
    return character.upper() if digit is None else str(digit)
