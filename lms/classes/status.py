"""What a live class is at a time, and what may be done with it then: one table. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from lms.api.phrases import Phrase


class ClassStatus(enum.Enum):
    """Where a live class stands."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    """It has a run that has not ended."""
    ENDED = "ended"
    CANCELLED = "cancelled"


class Deed(enum.Enum):
    """What somebody wants to do with a live class."""

    CHANGE = "change"
    """Title, description, settings, the planned end."""
    MOVE = "move"
    """When it begins, and in which course and group it is."""
    INVITE = "invite"
    START = "start"
    JOIN = "join"
    LOCK = "lock"
    """Lock or open the door."""
    END = "end"
    CANCEL = "cancel"


_STATUS_IN_ARABIC: Final[Mapping[ClassStatus, str]] = {
    ClassStatus.SCHEDULED: "مجدولة",
    ClassStatus.LIVE: "جارية",
    ClassStatus.ENDED: "منتهية",
    ClassStatus.CANCELLED: "ملغاة",
}
_DEED_IN_ARABIC: Final[Mapping[Deed, str]] = {
    Deed.CHANGE: "تعديلها",
    Deed.MOVE: "نقل موعدها",
    Deed.INVITE: "الدعوة إليها",
    Deed.START: "بدؤها",
    Deed.JOIN: "الانضمام إليها",
    Deed.LOCK: "قفلها",
    Deed.END: "إنهاؤها",
    Deed.CANCEL: "إلغاؤها",
}


class NotNowError(Exception):
    """The status does not allow the deed."""

    def __init__(self, status: ClassStatus, deed: Deed) -> None:
        allowed = [each for each in ClassStatus if (each, deed) in _AFTER]
        english = " or ".join(each.value for each in allowed)
        arabic = " أو ".join(_STATUS_IN_ARABIC[each] for each in allowed)
        self.phrase = Phrase(
            f"The class is {status.value}; to {deed.value} it must be {english}",
            f"الحصة {_STATUS_IN_ARABIC[status]}، ولا يمكن {_DEED_IN_ARABIC[deed]} إلا وهي {arabic}",
        )
        super().__init__(self.phrase.english)
        self.status = status
        self.deed = deed


_S: Final = ClassStatus

_AFTER: Final[Mapping[tuple[ClassStatus, Deed], ClassStatus]] = {
    (_S.SCHEDULED, Deed.CHANGE): _S.SCHEDULED,
    (_S.SCHEDULED, Deed.MOVE): _S.SCHEDULED,
    (_S.SCHEDULED, Deed.INVITE): _S.SCHEDULED,
    (_S.SCHEDULED, Deed.START): _S.LIVE,
    (_S.SCHEDULED, Deed.CANCEL): _S.CANCELLED,
    (_S.LIVE, Deed.CHANGE): _S.LIVE,
    (_S.LIVE, Deed.INVITE): _S.LIVE,
    (_S.LIVE, Deed.START): _S.LIVE,  # two teachers press the button: both get the one run
    (_S.LIVE, Deed.JOIN): _S.LIVE,
    (_S.LIVE, Deed.LOCK): _S.LIVE,
    (_S.LIVE, Deed.END): _S.ENDED,
    (_S.ENDED, Deed.CHANGE): _S.ENDED,
    (_S.ENDED, Deed.START): _S.LIVE,  # ended by mistake: a further run of the same class
    (_S.ENDED, Deed.END): _S.ENDED,
    (_S.CANCELLED, Deed.CANCEL): _S.CANCELLED,
}


def status_after(status: ClassStatus, deed: Deed) -> ClassStatus:
    """Return what the class is after a deed; raises NotNowError."""
    try:
        return _AFTER[status, deed]
    except KeyError:
        raise NotNowError(status, deed) from None


def allowed_deeds(status: ClassStatus) -> frozenset[Deed]:
    """Return what may be done with a class now, for the buttons of a page."""
    return frozenset(deed for at, deed in _AFTER if at is status)
