"""Whose course it is: by role, and by enrolment."""

from __future__ import annotations

import pytest

from lms.access.roles import PERMISSIONS, Role
from lms.courses.rules import (
    CourseRole,
    CourseStatus,
    may_enrol,
    may_read_course,
    may_see_members,
    may_write_codes,
    may_write_course,
)

C = CourseRole
DRAFT, PUBLISHED, ARCHIVED = CourseStatus.DRAFT, CourseStatus.PUBLISHED, CourseStatus.ARCHIVED


@pytest.mark.parametrize(
    ("role", "tie", "seen", "writes"),
    [
        (Role.ADMIN, None, {DRAFT, PUBLISHED, ARCHIVED}, True),
        (Role.MANAGER, None, {DRAFT, PUBLISHED, ARCHIVED}, True),
        (Role.TEACHER, C.TEACHER, {DRAFT, PUBLISHED, ARCHIVED}, True),
        (Role.TEACHER, C.STUDENT, {PUBLISHED, ARCHIVED}, False),
        (Role.TEACHER, None, set(), False),
        (Role.TA, C.TA, {DRAFT, PUBLISHED, ARCHIVED}, False),
        (Role.STUDENT, C.STUDENT, {PUBLISHED, ARCHIVED}, False),
        (Role.STUDENT, C.TEACHER, {DRAFT, PUBLISHED, ARCHIVED}, False),  # a tie without the permission writes nothing
        (Role.STUDENT, None, set(), False),
        (Role.OBSERVER, C.OBSERVER, {PUBLISHED, ARCHIVED}, False),
    ],
)
def test_courses(role: Role, tie: CourseRole | None, seen: set[CourseStatus], writes: bool) -> None:
    ties = frozenset() if tie is None else frozenset({tie})
    assert {each for each in CourseStatus if may_read_course(PERMISSIONS[role], ties, each)} == seen
    assert may_write_course(PERMISSIONS[role], ties) is writes
    assert may_write_codes(PERMISSIONS[role], ties) is writes


def test_teachers_take_in_students_and_not_teachers() -> None:
    teaches = frozenset({C.TEACHER})
    assert may_enrol(PERMISSIONS[Role.TEACHER], teaches, C.STUDENT)
    assert may_enrol(PERMISSIONS[Role.TEACHER], teaches, C.TA)
    assert not may_enrol(PERMISSIONS[Role.TEACHER], teaches, C.TEACHER)
    assert not may_enrol(PERMISSIONS[Role.TEACHER], frozenset(), C.STUDENT)
    assert may_enrol(PERMISSIONS[Role.MANAGER], frozenset(), C.TEACHER)
    assert not may_enrol(PERMISSIONS[Role.STUDENT], frozenset({C.STUDENT}), C.STUDENT)


def test_students_see_no_lists_of_members() -> None:
    assert not may_see_members(PERMISSIONS[Role.STUDENT], frozenset({C.STUDENT}))
    assert may_see_members(PERMISSIONS[Role.TA], frozenset({C.TA}))
    assert may_see_members(PERMISSIONS[Role.ADMIN], frozenset())
