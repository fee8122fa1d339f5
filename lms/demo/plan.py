"""The school as it is to be, from a seed: people, courses and who is in them. Pure: time and chance are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from lms.access.roles import Role
from lms.demo.names import ARABIC_FAMILY, ARABIC_GIVEN, ENGLISH_FAMILY, ENGLISH_GIVEN

LESSON: Final = timedelta(minutes=60)
EXTRA_LESSON: Final = timedelta(minutes=90)
"""The one that is on now: long enough to look around."""

BEGAN_BEFORE: Final = timedelta(minutes=10)
"""It began so long ago."""

EXTRA_TEACHER: Final = "teacher-1"

DUE: Final = timedelta(minutes=20)
"""A class that should have begun so long ago may still be started."""

BREAK: Final = timedelta(minutes=10)
"""Between the end of the last class that is over and now."""

WEEKS_AHEAD: Final = 3
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MAIL: Final = "demo.example"  # RFC 2606: nobody's


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Somebody with an account."""

    key: str
    """What the other parts of the plan call them; the account's external id."""
    name: str
    email: str
    language: str
    role: Role
    ability: float = 0.0
    """Of students: part of the points that they usually get."""
    diligence: float = 1.0
    """Of students: how often they come, and in time."""


@dataclass(frozen=True, slots=True)
class CoursePlan:
    """A course, its people and its times."""

    key: str
    title: str
    code: str
    description: str
    teacher: str
    students: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    at: time
    """When its classes begin, on the clock of the school."""
    days: tuple[int, int]
    """Weekdays, Monday is 0."""
    branch: int

    def first_day(self, begins: date) -> date:
        """Return the first day of class from a day on."""
        return min(begins + timedelta((day - begins.weekday()) % 7) for day in self.days)

    def rule(self, weeks: int) -> str:
        """Return the rule of its series (RFC 5545)."""
        days = ",".join(_DAYS[day] for day in sorted(self.days))
        return f"FREQ=WEEKLY;BYDAY={days};COUNT={len(self.days) * weeks}"


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """Everything that does not depend on what happens."""

    people: tuple[PersonPlan, ...]
    guardians: tuple[tuple[str, str], ...]
    """Student and who looks after them."""
    courses: tuple[CoursePlan, ...]

    def of(self, role: Role) -> list[PersonPlan]:
        """Return all of one role."""
        return [person for person in self.people if person.role is role]


_STAFF: Final = (
    PersonPlan("admin-1", "Huda Mansour", f"huda.mansour@{_MAIL}", "en", Role.ADMIN),
    PersonPlan("admin-2", "سامي الفهد", f"sami.alfahad@{_MAIL}", "ar", Role.ADMIN),
    PersonPlan("manager-1", "Peter Lang", f"peter.lang@{_MAIL}", "en", Role.MANAGER),
    PersonPlan("teacher-1", "Sarah Collins", f"sarah.collins@{_MAIL}", "en", Role.TEACHER),
    PersonPlan("teacher-2", "منى الحربي", f"muna.alharbi@{_MAIL}", "ar", Role.TEACHER),
    PersonPlan("teacher-3", "Omar Siddiqui", f"omar.siddiqui@{_MAIL}", "en", Role.TEACHER),
    PersonPlan("assistant-1", "Daniel Moss", f"daniel.moss@{_MAIL}", "en", Role.TA),
)

_COURSES: Final = (
    ("math-7b", "Algebra 7B", "MATH-7B", "Equations, functions and graphs", "teacher-1", time(8, 0), (0, 3)),
    ("math-7a", "الجبر 7أ", "MATH-7A", "المعادلات والدوال والتمثيل البياني", "teacher-2", time(9, 30), (1, 4)),
    ("phys-8", "Physics 8", "PHYS-8", "Forces, motion and energy", "teacher-1", time(11, 0), (0, 2)),
    ("arab-8", "اللغة العربية 8", "ARAB-8", "النحو والقراءة والتعبير", "teacher-2", time(12, 30), (0, 5)),
    ("engl-9", "English 9", "ENGL-9", "Short stories and essays", "teacher-3", time(14, 0), (0, 4)),
    ("hist-9", "تاريخ الحضارات 9", "HIST-9", "من بلاد الرافدين إلى الأندلس", "teacher-3", time(15, 30), (1, 3)),
)
"""Key, title, code, description, teacher, when, and days counted from the day of today's week."""


