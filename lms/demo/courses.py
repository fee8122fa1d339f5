"""Courses with groups and enrolments, access codes, and the weekly series of their classes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from lms.demo.plan import EXTRA_LESSON, LESSON, WEEKS_AHEAD, CoursePlan, extra_start, is_in_the_way
from lms.demo.school import HeldCourse, School

EXTRA_COURSE: Final = "math-7b"
EXTRA_TITLE: Final = "Algebra 7B: questions before the test"
ASSISTED: Final = ("math-7b", "phys-8")


async def make_courses(school: School, branches: list[UUID]) -> None:
    """Make every course with its groups and people."""
    admin = school.ids["admin-1"]
    for planned in school.plan.courses:
        body = {
            "title": planned.title,
            "code": planned.code,
            "description": planned.description,
            "branch_id": str(branches[planned.branch]),
            "max_students": 40,
        }
        made = await school.api.ask(admin, "POST", "/courses", body)
        course = HeldCourse(UUID(made["id"]), planned.key, school.ids[planned.teacher])
        school.courses[planned.key] = course
        await _enrol(school, course, [planned.teacher], "teacher")
        await _enrol(school, course, list(planned.students), "student")
        if planned.key in ASSISTED:
            await _enrol(school, course, ["assistant-1"], "ta")
        await _make_groups(school, course, planned)
        school.count("courses")


async def make_codes(school: School) -> str:
    """Make access codes for two courses, and return one that anybody of the school may redeem."""
    open_to_all = school.courses["engl-9"]
    body: dict[str, Any] = {
        "course_id": str(open_to_all.id), "kind": "multi_use", "max_uses": 30, "note": "For the open day",
    }  # fmt: skip
    made = await school.api.ask(open_to_all.teacher, "POST", "/access-codes/generate", body)
    for_some = school.courses["math-7b"]
    body = {"course_id": str(for_some.id), "kind": "single_use", "count": 5, "note": "Late enrolments"}
    single = await school.api.ask(for_some.teacher, "POST", "/access-codes/generate", body)
    if school.plan.courses[-1].students:  # somebody who came later
        newcomer = school.ids[school.plan.courses[-1].students[-1]]
        await school.api.ask(newcomer, "POST", "/access-codes/redeem", {"code": single[0]["code"]})
    school.count("access codes", 6)
    return str(made[0]["code"])


async def plan_series(school: School, weeks: int) -> None:
    """Plan the classes of all weeks, past ones and those to come, a series for each course."""
    begins = school.clock.now().astimezone(school.zone).date()
    today = school.now.date().isoformat()
    for planned in school.plan.courses:
        course = school.courses[planned.key]
        first = datetime.combine(planned.first_day(begins), planned.at)
        body = {
            "title": planned.title,
            "rule": planned.rule(weeks + WEEKS_AHEAD),
            "starts_local": first.strftime("%Y-%m-%dT%H:%M"),
            "duration_minutes": int(LESSON.total_seconds()) // 60,
            "course_id": str(course.id),
            "without": [today] if is_in_the_way(planned, school.now) else [],
        }
        await school.api.ask(course.teacher, "POST", "/class-series", body)


async def plan_extra(school: School) -> UUID:
    """Plan the class that is on now, and return its id."""
    course = school.courses[EXTRA_COURSE]
    starts = extra_start(school.now)
    body = {
        "title": EXTRA_TITLE,
        "description": "Bring your exercise books.",
        "starts_at": starts.isoformat(),
        "ends_at": (starts + EXTRA_LESSON).isoformat(),
        "course_id": str(course.id),
    }
    return UUID((await school.api.ask(course.teacher, "POST", "/live-classes", body))["id"])


async def _enrol(school: School, course: HeldCourse, people: list[str], role: str) -> None:
    if not people:
        return
    body = {"user_ids": [str(school.ids[key]) for key in people], "role": role}
    await school.api.ask(school.ids["admin-1"], "POST", f"/courses/{course.id}/enrolments", body)


async def _make_groups(school: School, course: HeldCourse, planned: CoursePlan) -> None:
    for name, members in planned.groups:
        made = await school.api.ask(course.teacher, "POST", f"/courses/{course.id}/groups", {"name": name})
        course.groups.append(UUID(made["id"]))
        for member in members:
            path = f"/courses/{course.id}/groups/{made['id']}/members/{school.ids[member]}"
            await school.api.ask(course.teacher, "PUT", path)
