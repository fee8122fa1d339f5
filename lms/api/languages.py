"""Languages in which the service speaks to people, and which of them a request asks for (RFC 9110 section 12.5.4)."""

from __future__ import annotations

import enum
from typing import Final

ENTRIES_MAX: Final = 20  # of Accept-Language; browsers send three or four


class Language(enum.Enum):
    """A language that every message exists in."""

    ENGLISH = "en"
    ARABIC = "ar"


def choose_language(accepted: str | None, default: Language = Language.ENGLISH) -> Language:
    """Return the language that an Accept-Language header likes best; pure."""
    best, quality_of_best = default, 0.0
    for entry in (accepted or "").split(",")[:ENTRIES_MAX]:
        tag, _, parameters = entry.partition(";")
        quality = _quality(parameters)
        for language in Language:
            if tag.strip().lower().split("-")[0] == language.value and quality > quality_of_best:
                best, quality_of_best = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
