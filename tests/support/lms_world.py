"""One of everything that a school can have, by the names that the OpenAPI document has for its ids."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update

from lms.access.roles import Role
from lms.access.tables import login
from lms.attendance.tables import attendance_guest
from lms.classes.runs import start_run
from lms.classes.status import ClassStatus
from lms.classes.store import find_class
from lms.classes.tables import RecordingState, live_class, recording
from lms.database.transaction import Transaction
from lms.notifications.kinds import Kind
from lms.notifications.tables import notification
from lms.organizations.host_store import verify
from tests.support.lms import Answer, Person, School

NOWHERE: Final = "http://127.0.0.1:9/"
"""Where no program listens: nothing is delivered in tests of other things. Settings must allow it."""
GUEST: Final = "guest-1"


class World:
    """A school's things. Those that are personal are its student's."""

    def __init__(self, school: School, word: str) -> None:
        self.school = school
        self.word = word
        """Is in every text: whoever reads it has read something of this school."""
        self.name = re.sub(r"[^a-z]", "", word.lower())
        """The letters of it, for hosts and rooms."""
        self.ids: dict[str, str] = {"emoji": "👍", "slug": "nobody-knows", "identity": GUEST}
        """Names are those of parameters and fields, e.g. "course_id"."""

    async def furnish(self) -> None:
        """Make one of everything, and more of nothing."""
        await self._people()
        await self._course()
        await self._class()
        await self._gradebook()
        await self._chat()
        await self._personal()
        await self._around()

    @property
    def student(self) -> Person:
        return self.school.student

    async def _made(self, method: str, path: str, as_: Person, body: Any = None, **options: Any) -> Any:
        answer: Answer = await self.school.request(method, path, body, as_=as_, **options)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        return answer.data if answer.body is not None else None

    async def _people(self) -> None:
        school = self.school
        branch = {"slug": "north", "name": f"{self.word} branch"}
        self.ids["branch_id"] = (await self._made("POST", "/branches", school.owner, branch))["id"]
        observer = school.people[Role.OBSERVER]
        await self._made("PUT", f"/users/{self.student.id}/guardians/{observer.id}", school.owner)
        self.ids |= {"user_id": str(self.student.id), "student_id": str(self.student.id)}
        self.ids |= {"observer_id": str(observer.id), "org_id": str(school.org_id)}
        self.ids["actor_id"] = str(school.owner.id)

    async def _course(self) -> None:
        school, teacher = self.school, self.school.teacher
        course = {"title": f"{self.word} course", "branch_id": self.ids["branch_id"], "description": self.word}
        self.ids["course_id"] = (await self._made("POST", "/courses", school.admin, course))["id"]
        path = f"/courses/{self.ids['course_id']}"
        for role, person in (("teacher", teacher), ("student", self.student), ("ta", school.people[Role.TA])):
            enrolled = {"user_ids": [str(person.id)], "role": role}
            [made] = await self._made("POST", f"{path}/enrolments", school.admin, enrolled)
            if role == "student":
                self.ids["enrolment_id"] = made["id"]
        group = await self._made("POST", f"{path}/groups", teacher, {"name": f"{self.word} group"})
        self.ids["group_id"] = group["id"]
        await self._made("PUT", f"{path}/groups/{group['id']}/members/{self.student.id}", teacher)

    async def _class(self) -> None:
        school, teacher = self.school, self.school.teacher
        course_id, begin = self.ids["course_id"], school.clock.now() + timedelta(minutes=5)
        planned = {
            "title": f"{self.word} class",
            "description": self.word,
            "course_id": course_id,
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=1)).isoformat(),
        }
        self.ids["class_id"] = class_id = (await self._made("POST", "/live-classes", teacher, planned))["id"]
        for time in ("starts_at", "ends_at"):
            planned[time] = (datetime.fromisoformat(planned[time]) + timedelta(days=1)).isoformat()
        later = await self._made("POST", "/live-classes", teacher, planned | {"title": f"{self.word} exam"})
        self.ids["later_class_id"] = later["id"]
        series = {
            "title": f"{self.word} series",
            "course_id": course_id,
            "rule": "FREQ=WEEKLY;COUNT=2",
            "starts_local": "2026-12-06T09:00",
            "duration_minutes": 45,
        }
        self.ids["series_id"] = (await self._made("POST", "/class-series", teacher, series))["id"]
        self.ids["parent_id"] = class_id
        invited = {"user_ids": [str(self.student.id)]}
        await self._made("POST", f"/live-classes/{class_id}/invite", teacher, invited)
        async with school.database.write(school.org_id) as transaction:
            await self._hold(transaction, UUID(class_id))
        code = {"course_id": course_id, "kind": "unlimited", "note": self.word}
        [made] = await self._made("POST", "/access-codes/generate", teacher, code)
        self.ids |= {"code_id": made["id"], "code": made["code"]}
        await self._made("POST", "/access-codes/redeem", self.student, {"code": made["code"]})

    async def _hold(self, transaction: Transaction, class_id: UUID) -> None:
        """Have the class be on, with a guest in it and a recording of it, as a media server would tell."""
        school, run_id, recording_id = self.school, self.school.parts.ids.new(), self.school.parts.ids.new()
        row = await find_class(transaction, class_id)
        assert row is not None
        room = f"{self.name}.{run_id.hex}"
        await start_run(transaction, school.parts.outbox, row, run_id=run_id, room=room, started_by=school.teacher.id)
        own = (live_class.c.org_id == transaction.org_id, live_class.c.id == class_id)
        await transaction.execute(update(live_class).where(*own).values(status=ClassStatus.LIVE))
        of_run = {"org_id": transaction.org_id, "run_id": run_id}
        await transaction.execute(
            insert(recording).values(
                id=recording_id, record_id="rec-1", name=f"{self.word} recording", state=RecordingState.PUBLISHED,
                protected=False, metadata={}, version=1, started_at=transaction.now, created_at=transaction.now,
                **of_run,
            )
        )  # fmt: skip
        await transaction.execute(insert(attendance_guest).values(identity=GUEST, name=self.word, **of_run))
        self.ids |= {"run_id": str(run_id), "recording_id": str(recording_id)}

    async def _gradebook(self) -> None:
        teacher, path = self.school.teacher, f"/courses/{self.ids['course_id']}"
        category = {"name": f"{self.word} category", "weight": "40"}
        self.ids["category_id"] = (await self._made("POST", f"{path}/grade-categories", teacher, category))["id"]
        item = {"category_id": self.ids["category_id"], "title": f"{self.word} item", "max_points": "10"}
        made = await self._made("POST", f"{path}/grade-items", teacher, item | {"hidden": False})
        self.ids["item_id"] = made["id"]
        grade = {"state": "graded", "points": "7", "feedback": self.word}
        await self._made("PUT", f"/grade-items/{made['id']}/grades/{self.student.id}", teacher, grade, version=0)

    async def _chat(self) -> None:
        teacher, student = self.school.teacher, self.student
        room = await self._made("POST", "/rooms", student, {"kind": "course", "of": self.ids["course_id"]})
        self.ids |= {"room_id": room["id"], "of": self.ids["course_id"]}
        said = {"body": f"{self.word} message", "client_id": "phone-1/0001"}
        message = (await self._made("POST", f"/rooms/{room['id']}/messages", student, said))["message"]
        self.ids |= dict.fromkeys(("message_id", "reply_to", "before"), message["id"])
        path = f"/rooms/{room['id']}/messages/{message['id']}"
        await self._made("PATCH", path, student, {"body": f"{self.word} changed"})
        await self._made("PUT", f"{path}/reactions/👍", teacher)
        await self._made("PUT", f"{path}/pin", teacher)
        report = await self._made("POST", f"{path}/report", teacher, {"reason": "spam", "note": self.word})
        self.ids["report_id"] = report["id"]

    async def _personal(self) -> None:
        student = self.student
        calendar = await self._made("POST", "/calendars", student, {"name": f"{self.word} calendar"})
        self.ids |= {"calendar_id": calendar["id"], "secret": calendar["url"].rpartition("/")[2].removesuffix(".ics")}
        self.ids["request_id"] = (await self._made("POST", "/auth/me/data-export", student))["id"]
        queue = {"id": "1", "kind": "chat.read", "body": {"room_id": self.ids["room_id"], "seq": 1}}
        await self._made("POST", "/sync", student, {"device_id": "phone-1", "operations": [queue]})
        new = self.school.parts.ids.new
        async with self.school.database.write(self.school.org_id) as transaction:
            mine = {"org_id": transaction.org_id, "user_id": student.id, "created_at": transaction.now}
            self.ids |= {"login_id": str(login_id := new()), "notification_id": str(notification_id := new())}
            lasting = {"used_at": transaction.now, "expires_at": transaction.now + timedelta(days=7)}
            await transaction.execute(insert(login).values(id=login_id, by_cookie=False, **mine, **lasting))
            told = {"kind": Kind.CLASS_STARTED.value, "source": "world", "about": {"title": self.word}}
            await transaction.execute(insert(notification).values(id=notification_id, **mine, **told))

    async def _around(self) -> None:
        owner = self.school.owner
        told = {"name": f"{self.word} webhook", "url": NOWHERE, "topics": ["class.started"]}
        self.ids["webhook_id"] = (await self._made("POST", "/webhooks", owner, told))["webhook"]["id"]
        await self._made("POST", f"/webhooks/{self.ids['webhook_id']}/test", owner)
        self.ids["host"] = f"{self.name}.example.org"
        await self._made("PUT", f"/organization/hosts/{self.ids['host']}", owner)
        async with self.school.database.write(self.school.org_id) as transaction:
            assert await verify(transaction, transaction.org_id, self.ids["host"])


async def still(school: School) -> None:
    """Have nothing happen by itself from now on: what is found different, a request did."""
    await school.parts.relay.close()
    await school.parts.schedule.close()
    await school.parts.webhooks.close()
