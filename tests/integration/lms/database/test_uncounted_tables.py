"""A school that was filled in at one go: what is somebody's own is found as fast before PostgreSQL counted its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy import ClauseElement, Executable, insert, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from lms.access.roles import PERMISSIONS, Role
from lms.chat.store import rooms_of
from lms.chat.tables import chat_room
from lms.classes.store import seen_by
from lms.classes.tables import live_class
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.store import tied_courses, ties_of_user
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, course, enrolment
from lms.people.tables import UserStatus, app_user, guardian
from tests.support.lms import Person, School

COURSES: Final = 20
STUDENTS: Final = 15
"""Of a course: 300 of the school."""
LOOKED_AT_MAX: Final = 4 * COURSES
"""Rows that one step of a plan may go through: all courses a few times, and never all students."""

pytestmark = pytest.mark.parametrize("database_settings", ["postgresql"], indirect=True)


class Explain(Executable, ClauseElement):
    """Runs a statement, and tells how."""

    inherit_cache = False

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


@compiles(Explain)
def _(element: Explain, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {compiler.process(element.statement, **options)}"


def steps(plan: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield each step of a plan with the rows that it went through."""
    seen = sum(value for name, value in plan.items() if name == "Actual Rows" or name.startswith("Rows Removed"))
    yield plan["Node Type"], seen * plan["Actual Loops"]
    for each in plan.get("Plans", ()):
        yield from steps(each)


async def fill_in(school: School, teacher: Person, observer: Person) -> None:
    """Make many courses of many students, the first of whom the observer looks after; one teacher has them all."""
    now = school.clock.now()
    of_school = {"org_id": school.org_id, "created_at": now}
    courses = [school.parts.ids.new() for _ in range(COURSES)]
    students = [school.parts.ids.new() for _ in range(COURSES * STUDENTS)]
    shown = {"display_name": "Muna", "sort_key": "muna", "status": UserStatus.ACTIVE, "token_version": 1, "version": 1}
    titled = {"description": "", "status": CourseStatus.PUBLISHED, "time_zone": "UTC", "settings": {}, "version": 1}
    taken = {"status": EnrolmentStatus.ACTIVE, "source": EnrolmentSource.MANUAL, "updated_at": now}
    roles = [(each, CourseRole.STUDENT, nth % COURSES) for nth, each in enumerate(students)]
    roles += [(teacher.id, CourseRole.TEACHER, 0)]
    async with school.database.write(school.org_id) as transaction:
        people = [{**of_school, **shown, "id": each, "code": f"S{nth}"} for nth, each in enumerate(students)]
        await transaction.execute(insert(app_user), people)
        made = [
            {**of_school, **titled, "id": each, "title": f"C{nth}", "sort_key": f"c{nth}", "updated_at": now}
            for nth, each in enumerate(courses)
        ]
        await transaction.execute(insert(course), made)
        enrolled = [
            {
                **of_school,
                **taken,
                "id": school.parts.ids.new(),
                "user_id": who,
                "role": role,
                "course_id": courses[nth],
            }
            for who, role, nth in roles
        ]
        await transaction.execute(insert(enrolment), enrolled)
        child = {**of_school, "observer_id": observer.id, "student_id": students[0]}
        await transaction.execute(insert(guardian).values(child))


@pytest.mark.parametrize("role", [Role.TEACHER, Role.OBSERVER])
async def test_nobody_goes_through_all_students_to_find_their_own(school: School, role: Role) -> None:
    """Neither for the courses that somebody is tied to, nor for the classes and rooms that follow from them."""
    person, permissions = school.people[role], PERMISSIONS[role]
    await fill_in(school, school.teacher, school.people[Role.OBSERVER])
    async with school.database.read(school.org_id) as transaction:
        tied = (school.org_id, person.id, transaction.now)
        asked: dict[str, ClauseElement] = {
            "ties": ties_of_user(*tied),
            "courses": select(course.c.id).where(course.c.id.in_(select(tied_courses(*tied).c.course_id))),
            "classes": select(live_class.c.id).where(seen_by(transaction, person.id, permissions)),
            "rooms": select(chat_room.c.id).where(rooms_of(transaction, person.id, permissions)),
        }
        for name, statement in asked.items():
            [[found]] = (await transaction.execute(Explain(statement))).all()
            plan = found[0]["Plan"]
            slow = [(step, rows) for step, rows in steps(plan) if rows > LOOKED_AT_MAX]
            assert not slow, f"{name} of a {role.value}: {slow}"
            if name in {"ties", "courses"}:
                assert plan["Actual Rows"] == 1