def plan_school(seed: int, students: int, today: date) -> SchoolPlan:
    """Return a school with so many students; the same for the same seed and weekday."""
    chance = Random(seed)
    pupils = _pupils(chance, students)
    guardians, pairs = _guardians(chance, pupils)
    courses = tuple(_course(index, pupils, today) for index in range(len(_COURSES)))
    return SchoolPlan((*_STAFF, *pupils, *guardians), pairs, courses)


def is_in_the_way(course: CoursePlan, now: datetime) -> bool:
    """Return whether a course has no class today: of those that lie around now the one that is on takes the place.

    `now` is the time of the school. A class that should have begun a moment ago is left for its teacher to start.
    """
    starts = datetime.combine(now.date(), course.at, tzinfo=now.tzinfo)
    extra = extra_start(now)
    if course.teacher == EXTRA_TEACHER and starts < extra + EXTRA_LESSON and starts + LESSON + BREAK > extra:
        return True
    return starts < now - DUE and starts + LESSON + BREAK > now - BREAK


def extra_start(now: datetime) -> datetime:
    """Return when the class began that is on now."""
    full = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    return full - BEGAN_BEFORE


def _pupils(chance: Random, count: int) -> tuple[PersonPlan, ...]:
    arabic = [(given, family) for given in ARABIC_GIVEN for family in ARABIC_FAMILY]
    english = [(given, family) for given in ENGLISH_GIVEN for family in ENGLISH_FAMILY]
    chance.shuffle(arabic)
    chance.shuffle(english)
    pupils = []
    for number in range(1, count + 1):
        if number % 2:
            given, family = arabic[number // 2]
            name, latin, language = f"{given[0]} {family[0]}", f"{given[1]}.{family[1]}", "ar"
        else:
            first, last = english[number // 2]
            name, latin, language = f"{first} {last}", f"{first}.{last}", "en"
        pupils.append(
            PersonPlan(
                key=f"student-{number}",
                name=name,
                email=f"{latin.lower()}@{_MAIL}",
                language=language,
                role=Role.STUDENT,
                ability=round(chance.triangular(0.5, 1.0, 0.82), 3),
                diligence=round(chance.triangular(0.6, 1.0, 0.96), 3),
            )
        )
    return tuple(pupils)


def _guardians(chance: Random, pupils: tuple[PersonPlan, ...]) -> tuple[list[PersonPlan], tuple[tuple[str, str], ...]]:
    """Return those who look after every third student; some look after two."""
    guardians: list[PersonPlan] = []
    pairs: list[tuple[str, str]] = []
    for number, pupil in enumerate(pupils[::3], start=1):
        if number % 5 == 0:  # a sister or a brother of the one before
            pairs.append((pupil.key, guardians[-1].key))
            continue
        family = pupil.name.split(" ", 1)[1]
        if pupil.language == "ar":
            given = chance.choice(ARABIC_GIVEN)
            name, latin = f"{given[0]} {family}", given[1]
        else:
            latin = chance.choice(ENGLISH_GIVEN)
            name = f"{latin} {family}"
        key = f"guardian-{number}"
        mail = f"{latin.lower()}.{number}.family@{_MAIL}"
        guardians.append(PersonPlan(key, name, mail, pupil.language, Role.OBSERVER))
        pairs.append((pupil.key, key))
    return guardians, tuple(pairs)


def _course(index: int, pupils: tuple[PersonPlan, ...], today: date) -> CoursePlan:
    """Each student is in two courses: in those of a third of the school."""
    key, title, code, description, teacher, at, days = _COURSES[index]
    students = tuple(pupil.key for number, pupil in enumerate(pupils) if number % 3 == index // 2)
    half = len(students) // 2
    named = ("المجموعة أ", "المجموعة ب") if index % 2 else ("Group A", "Group B")
    first, second = (today.weekday() + days[0]) % 7, (today.weekday() + days[1]) % 7
    return CoursePlan(
        key=key,
        title=title,
        code=code,
        description=description,
        teacher=teacher,
        students=students,
        groups=((named[0], students[:half]), (named[1], students[half:])),
        at=at,
        days=(first, second),
        branch=index % 2,
    )
