"""What people are notified of, with a sentence in each language. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final


class Kind(enum.Enum):
    """What a notification is about."""

    CLASS_INVITED = "class.invited"
    CLASS_STARTING = "class.starting"
    """Ten minutes before it is planned to."""
    CLASS_STARTED = "class.started"
    CLASS_CHANGED = "class.changed"
    CLASS_CANCELLED = "class.cancelled"
    GRADE_PUBLISHED = "grade.published"
    CHAT_REPORTED = "chat.reported"
    HOST_UNPROVEN = "host.unproven"


_TEXTS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.CLASS_INVITED: ("You are invited to the class {title}.", "أنت مدعو إلى حصة {title}."),
    Kind.CLASS_STARTING: ("The class {title} starts soon.", "تبدأ حصة {title} قريبًا."),
    Kind.CLASS_STARTED: ("The class {title} has started.", "بدأت حصة {title}."),
    Kind.CLASS_CHANGED: ("The class {title} was changed.", "تغيرت بيانات حصة {title}."),
    Kind.CLASS_CANCELLED: ("The class {title} was cancelled.", "أُلغيت حصة {title}."),
    Kind.GRADE_PUBLISHED: ("You have a new grade: {title}.", "لديك درجة جديدة: {title}."),
    Kind.CHAT_REPORTED: ("A message was reported in {title}.", "أُبلغ عن رسالة في {title}."),
    Kind.HOST_UNPROVEN: (
        "The DNS record that proves that {title} is yours is missing.",
        "سجل DNS الذي يثبت أن {title} لكم مفقود.",
    ),
}
_OPEN_ISOLATE: Final = "\u2068"  # a title in another direction keeps its own, and the sentence its order
_CLOSE_ISOLATE: Final = "\u2069"


def texts_of(kind: Kind, about: Mapping[str, Any]) -> dict[str, str]:
    """Return the sentence in each language, by its code."""
    title = f"{_OPEN_ISOLATE}{about.get('title', '')}{_CLOSE_ISOLATE}"
    english, arabic = _TEXTS[kind]
    return {"en": english.format(title=title), "ar": arabic.format(title=title)}
