"""Whose grades somebody may see and write: permissions say what at all, the tie to a course or a child whether here."""

from __future__ import annotations

import enum
from typing import Final

from lms.access.roles import Permission
from lms.courses.rules import CourseRole, CourseStatus, Permissions, Ties

_TEACHING: Final = frozenset({CourseRole.TEACHER, CourseRole.TA})


class Kin(enum.Enum):
    """What somebody is to the student whose grades they ask for."""

    SELF = "self"
    GUARDIAN = "guardian"
    NOBODY = "nobody"


def may_read_gradebook(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody sees everybody's grades in a course, hidden ones too."""
    if Permission.GRADES_READ not in permissions:
        return False
    return Permission.COURSES_READ_ALL in permissions or bool(ties & _TEACHING)


def may_write_grades(permissions: Permissions, ties: Ties) -> bool:
    """Return whether somebody makes items and gives grades in a course."""
    if Permission.GRADES_WRITE not in permissions:
        return False
    return Permission.COURSES_WRITE_ALL in permissions or CourseRole.TEACHER in ties


def may_read_own(permissions: Permissions, kin: Kin, status: CourseStatus, *, is_student: bool) -> bool:
    """Return whether somebody sees the published grades that a student has in a course: their own, or a child's.

    `is_student`: whether the student is in its gradebook, also after they completed it. A draft shows nobody grades.
    """
    if Permission.GRADES_READ_OWN not in permissions or kin is Kin.NOBODY:
        return False
    return is_student and status is not CourseStatus.DRAFT
