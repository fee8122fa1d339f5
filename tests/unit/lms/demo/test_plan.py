"""The school that is made up: the same from the same seed, and made of what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lms.access.roles import Role
from lms.demo.plan import BREAK, EXTRA_LESSON, LESSON, extra_start, is_in_the_way, plan_school

SATURDAY = date(2026, 11, 21)
RIYADH = ZoneInfo("Asia/Riyadh")


def test_the_same_seed_makes_the_same_school() -> None:
    assert plan_school(7, 60, SATURDAY) == plan_school(7, 60, SATURDAY)
    assert plan_school(7, 60, SATURDAY).people != plan_school(8, 60, SATURDAY).people


def test_half_of_the_students_write_their_names_in_arabic() -> None:
    plan = plan_school(1, 60, SATURDAY)
    students = plan.of(Role.STUDENT)
    assert len(students) == 60
    assert sum(student.language == "ar" for student in students) == 30
    assert all((student.name[0] > "\u0600") == (student.language == "ar") for student in students)
    assert len(plan.of(Role.TEACHER)) == 3
    assert len(plan.guardians) == 20


@pytest.mark.parametrize("students", [2, 3, 60, 200])
def test_nobody_is_there_twice(students: int) -> None:
    plan = plan_school(1, students, SATURDAY)
    for values in ([each.key for each in plan.people], [each.email for each in plan.people]):
        assert len(set(values)) == len(values)
    assert all(student in {each.key for each in plan.people} for pair in plan.guardians for student in pair)


def test_every_student_is_in_two_courses_and_one_group_of_each() -> None:
    plan = plan_school(1, 60, SATURDAY)
    for student in plan.of(Role.STUDENT):
        own = [course for course in plan.courses if student.key in course.students]
        assert len(own) == 2
        for course in own:
            assert sum(student.key in members for _, members in course.groups) == 1


@pytest.mark.parametrize("day", range(7))
def test_there_are_classes_today_and_in_the_days_to_come(day: int) -> None:
    today = SATURDAY + timedelta(days=day)
    days = [each for course in plan_school(1, 12, today).courses for each in course.days]
    assert days.count(today.weekday()) >= 3
    assert len(set(days)) >= 5
    for course in plan_school(1, 12, today).courses:
        assert course.first_day(today - timedelta(weeks=4)).weekday() in course.days


@pytest.mark.parametrize("minute", range(0, 24 * 60, 7))
def test_no_class_of_today_is_half_over_but_the_one_that_is_on(minute: int) -> None:
    now = datetime(2026, 11, 21, tzinfo=RIYADH) + timedelta(minutes=minute)
    assert timedelta(minutes=10) <= now - extra_start(now) < timedelta(minutes=15)
    for course in plan_school(1, 12, now.date()).courses:
        if is_in_the_way(course, now):
            continue
        starts = datetime.combine(now.date(), course.at, tzinfo=RIYADH)
        is_over, is_to_come = starts + LESSON + BREAK <= now, starts >= now - timedelta(minutes=20)
        assert is_over or is_to_come
        if course.teacher == "teacher-1":
            assert starts >= extra_start(now) + EXTRA_LESSON or starts + LESSON <= extra_start(now)


def test_times_are_those_of_the_school() -> None:
    now = datetime(2026, 11, 21, 21, 57, tzinfo=UTC).astimezone(RIYADH)
    assert extra_start(now) == datetime(2026, 11, 22, 0, 45, tzinfo=RIYADH)
