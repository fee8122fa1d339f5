"""Who reads, writes and keeps order in which room: from permissions and ties, and nothing else. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lms.access.roles import Permission
from lms.classes.rules import Seat
from lms.courses.rules import CourseRole, CourseStatus, Permissions, Ties


class RoomKind(enum.Enum):
    """Whose a room is."""

    RUN = "run"
    """Of a live class, while it is held; read afterwards."""
    COURSE = "course"
    GROUP = "group"
    STAFF = "staff"
    """Of everybody who works at the school."""
    DIRECT = "direct"
    """Of two people."""


class Standing(enum.IntEnum):
    """What somebody may do in a room; each one includes those before it."""

    NOTHING = 0
    READ = 1
    WRITE = 2
    MODERATE = 3


class Obstacle(enum.Enum):
    """Why somebody who may write cannot do so now."""

    BANNED = "banned"
    MUTED = "muted"
    LOCKED = "locked"
    OVER = "over"
    """The class is over, or the course is archived."""


EDITED_WITHIN_S: Final = 86_400
"""An author may change a message for a day; later nobody would notice, and what was said was said."""

_TEACHING: Final = frozenset({CourseRole.TEACHER, CourseRole.TA})
_BY_SEAT: Final = {
    Seat.TEACHER: Standing.MODERATE,
    Seat.ASSISTANT: Standing.MODERATE,
    Seat.STUDENT: Standing.WRITE,
    Seat.OBSERVER: Standing.READ,
}


@dataclass(frozen=True, slots=True)
class Hold:
    """What was laid upon somebody in a room."""

    muted_until: datetime | None = None
    banned: bool = False


def standing_in_course(permissions: Permissions, ties: Ties, status: CourseStatus) -> Standing:
    """Return what somebody may do in the room of a course.

    Those who teach it keep order, its students write. Guardians have no part in it: it is their children's.
    """
    if Permission.CHAT not in permissions:
        return Standing.NOTHING
    if ties & _TEACHING or runs_the_school(permissions):
        return Standing.MODERATE
    if CourseRole.STUDENT in ties and status is not CourseStatus.DRAFT:
        return Standing.WRITE
    return Standing.NOTHING


def standing_in_group(permissions: Permissions, ties: Ties, status: CourseStatus, *, in_group: bool) -> Standing:
    """Return what somebody may do in the room of a course's group."""
    standing = standing_in_course(permissions, ties, status)
    return Standing.NOTHING if standing is Standing.WRITE and not in_group else standing


def standing_in_run(permissions: Permissions, seat: Seat | None) -> Standing:
    """Return what somebody may do in the room of a class that is held."""
    if Permission.CHAT not in permissions:
        return Standing.NOTHING
    if seat is None:
        return Standing.MODERATE if runs_the_school(permissions) else Standing.NOTHING
    return _BY_SEAT[seat]


def standing_among_staff(permissions: Permissions) -> Standing:
    """Return what somebody may do in the room of the staff."""
    if not {Permission.CHAT, Permission.CHAT_STAFF} <= permissions:
        return Standing.NOTHING
    return Standing.MODERATE if runs_the_school(permissions) else Standing.WRITE


def standing_of_two(permissions: Permissions, *, is_one_of_them: bool) -> Standing:
    """Return what somebody may do in a room of two people; nobody else reads along."""
    return Standing.WRITE if is_one_of_them and Permission.CHAT in permissions else Standing.NOTHING


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What ties two people, for a room of their own."""

    taught_by_other: bool = False
    """The other teaches a course of theirs, or of a child of theirs."""
    teaches_other: bool = False
    classmates: bool = False
    """They are students of one course."""


def may_write_to(own: Permissions, other: Permissions, known: Acquaintance, *, students_may_message: bool) -> bool:
    """Return whether somebody may begin to write to another in private.

    Staff write to each other and to whom they teach, and those who run the school to everybody. Students and guardians
    write to those who teach them and who run the school; students to classmates, if the school lets them.
    """
    if Permission.CHAT not in own or Permission.CHAT not in other:
        return False
    if runs_the_school(own) or runs_the_school(other):
        return True
    if Permission.CHAT_STAFF in own:
        return Permission.CHAT_STAFF in other or known.teaches_other
    if Permission.CHAT_STAFF in other:
        return known.taught_by_other
    return students_may_message and known.classmates


def obstacle_to_writing(standing: Standing, hold: Hold, *, locked: bool, over: bool, now: datetime) -> Obstacle | None:
    """Return why somebody who may write cannot do so now, None if they can."""
    if hold.banned:
        return Obstacle.BANNED
    if hold.muted_until is not None and hold.muted_until > now:
        return Obstacle.MUTED
    if over:
        return Obstacle.OVER
    return Obstacle.LOCKED if locked and standing < Standing.MODERATE else None


def may_hold(
    own: Permissions, other: Permissions, kind: RoomKind, standing: Standing, other_standing: Standing
) -> bool:
    """Return whether somebody may mute or ban another in a room.

    Who keeps order may do it to those who do not; those who run the school to everybody but each other. Of two people
    each may keep the other from writing.
    """
    if kind is RoomKind.DIRECT:
        return standing >= Standing.WRITE
    if standing < Standing.MODERATE or runs_the_school(other):
        return False
    return other_standing < Standing.MODERATE or runs_the_school(own)


def may_edit(*, is_author: bool, age_s: float) -> bool:
    """Return whether somebody may change the text of a message."""
    return is_author and age_s <= EDITED_WITHIN_S


def may_delete(standing: Standing, kind: RoomKind, *, is_author: bool) -> bool:
    """Return whether somebody may delete a message."""
    return is_author or (standing >= Standing.MODERATE and kind is not RoomKind.DIRECT)


def may_pin(standing: Standing, kind: RoomKind) -> bool:
    """Return whether somebody may pin a message: who keeps order; of two people both."""
    return standing >= (Standing.WRITE if kind is RoomKind.DIRECT else Standing.MODERATE)


def runs_the_school(permissions: Permissions) -> bool:
    """Return whether somebody keeps order in every room."""
    return {Permission.COURSES_READ_ALL, Permission.CHAT_MODERATE, Permission.CHAT} <= permissions
