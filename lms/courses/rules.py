"""Which courses are whose: permissions say what somebody may do at all, the tie to a course whether here. Pure."""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from lms.access.roles import Permission


class CourseRole(enum.Enum):
    """What somebody is in one course, by enrolment."""

    TEACHER = "teacher"
    TA = "ta"
    STUDENT = "student"
    OBSERVER = "observer"


class CourseStatus(enum.Enum):
    """Who sees a course."""

    DRAFT = "draft"
    """Those who teach it alone."""
    PUBLISHED = "published"
    ARCHIVED = "archived"
    """Seen, and changed no more; nobody can enrol."""


Permissions: TypeAlias = frozenset[Permission]
Ties: TypeAlias = frozenset[CourseRole]
"""What somebody is in a course now; a guardian is what the child is, as an observer."""

_TEACHING: Final = frozenset({CourseRole.TEACHER, CourseRole.TA})


def may_read_course(permissions: Permissions, ties: Ties, status: CourseStatus) -> bool:
    """Return whether somebody sees a course; others are told that there is none."""
    if Permission.COURSES_READ_ALL in permissions:
        return True
    if Permission.COURSES_READ not in permissions:
        return False
    return bool(ties & _TEACHING) or (bool(ties) and status is not CourseStatus.DRAFT)


def may_write_course(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody may change a course and its groups."""
    return _own_or_all(permissions, ties, Permission.COURSES_WRITE)


def may_enrol(permissions: Permissions, ties: Ties, role: CourseRole) -> bool:
    """Return whether somebody may enrol others as `role`, or end that.

    Teachers take in students, observers and assistants; who teaches a course is for those who write all courses.
    """
    if role is CourseRole.TEACHER:
        return {Permission.COURSES_WRITE_ALL, Permission.ENROL} <= permissions
    return _own_or_all(permissions, ties, Permission.ENROL)


def may_see_members(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody sees who is enrolled; students see each other in class, not in lists."""
    return Permission.COURSES_READ_ALL in permissions or bool(ties & _TEACHING)


def may_write_codes(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody may make, see and end access codes of a course."""
    return _own_or_all(permissions, ties, Permission.ACCESS_CODES_WRITE)


def may_schedule(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody may plan live classes in a course."""
    return _own_or_all(permissions, ties, Permission.CLASSES_WRITE)


def _own_or_all(permissions: Permissions, ties: Ties, needed: Permission) -> bool:
    if needed not in permissions:
        return False
    return CourseRole.TEACHER in ties or Permission.COURSES_WRITE_ALL in permissions
