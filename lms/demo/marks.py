"""Grades: categories with weights, items over the weeks, a column that follows attendance, and what was entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any, Final

from lms.demo.plan import CoursePlan, PersonPlan
from lms.demo.school import HeldCourse, School


@dataclass(frozen=True, slots=True)
class Words:
    """How things are called in a course."""

    homework: str
    exams: str
    participation: str
    numbered: str
    test: str
    project: str
    praise: str
    advice: str
    ill: str
    counted_again: str


_ENGLISH: Final = Words(
    homework="Homework",
    exams="Tests",
    participation="Participation",
    numbered="Homework {}",
    test="Test",
    project="Project",
    praise="Very clear work.",
    advice="Look at question 3 again; come to the questions hour.",
    ill="was ill, with a letter",
    counted_again="Points of question 4 were counted again",
)
_ARABIC: Final = Words(
    homework="الواجبات",
    exams="الاختبارات",
    participation="المشاركة",
    numbered="الواجب {}",
    test="اختبار منتصف الفصل",
    project="المشروع",
    praise="عمل ممتاز وواضح.",
    advice="راجع السؤال الثالث من فضلك.",
    ill="مريض، ومعه عذر",
    counted_again="أعيد احتساب درجة السؤال الرابع",
)

_EVENING: Final = time(19, 0)


class Marks:
    """Makes the grade book of one course, week by week."""

    def __init__(self, school: School, course: HeldCourse, planned: CoursePlan, weeks: int) -> None:
        self._school = school
        self._course = course
        self._weeks = weeks
        self._words = _ARABIC if planned.title[0] > "\u0600" else _ENGLISH
        known = {person.key: person for person in school.plan.people}
        self._students = [known[key] for key in planned.students]
        self._categories: dict[str, str] = {}

    async def set_up(self) -> None:
        """Make the categories, the item that follows attendance, and put the others on the agenda."""
        words = self._words
        shapes = ((words.homework, "40", 1 if self._weeks > 1 else 0), (words.exams, "50", 0))
        for name, weight, drop in (*shapes, (words.participation, "10", 0)):
            body = {"name": name, "weight": weight, "drop_lowest": drop}
            path = f"/courses/{self._course.id}/grade-categories"
            self._categories[name] = (await self._ask("POST", path, body))["id"]
        item = {"title": words.participation, "kind": "attendance", "max_points": "10", "scale": {"basis": "status"}}
        made = await self._item(words.participation, item)
        await self._ask("POST", f"/grade-items/{made['id']}/publish")
        begins = self._school.clock.now().astimezone(self._school.zone)
        for week in range(1, self._weeks + 1):
            due = datetime.combine((begins + timedelta(weeks=week, days=-1)).date(), _EVENING, self._school.zone)
            if due < self._school.now - timedelta(hours=1):
                self._school.at(due, self._entering(words.homework, words.numbered.format(week), "10", due))
        test = begins + timedelta(weeks=max(self._weeks - 1, 1), days=-2)
        at = datetime.combine(test.date(), _EVENING, self._school.zone)
        if at < self._school.now - timedelta(hours=1):
            self._school.at(at, self._entering(words.exams, words.test, "50", at))
        self._school.at(self._school.now - timedelta(minutes=30), self._announcing)

    def _entering(self, category: str, title: str, points: str, due: datetime) -> Any:
        async def enter() -> None:
            made = await self._item(category, {"title": title, "max_points": points, "due_at": due.isoformat()})
            chance = self._school.chance(self._course.key, title)
            await self._enter(made["id"], chance, self._students, float(points))
            await self._ask("POST", f"/grade-items/{made['id']}/publish")

        return enter

    async def _announcing(self) -> None:
        """A project that nobody has handed in yet, and that students do not see yet."""
        due = (self._school.now + timedelta(days=10)).isoformat()
        await self._item(self._words.exams, {"title": self._words.project, "max_points": "30", "due_at": due})

    async def _enter(self, item_id: str, chance: Random, students: Sequence[PersonPlan], most: float) -> None:
        entries = [self._entry(chance, student, most) for student in students]
        if not entries:
            return
        done = await self._ask("PUT", f"/grade-items/{item_id}/grades", {"grades": entries})
        self._school.count("grades", len(done))
        graded = [each for each in done if each["grade"]["state"] == "graded"]
        if graded and chance.random() < 0.7:  # somebody complained, and was right
            chosen = chance.choice(graded)
            points = min(float(chosen["grade"]["points"]) + 1.0, most)
            body = {"state": "graded", "points": f"{points:g}", "reason": self._words.counted_again}
            path = f"/grade-items/{item_id}/grades/{chosen['user_id']}"
            await self._ask("PUT", path, body, version=chosen["grade"]["version"])

    def _entry(self, chance: Random, student: PersonPlan, most: float) -> dict[str, Any]:
        one: dict[str, Any] = {"user_id": str(self._school.ids[student.key]), "version": 0}
        draw = chance.random()
        if draw < 0.03:
            return {**one, "state": "excused", "feedback": self._words.ill}
        if draw < 0.03 + 0.25 * (1 - student.diligence):
            return {**one, "state": "missing"}
        part = min(max(chance.gauss(student.ability, 0.09), 0.1), 1.0)
        points = round(part * most * 2) / 2
        entry = {**one, "state": "graded", "points": f"{points:g}"}
        if part > 0.95:
            entry["feedback"] = self._words.praise
        elif part < 0.5:
            entry["feedback"] = self._words.advice
        return entry

    async def _item(self, category: str, shape: dict[str, Any]) -> Any:
        body = {**shape, "category_id": self._categories[category]}
        made = await self._ask("POST", f"/courses/{self._course.id}/grade-items", body)
        self._school.count("grade items")
        return made

    async def _ask(self, method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        return await self._school.api.ask(self._course.teacher, method, path, body, version=version)
