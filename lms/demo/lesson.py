"""What happened in one class, made up: who came when, lost the connection, or did not come. Pure.

It becomes events as a media server tells them: attendance is what the attendance module makes of those.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from control_api.contract import (
    FeedEvent,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RoomEnded,
    RoomStarted,
)

Event = RoomStarted | RoomEnded | ParticipantJoined | ParticipantLeft | ParticipantSuspended | ParticipantResumed


class Conduct(enum.Enum):
    """How somebody was in one class."""

    STEADY = "steady"
    LATE = "late"
    RECONNECTED = "reconnected"
    TWO_DEVICES = "two devices"
    LEFT_EARLY = "left early"
    BRIEF = "brief"
    ABSENT = "absent"


_USUAL: Final = (
    (Conduct.STEADY, 70),
    (Conduct.RECONNECTED, 12),
    (Conduct.TWO_DEVICES, 6),
    (Conduct.LATE, 8),
    (Conduct.LEFT_EARLY, 4),
)
_BAD_DAY: Final = (
    (Conduct.ABSENT, 50),
    (Conduct.LATE, 25),
    (Conduct.LEFT_EARLY, 10),
    (Conduct.BRIEF, 15),
)
"""What those do who are not diligent that day."""


class Moment(NamedTuple):
    """Something that happened, so many seconds after the start of the class."""

    at_s: float
    order: int
    """Of what happened at the same moment."""
    event: Event


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to the class."""

    user_id: UUID
    name: str
    diligence: float = 1.0
    role: str = "student"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What happened."""

    events: tuple[tuple[float, Event], ...]
    """By seconds from the start, in their order."""
    conduct: dict[UUID, Conduct]


def play_lesson(
    chance: Random, room: str, teacher: Member, members: Sequence[Member], *, lasts_s: float, guest: str | None = None
) -> Lesson:
    """Return a class of so many seconds; everybody is gone at its end. `guest` is the name of somebody unknown."""
    number = iter(range(1, 1_000_000))
    conduct = {member.user_id: _choose(chance, member.diligence) for member in members}
    moments = [Moment(0.0, next(number), RoomStarted(room=room))]
    moments += _stay(room, number, teacher, 0.5, lasts_s)
    for member in members:
        moments += _take_part(chance, room, number, member, conduct[member.user_id], lasts_s)
    if guest is not None:
        someone = Member(UUID(int=0), guest)
        moments += _stay(room, number, someone, lasts_s * 0.3, lasts_s * 0.7, identity="guest-1")
    moments.append(Moment(lasts_s, 1_000_000, RoomEnded(room=room, reason="ended")))
    return Lesson(tuple((moment.at_s, moment.event) for moment in sorted(moments, key=_by_time)), conduct)


class Feed:
    """Numbers events as one process of a media server does."""

    def __init__(self, boot_id: str, booted_at: datetime) -> None:
        self._boot_id = boot_id
        self._booted_at = booted_at
        self._seq = 0

    def tell(self, began: datetime, events: Iterable[tuple[float, Event]]) -> list[FeedEvent]:
        """Return what happened so many seconds after a time, as the feed tells it."""
        told = []
        for after_s, event in events:
            self._seq += 1
            at = began + timedelta(seconds=after_s)
            told.append(
                FeedEvent(
                    cursor=f"{self._boot_id[:8]}-{self._seq}",
                    node="demo",
                    boot_id=self._boot_id,
                    seq=self._seq,
                    at=at,
                    uptime_s=(at - self._booted_at).total_seconds(),
                    event=event,
                )
            )
        return told


def _by_time(moment: Moment) -> tuple[float, int]:
    return (moment.at_s, moment.order)


def _choose(chance: Random, diligence: float) -> Conduct:
    table = _USUAL if chance.random() < diligence else _BAD_DAY
    return chance.choices([each for each, _ in table], [weight for _, weight in table])[0]


def _take_part(
    chance: Random, room: str, number: Iterator[int], member: Member, conduct: Conduct, lasts_s: float
) -> list[Moment]:
    comes = chance.uniform(2.0, 240.0)
    match conduct:
        case Conduct.ABSENT:
            return []
        case Conduct.STEADY:
            return _stay(room, number, member, comes, lasts_s)
        case Conduct.LATE:
            return _stay(room, number, member, chance.uniform(660.0, 1500.0), lasts_s)
        case Conduct.LEFT_EARLY:
            return _stay(room, number, member, comes, lasts_s - chance.uniform(780.0, 1400.0))
        case Conduct.BRIEF:
            return _stay(room, number, member, comes, comes + chance.uniform(200.0, 900.0))
        case Conduct.RECONNECTED:
            broke = chance.uniform(0.2, 0.8) * lasts_s
            moments = _stay(room, number, member, comes, lasts_s, broke=(broke, broke + chance.uniform(4.0, 50.0)))
            if chance.random() < 0.4:  # and had to join anew
                again = chance.uniform(20.0, 200.0)
                moments = _stay(room, number, member, comes, broke, reason="timeout")
                moments += _stay(room, number, member, broke + again, lasts_s)
            return moments
        case Conduct.TWO_DEVICES:
            phone = f"{member.user_id}/phone"
            from_s = chance.uniform(0.3, 0.5) * lasts_s
            moments = _stay(room, number, member, comes, lasts_s)
            return moments + _stay(room, number, member, from_s, lasts_s * 0.9, identity=phone)


def _stay(
    room: str,
    number: Iterator[int],
    member: Member,
    from_s: float,
    to_s: float,
    *,
    identity: str | None = None,
    reason: str = "left",
    broke: tuple[float, float] | None = None,
) -> list[Moment]:
    who = identity or str(member.user_id)
    first = next(number)
    stay = f"p{first:06d}"
    joined = ParticipantJoined(room=room, participant=stay, identity=who, name=member.name, role=member.role)
    moments = [Moment(from_s, first, joined)]
    if broke is not None:
        moments.append(Moment(broke[0], next(number), ParticipantSuspended(room=room, participant=stay, identity=who)))
        moments.append(Moment(broke[1], next(number), ParticipantResumed(room=room, participant=stay, identity=who)))
    left = ParticipantLeft(room=room, participant=stay, identity=who, reason=reason)
    return [*moments, Moment(to_s, next(number), left)]
