"""Who may see and change attendance. Pure."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from lms.access.roles import Permission
from lms.classes.rules import ClassTies, Seat, seat_of
from lms.courses.rules import CourseRole, Permissions, Ties


def may_read_sheet(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody sees the attendance of everybody in a class: those who teach or assist in it."""
    if Permission.ATTENDANCE_READ not in permissions:
        return False
    return Permission.COURSES_READ_ALL in permissions or seat_of(permissions, ties) in {Seat.TEACHER, Seat.ASSISTANT}


def may_change_sheet(permissions: Permissions, ties: ClassTies) -> bool:
    """Return whether somebody may override, excuse and recognise guests: those who teach the class."""
    return Permission.ATTENDANCE_WRITE in permissions and seat_of(permissions, ties) is Seat.TEACHER


def may_read_course(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody sees the attendance of everybody in a course."""
    if Permission.ATTENDANCE_READ not in permissions:
        return False
    return Permission.COURSES_READ_ALL in permissions or bool(ties & {CourseRole.TEACHER, CourseRole.TA})


def may_change_course(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody may set the rules of a course."""
    if Permission.ATTENDANCE_WRITE not in permissions:
        return False
    return Permission.COURSES_WRITE_ALL in permissions or CourseRole.TEACHER in ties


def may_change_organization(permissions: Permissions) -> bool:
    """Return whether somebody may set the rules of courses that have none of their own."""
    return {Permission.ATTENDANCE_WRITE, Permission.COURSES_WRITE_ALL} <= permissions


def may_read_person(permissions: Permissions, caller: UUID, person: UUID, children: Collection[UUID]) -> bool:
    """Return whether somebody sees all attendance of a person: one's own, one's children's, or everybody's."""
    if {Permission.ATTENDANCE_READ, Permission.COURSES_READ_ALL} <= permissions:
        return True
    return Permission.ATTENDANCE_READ_OWN in permissions and (person == caller or person in children)
