"""What mails about live classes say, in each language. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from lms.api.languages import Language


class Occasion(enum.Enum):
    """Why somebody is mailed about a class."""

    INVITED = "invited"
    CHANGED = "changed"
    """It is at another time, or is called otherwise."""
    CANCELLED = "cancelled"
    SERIES_CANCELLED = "series_cancelled"


_ENGLISH: Final[Mapping[Occasion, tuple[str, str]]] = {
    Occasion.INVITED: (
        "{school}: invitation to {title}",
        "Hello {name},\n\nyou are invited to the live class {title}.\n\n  {when}\n\nJoin here:\n\n{link}\n",
    ),
    Occasion.CHANGED: (
        "{school}: {title} was changed",
        "Hello {name},\n\nthe live class {title} was changed. It is now:\n\n  {when}\n\nJoin here:\n\n{link}\n",
    ),
    Occasion.CANCELLED: (
        "{school}: {title} is cancelled",
        "Hello {name},\n\nthe live class {title} is cancelled:\n\n  {when}\n\n{reason}\n",
    ),
    Occasion.SERIES_CANCELLED: (
        "{school}: {title} is cancelled",
        (
            "Hello {name},\n\nall further live classes of {title} are cancelled; the first of them was:\n\n"
            "  {when}\n\n{reason}\n"
        ),
    ),
}
_ARABIC: Final[Mapping[Occasion, tuple[str, str]]] = {
    Occasion.INVITED: (
        "{school}: دعوة إلى {title}",
        "مرحبًا {name}،\n\nأنت مدعو إلى الحصة المباشرة {title}.\n\n  {when}\n\nللانضمام:\n\n{link}\n",
    ),
    Occasion.CHANGED: (
        "{school}: تغيّرت الحصة {title}",
        "مرحبًا {name}،\n\nتغيّرت الحصة المباشرة {title}، وموعدها الآن:\n\n  {when}\n\nللانضمام:\n\n{link}\n",
    ),
    Occasion.CANCELLED: (
        "{school}: أُلغيت الحصة {title}",
        "مرحبًا {name}،\n\nأُلغيت الحصة المباشرة {title}:\n\n  {when}\n\n{reason}\n",
    ),
    Occasion.SERIES_CANCELLED: (
        "{school}: أُلغيت حصص {title}",
        "مرحبًا {name}،\n\nأُلغيت جميع الحصص المباشرة القادمة من {title}، وكان موعد أولها:\n\n  {when}\n\n{reason}\n",
    ),
}
_TEXTS: Final = {Language.ENGLISH: _ENGLISH, Language.ARABIC: _ARABIC}


def write_class_mail(occasion: Occasion, language: Language, words: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and text; what people chose as titles and reasons cannot break a line."""
    plain = {name: " ".join(text.split()) for name, text in words.items()}
    subject, text = _TEXTS[language][occasion]
    return subject.format_map(plain), text.format_map(plain).rstrip("\n") + "\n"
