"""A school that was filled in at one go: what is somebody's own is found as fast before PostgreSQL counted its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

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
from lms.database.settings import DatabaseSettings
from lms.database.transaction import Transaction
from lms.grades.members import courses_of_student, students_of
from lms.people.tables import UserStatus, app_user, guardian
from tests.support.lms import Person, School, running_school
from tests.support.postgresql import Cluster

COURSES: Final = 150
STUDENTS: Final = 20
"""Of a course: 3,000 of the school. Of a thousand PostgreSQL may go through all for a gradebook: that is quick."""
LOOKED_AT_MAX: Final = 4 * COURSES
"""Rows that one step of a plan may go through: all courses a few times, and never all students."""


class Explain(Executable, ClauseElement):
    """Runs a statement, and tells how."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
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


async def looked_at(transaction: Transaction, statement: Executable, **values: Any) -> tuple[float, float]:
    """Return how many rows a statement finds, and how many that step of its plan goes through that has the most."""
    [[found]] = (await transaction.execute(Explain(statement), values)).all()
    return found[0]["Plan"]["Actual Rows"], max(rows for _, rows in steps(found[0]["Plan"]))


async def fill_in(school: School, teacher: Person, observer: Person) -> tuple[UUID, UUID]:
    """Make many courses of many students; return the one that has a teacher, and the student who has an observer."""
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
    return courses[0], students[0]


def asked_for(transaction: Transaction, person: Person) -> dict[str, Executable]:
    """Return what follows from somebody's ties."""
    permissions, tied = PERMISSIONS[person.roles[0]], (transaction.org_id, person.id, transaction.now)
    return {
        "ties": ties_of_user(*tied),
        "courses": select(course.c.id).where(course.c.id.in_(select(tied_courses(*tied).c.course_id))),
        "classes": select(live_class.c.id).where(seen_by(transaction, person.id, permissions)),
        "rooms": select(chat_room.c.id).where(rooms_of(transaction, person.id, permissions)),
    }


async def test_nobody_goes_through_all_students(postgresql_cluster: Cluster, tmp_path: Path) -> None:
    """Neither for one's own courses, classes and rooms, nor for a gradebook, nor for one's own grades."""
    settings = DatabaseSettings(url=postgresql_cluster.url(postgresql_cluster.create()))  # whose tables were never full
    async with running_school(tmp_path, settings) as school:
        people = [school.teacher, school.people[Role.OBSERVER]]
        course_id, student_id = await fill_in(school, *people)
        async with school.database.read(school.org_id) as transaction:
            for person in people:
                for name, statement in asked_for(transaction, person).items():
                    found, most = await looked_at(transaction, statement)
                    assert most <= LOOKED_AT_MAX, f"{name} of a {person.name}"
                    assert found == (name in {"ties", "courses"})
            students, courses = students_of(transaction, course_id), courses_of_student(transaction, student_id)
            for gradebook, expected in ((students, STUDENTS), (courses, 1)):
                found, most = await looked_at(transaction, gradebook.statement, **gradebook.values)
                assert found == expected
                assert most <= LOOKED_AT_MAX, f"{expected} of a gradebook"
