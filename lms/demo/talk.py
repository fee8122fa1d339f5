"""Chat of the past weeks: questions in courses, answers, reactions, something pinned, words between two, the staff."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from lms.demo.plan import CoursePlan
from lms.demo.school import HeldCourse, School

_AFTERNOON: Final = time(17, 0)

Line = tuple[str, str]
"""Who ("teacher", or a number among the students), and what they write."""

_ENGLISH: Final[tuple[tuple[Line, ...], ...]] = (
    (
        ("teacher", "Welcome, everybody! Homework 1 is on page 12, numbers 3 to 7."),
        ("0", "Is it until Thursday or until Sunday?"),
        ("teacher", "Until the end of the week, 19:00."),
        ("1", "Thank you!"),
    ),
    (
        ("2", "I do not understand number 4. Why does the sign change?"),
        ("3", "Because you multiply both sides by a negative number 🙂"),
        ("teacher", "Exactly. Well explained!"),
    ),
    (
        ("teacher", "The test covers chapters 1 to 3. Bring a ruler."),
        ("4", "May we use a calculator?"),
        ("teacher", "Not this time."),
        ("5", "😱"),
    ),
    (
        ("1", "When do we get the tests back?"),
        ("teacher", "They are entered: look at your grades. Ask me if a point is missing."),
        ("0", "Better than I thought!"),
    ),
)
_ARABIC: Final[tuple[tuple[Line, ...], ...]] = (
    (
        ("teacher", "أهلًا بكم جميعًا! الواجب الأول في الصفحة 12، الأسئلة من 3 إلى 7."),
        ("0", "متى آخر موعد للتسليم؟"),
        ("teacher", "نهاية الأسبوع، الساعة السابعة مساءً."),
        ("1", "شكرًا أستاذة!"),
    ),
    (
        ("2", "لم أفهم السؤال الرابع."),
        ("3", "راجع المثال في الصفحة 10، الفكرة نفسها 🙂"),
        ("teacher", "شرح جميل!"),
    ),
    (
        ("teacher", "الاختبار في الفصول الثلاثة الأولى. لا تنسوا المسطرة."),
        ("4", "هل نحضر الآلة الحاسبة؟"),
        ("teacher", "ليس هذه المرة."),
    ),
    (
        ("1", "متى تظهر الدرجات؟"),
        ("teacher", "أُدخلت الدرجات اليوم، راجعوها."),
        ("0", "أفضل مما توقعت!"),
    ),
)
_STAFF: Final[tuple[tuple[str, str], ...]] = (
    ("admin-1", "The timetable of the next weeks is in the calendar. Please look at it."),
    ("teacher-2", "شكرًا. هل يمكن نقل حصة الثلاثاء؟"),
    ("teacher-1", "I can take it, if it helps."),
    ("manager-1", "Attendance of last week is complete, thank you all."),
)
_PRIVATE: Final[tuple[Line, ...]] = (
    ("0", "Good evening! I was ill yesterday. What did I miss?"),
    ("teacher", "Get well first. Page 14, and ask me tomorrow before class."),
    ("0", "Thank you very much!"),
)


class Talk:
    """Puts on the agenda what is written in one course, and among two of it."""

    def __init__(self, school: School, course: HeldCourse, planned: CoursePlan, weeks: int) -> None:
        self._school = school
        self._course = course
        self._students = [school.ids[key] for key in planned.students]
        self._weeks = weeks
        self._lines = _ARABIC if planned.title[0] > "\u0600" else _ENGLISH
        self._said = 0

    def put_on_agenda(self) -> None:
        """Plan a conversation a week, and one between a student and the teacher."""
        if not self._students:
            return
        for week, lines in zip(range(self._weeks), self._lines, strict=False):
            at = _afternoon(self._school, week * 7 + 1)
            self._school.at(at, self._conversation("course", self._course.id, lines, at, is_pinned=week % 2 == 0))
        at = _afternoon(self._school, 4)
        self._school.at(at, self._conversation("direct", self._course.teacher, _PRIVATE, at))

    def _conversation(
        self, kind: str, of: UUID, lines: tuple[Line, ...], at: datetime, *, is_pinned: bool = False
    ) -> Any:
        async def talk() -> None:
            first = self._students[0]
            room = await self._school.api.ask(first, "POST", "/rooms", {"kind": kind, "of": str(of)})
            path = f"/rooms/{room['id']}"
            told: list[dict[str, Any]] = []
            for index, (who, text) in enumerate(lines):
                self._school.turn_to(at + timedelta(minutes=3 * index))
                told.append(await say(self._school, path, self._person(who), text, f"{self._course.key}-{self._said}"))
                self._said += 1
            if kind == "course":
                liked = f"{path}/messages/{told[-1]['id']}/reactions"
                for person in self._students[1:4]:
                    await self._school.api.ask(person, "PUT", f"{liked}/👍")
            if is_pinned:
                await self._school.api.ask(self._course.teacher, "PUT", f"{path}/messages/{told[0]['id']}/pin")
            await self._school.api.ask(self._course.teacher, "PUT", f"{path}/read", {"seq": told[-1]["seq"]})

        return talk

    def _person(self, who: str) -> UUID:
        return self._course.teacher if who == "teacher" else self._students[int(who) % len(self._students)]


def put_staff_on_agenda(school: School) -> None:
    """Plan what those write to each other who work at the school."""
    at = _afternoon(school, 2)

    async def talk() -> None:
        room = await school.api.ask(school.ids["admin-1"], "POST", "/rooms", {"kind": "staff"})
        for index, (who, text) in enumerate(_STAFF):
            school.turn_to(at + timedelta(minutes=7 * index))
            await say(school, f"/rooms/{room['id']}", school.ids[who], text, f"staff-{index}")

    school.at(at, talk)


async def say(school: School, path: str, who: UUID, text: str, key: str) -> dict[str, Any]:
    """Send a message and return it as it is told; `key` is unique in the school."""
    body = {"body": text, "client_id": f"demo-{school.seed}-{key}"}
    sent: dict[str, Any] = await school.api.ask(who, "POST", f"{path}/messages", body)
    school.count("messages")
    message: dict[str, Any] = sent["message"]
    return message


def _afternoon(school: School, days: int) -> datetime:
    """Return five o'clock of a day so long after the first."""
    first = school.clock.now().astimezone(school.zone).date()
    return datetime.combine(first + timedelta(days=days), _AFTERNOON, school.zone)
