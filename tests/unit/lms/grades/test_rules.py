"""Whose grades somebody sees and writes."""

from __future__ import annotations

import pytest

from lms.access.roles import Role, permissions_of
from lms.courses.rules import CourseRole, CourseStatus
from lms.grades.rules import Kin, may_read_gradebook, may_read_own, may_write_grades

NONE: frozenset[CourseRole] = frozenset()
TEACHES = frozenset({CourseRole.TEACHER})
ASSISTS = frozenset({CourseRole.TA})
LEARNS = frozenset({CourseRole.STUDENT})


@pytest.mark.parametrize(
    ("role", "ties", "reads", "writes"),
    [
        (Role.TEACHER, TEACHES, True, True),
        (Role.TEACHER, NONE, False, False),
        (Role.TEACHER, ASSISTS, True, False),
        (Role.TEACHER, LEARNS, False, False),
        (Role.TA, ASSISTS, True, False),
        (Role.TA, TEACHES, True, False),
        (Role.TA, NONE, False, False),
        (Role.STUDENT, LEARNS, False, False),
        (Role.STUDENT, TEACHES, False, False),
        (Role.OBSERVER, frozenset({CourseRole.OBSERVER}), False, False),
        (Role.MANAGER, NONE, True, True),
        (Role.ADMIN, NONE, True, True),
        (Role.OWNER, NONE, True, True),
    ],
)
def test_gradebooks(role: Role, ties: frozenset[CourseRole], reads: bool, writes: bool) -> None:
    permissions = permissions_of([role])
    assert (may_read_gradebook(permissions, ties), may_write_grades(permissions, ties)) == (reads, writes)


@pytest.mark.parametrize(
    ("role", "kin", "sees"),
    [
        (Role.STUDENT, Kin.SELF, True),
        (Role.STUDENT, Kin.NOBODY, False),
        (Role.OBSERVER, Kin.GUARDIAN, True),
        (Role.OBSERVER, Kin.NOBODY, False),
        (Role.TEACHER, Kin.GUARDIAN, False),
        (Role.ADMIN, Kin.NOBODY, False),
    ],
)
def test_own_grades(role: Role, kin: Kin, sees: bool) -> None:
    permissions = permissions_of([role])
    assert may_read_own(permissions, kin, CourseStatus.PUBLISHED, is_student=True) == sees
    assert may_read_own(permissions, kin, CourseStatus.ARCHIVED, is_student=True) == sees
    assert not may_read_own(permissions, kin, CourseStatus.DRAFT, is_student=True)
    assert not may_read_own(permissions, kin, CourseStatus.PUBLISHED, is_student=False)
