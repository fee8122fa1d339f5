"""Who may do what with a live class, and in which seat somebody sits in it. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from lms.access.roles import Permission
from lms.courses.rules import CourseRole, Permissions, Ties


class Seat(enum.Enum):
    """What somebody is in a live class; the media server knows the same four roles."""

    TEACHER = "teacher"
    ASSISTANT = "assistant"
    STUDENT = "student"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class ClassTies:
    """What ties somebody to one live class."""

    is_host: bool = False
    """They planned it, or it was given to them."""
    course: Ties = frozenset()
    """What they are in its course now; without a course nothing."""
    in_group: bool = True
    """Whether they belong to the group that it is for; true if it is for the whole course."""
    is_invited: bool = False
    """In person, or by an access code."""


_SEATS: Final = (
    (CourseRole.TEACHER, Seat.TEACHER),
    (CourseRole.TA, Seat.ASSISTANT),
    (CourseRole.STUDENT, Seat.STUDENT),
    (CourseRole.OBSERVER, Seat.OBSERVER),
)
_TAUGHT: Final = frozenset({CourseRole.STUDENT, CourseRole.OBSERVER})


def seat_of(permissions: Permissions, ties: ClassTies) -> Seat | None:
    """Return as what somebody would sit in a class, None if it is none of theirs. The strongest tie counts.

    Students sit in it if it is of their course (and group), or if they are invited; everybody else is told that
    there is no such class.
    """
    if Permission.CLASSES_WRITE in permissions and (ties.is_host or Permission.COURSES_WRITE_ALL in permissions):
        return Seat.TEACHER
    for role, seat in _SEATS:
        if role in ties.course and (ties.in_group or role not in _TAUGHT):
            return seat
    return Seat.STUDENT if ties.is_invited else None


def may_read_class(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody sees a class."""
    if Permission.COURSES_READ_ALL in permissions:
        return True
    return Permission.CLASSES_READ in permissions and seat_of(permissions, ties) is not None


def may_join(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody may come in while it is live."""
    return Permission.CLASSES_JOIN in permissions and seat_of(permissions, ties) is not None


def may_run(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody may change, invite to, start, lock, end and cancel a class."""
    return Permission.CLASSES_WRITE in permissions and seat_of(permissions, ties) is Seat.TEACHER


def may_watch(permissions: Permissions, ties: ClassTies, *, published: bool, granted: bool) -> bool:
    """Return whether somebody sees a recording: those who run the class always, others once it is published.

    `granted`: an access code opened this recording to them.
    """
    if Permission.RECORDINGS_READ not in permissions:
        return False
    if Permission.COURSES_READ_ALL in permissions or seat_of(permissions, ties) in {Seat.TEACHER, Seat.ASSISTANT}:
        return True
    return published and (granted or seat_of(permissions, ties) is not None)


def may_change_recording(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody may publish, rename and delete a recording."""
    return Permission.RECORDINGS_WRITE in permissions and seat_of(permissions, ties) is Seat.TEACHER
