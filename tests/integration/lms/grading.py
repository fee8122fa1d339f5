"""A course to grade in: its teacher, students and items, for tests of grades."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from lms.access.roles import Role
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, course, enrolment
from tests.support.lms import Person, School


@dataclass
class Course:
    """A published course."""

    school: School
    id: UUID
    teacher: Person
    students: list[Person]
    category: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/courses/{self.id}"

    async def item(self, title: str = "Quiz", **fields: Any) -> dict[str, Any]:
        """Make an item of 10 points, published unless `fields` say else."""
        asked = {"category_id": self.category["id"], "title": title, "max_points": "10", "hidden": False} | fields
        answer = await self.school.post(f"{self.path}/grade-items", asked, as_=self.teacher)
        assert answer.status == 201, answer.body
        item: dict[str, Any] = answer.data
        return item

    async def grade(
        self, item: dict[str, Any], student: Person, points: str | None, version: int = 0, **fields: Any
    ) -> Any:
        """Grade a student, with points or by `state`."""
        asked = ({"state": "graded", "points": points} if points is not None else {}) | fields
        path = f"/grade-items/{item['id']}/grades/{student.id}"
        return await self.school.put(path, asked, as_=fields.pop("as_", self.teacher), version=version)


async def enrol(school: School, course_id: UUID, person: Person, role: CourseRole) -> None:
    """Enrol somebody."""
    async with school.database.write(school.org_id) as transaction:
        await transaction.execute(
            insert(enrolment).values(
                org_id=school.org_id,
                id=school.parts.ids.new(),
                course_id=course_id,
                user_id=person.id,
                role=role,
                status=EnrolmentStatus.ACTIVE,
                source=EnrolmentSource.MANUAL,
                created_at=transaction.now,
                updated_at=transaction.now,
            )
        )


async def make_course(school: School, students: int = 2) -> Course:
    """Return a course with a teacher, students and one category."""
    course_id = school.parts.ids.new()
    async with school.database.write(school.org_id) as transaction:
        await transaction.execute(
            insert(course).values(
                org_id=school.org_id,
                id=course_id,
                title="Algebra",
                sort_key="algebra",
                description="",
                status=CourseStatus.PUBLISHED,
                time_zone="UTC",
                settings={},
                version=1,
                created_at=transaction.now,
                updated_at=transaction.now,
            )
        )
    teacher = await school.person(Role.TEACHER, name="Huda")
    learners = [await school.person(Role.STUDENT, name=f"Student {number}") for number in range(students)]
    await enrol(school, course_id, teacher, CourseRole.TEACHER)
    for each in learners:
        await enrol(school, course_id, each, CourseRole.STUDENT)
    made = Course(school, course_id, teacher, learners)
    asked = {"name": "Homework", "weight": "40"}
    made.category = (await school.post(f"{made.path}/grade-categories", asked, as_=teacher)).data
    return made
