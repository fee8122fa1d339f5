"""Classes of the past: started and ended as real ones are, with a made-up media server's events for attendance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from lms.attendance.keeping import SETTLED, keep_page
from lms.attendance.settling import Settler
from lms.audit.record import record_by_service
from lms.classes.planning import write_class
from lms.classes.room import room_name
from lms.classes.runs import start_run
from lms.classes.status import ClassStatus, Deed, status_after
from lms.classes.store import find_class
from lms.demo.lesson import Conduct, Feed, Lesson, Member, play_lesson
from lms.demo.plan import BREAK
from lms.demo.school import HeldCourse, School

FEED: Final = "demo"
"""The name under which the made-up media server's place is kept; the real one has its own."""

_WORDS: Final = {
    "excused": "A letter from the parents",
    "override": "Was in the room, on a friend's screen",
    "cancelled": "The teacher is ill",
    "guest": "Visitor from the ministry",
}


class Teaching:
    """Holds the classes of a school one after another."""

    def __init__(self, school: School, slug: str) -> None:
        self._school = school
        self._slug = slug
        parts = school.parts
        self._settler = Settler(parts.database, parts.ids, parts.outbox, parts.clock)
        boot_id = f"{school.chance('boot').getrandbits(128):032x}"
        self._feed = Feed(boot_id, school.clock.now())

    async def put_on_agenda(self) -> None:
        """Put every class that is over by now on the agenda; the second-last of one course was called off."""
        school = self._school
        classes = await school.api.pages(
            school.ids["admin-1"], "/live-classes", {"until": (school.now - BREAK).isoformat()}
        )
        over = [each for each in classes if datetime.fromisoformat(each["ends_at"]) <= school.now - BREAK]
        by_course = {str(course.id): course for course in school.courses.values()}
        called_off = [each for each in over if by_course[each["course_id"]].key == "hist-9"][-2:-1]
        for each in over:
            course, starts = by_course[each["course_id"]], datetime.fromisoformat(each["starts_at"])
            if each in called_off:
                school.at(starts - timedelta(hours=2), self._calling_off(each["id"], course))
            else:
                school.at(starts, self._holding(each, course))

    async def settle(self) -> None:
        """Compute what is due."""
        while await self._settler.run_once():
            pass

    def _calling_off(self, class_id: str, course: HeldCourse) -> Any:
        async def call_off() -> None:
            body = {"reason": _WORDS["cancelled"]}
            await self._school.api.ask(course.teacher, "POST", f"/live-classes/{class_id}/cancel", body)
            self._school.count("classes called off")

        return call_off

    def _holding(self, told: dict[str, Any], course: HeldCourse) -> Any:
        async def hold() -> None:
            await self._hold(UUID(told["id"]), datetime.fromisoformat(told["ends_at"]), course)

        return hold

    async def _hold(self, class_id: UUID, ends_at: datetime, course: HeldCourse) -> None:
        """Hold a class: its teacher begins within two minutes, and may run over a little."""
        school = self._school
        chance = school.chance(course.key, school.clock.now().date())
        school.clock.turn(chance.randint(5, 120))
        room = await self._start(class_id, course.teacher)
        began = school.clock.now()
        lasts_s = (ends_at - began).total_seconds() + chance.randint(-150, 200)
        members = await self._members(course)
        guest = _WORDS["guest"] if chance.random() < 0.08 else None
        teacher = Member(course.teacher, "", role="teacher")
        lesson = play_lesson(chance, room, teacher, members, lasts_s=lasts_s, guest=guest)
        school.turn_to(began + timedelta(seconds=lasts_s))
        await self._tell(began, lesson)
        await school.api.ask(course.teacher, "POST", f"/live-classes/{class_id}/end")
        school.clock.turn(SETTLED + timedelta(seconds=30))
        await self.settle()
        await self._correct(class_id, course, lesson, chance.random())
        school.count("classes held")

    async def _start(self, class_id: UUID, teacher: UUID) -> str:
        """Begin a run as the API does, but for the room: its media server is made up."""
        parts, run_id = self._school.parts, self._school.parts.ids.new()
        room = room_name(self._slug, run_id)
        async with parts.database.write(self._school.org_id) as transaction:
            found = await find_class(transaction, class_id, lock=True)
            assert found is not None, "the class is on the list"
            status = status_after(found.status, Deed.START)
            assert status is ClassStatus.LIVE
            await start_run(transaction, parts.outbox, found, run_id=run_id, room=room, started_by=teacher)
            await write_class(transaction, class_id, found.version, status=status)
            await record_by_service(transaction, "class.start", "live_class", class_id, new={"run_id": str(run_id)})
        return room

    async def _tell(self, began: datetime, lesson: Lesson) -> None:
        events = self._feed.tell(began, lesson.events)
        async with self._school.parts.database.write_all() as transaction:
            await keep_page(transaction, FEED, events, events[-1].cursor, is_newest=True)
        self._school.count("events", len(events))

    async def _members(self, course: HeldCourse) -> list[Member]:
        planned = {person.key: person for person in self._school.plan.people}
        (keys,) = [each.students for each in self._school.plan.courses if each.key == course.key]
        return [Member(self._school.ids[key], planned[key].name, planned[key].diligence) for key in keys]

    async def _correct(self, class_id: UUID, course: HeldCourse, lesson: Lesson, draw: float) -> None:
        """Excuse somebody who did not come, or say that somebody was there after all, now and then."""
        away = [user_id for user_id, conduct in lesson.conduct.items() if conduct is Conduct.ABSENT]
        if not away or draw > 0.6:
            return
        path = f"/live-classes/{class_id}/attendance"
        if draw < 0.4:
            body: dict[str, Any] = {"user_id": str(away[0]), "excused": True, "reason": _WORDS["excused"]}
            await self._school.api.ask(course.teacher, "POST", f"{path}/excuse", body)
            self._school.count("excused")
        else:
            body = {"user_id": str(away[-1]), "status": "present", "reason": _WORDS["override"]}
            await self._school.api.ask(course.teacher, "POST", f"{path}/override", body)
            self._school.count("overrides")
