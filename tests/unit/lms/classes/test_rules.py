"""Who may do what with a class: by role, and by what ties them to it."""

from __future__ import annotations

import pytest

from lms.access.roles import PERMISSIONS, Role
from lms.classes.rules import (
    ClassTies,
    Seat,
    may_change_recording,
    may_join,
    may_read_class,
    may_run,
    may_watch,
    seat_of,
)
from lms.courses.rules import CourseRole

C = CourseRole
NONE = ClassTies()
HOST = ClassTies(is_host=True)
TEACHES = ClassTies(course=frozenset({C.TEACHER}))
ASSISTS = ClassTies(course=frozenset({C.TA}))
ENROLLED = ClassTies(course=frozenset({C.STUDENT}))
OTHER_GROUP = ClassTies(course=frozenset({C.STUDENT}), in_group=False)
INVITED = ClassTies(is_invited=True)
LISTENS = ClassTies(course=frozenset({C.OBSERVER}))


@pytest.mark.parametrize(
    ("role", "ties", "seat"),
    [
        (Role.TEACHER, HOST, Seat.TEACHER),
        (Role.TEACHER, TEACHES, Seat.TEACHER),
        (Role.TEACHER, NONE, None),  # of another teacher
        (Role.TEACHER, INVITED, Seat.STUDENT),  # teachers are students of other teachers
        (Role.TA, ASSISTS, Seat.ASSISTANT),
        (Role.TA, NONE, None),
        (Role.STUDENT, ENROLLED, Seat.STUDENT),
        (Role.STUDENT, OTHER_GROUP, None),
        (Role.STUDENT, INVITED, Seat.STUDENT),
        (Role.STUDENT, NONE, None),
        (Role.STUDENT, HOST, None),  # was a teacher when it was planned
        (Role.OBSERVER, LISTENS, Seat.OBSERVER),
        (Role.OBSERVER, NONE, None),
        (Role.MANAGER, NONE, Seat.TEACHER),
        (Role.ADMIN, NONE, Seat.TEACHER),
        (Role.OWNER, NONE, Seat.TEACHER),
    ],
)
def test_seats(role: Role, ties: ClassTies, seat: Seat | None) -> None:
    assert seat_of(PERMISSIONS[role], ties) is seat
    joins = seat is not None and role is not Role.OBSERVER
    assert may_join(PERMISSIONS[role], ties) is joins
    assert may_read_class(PERMISSIONS[role], ties) is (seat is not None)
    assert may_run(PERMISSIONS[role], ties) is (seat is Seat.TEACHER)
    assert may_change_recording(PERMISSIONS[role], ties) is (seat is Seat.TEACHER)


def test_the_strongest_tie_counts() -> None:
    both = ClassTies(course=frozenset({C.STUDENT, C.TEACHER}), in_group=False, is_invited=True)
    assert seat_of(PERMISSIONS[Role.TEACHER], both) is Seat.TEACHER


@pytest.mark.parametrize(
    ("role", "ties", "published", "granted", "sees"),
    [
        (Role.STUDENT, ENROLLED, True, False, True),
        (Role.STUDENT, ENROLLED, False, False, False),
        (Role.STUDENT, OTHER_GROUP, True, False, False),
        (Role.STUDENT, NONE, True, True, True),
        (Role.STUDENT, NONE, False, True, False),
        (Role.TEACHER, TEACHES, False, False, True),
        (Role.TA, ASSISTS, False, False, True),
        (Role.TEACHER, NONE, True, False, False),
        (Role.ADMIN, NONE, False, False, True),
        (Role.OBSERVER, LISTENS, True, True, False),
    ],
)
def test_recordings(role: Role, ties: ClassTies, published: bool, granted: bool, sees: bool) -> None:
    assert may_watch(PERMISSIONS[role], ties, published=published, granted=granted) is sees
