"""A class with everything that goes wrong in one, on real processes: attendance is right within one heartbeat.

Twelve students join by the LMS's tickets, and a thirteenth does not come; one has two devices, one goes and comes back,
one's connection breaks, two are sent into a breakout, the LMS is killed, and then the media server. All send and
receive real media (HALQA_TEST_CLIENTS=2: two of them). The truth is kept by the clients (`tests.support.attendee`),
and what comes out must be within it: never longer than somebody can have been there, and never shorter than they
surely were by more than the heartbeat of the media server that was killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from benchmarks.school.furnish import SchoolSize, furnish, login_of
from control_api.keys import open_keys
from lms.attendance.facts import SECOND_US, microseconds
from lms.database.database import Database
from lms.database.settings import DatabaseSettings
from lms.people.tables import app_user
from tests.integration.lms.attendance.test_media_server import EXACTLY_S, HEARTBEAT_S
from tests.integration.test_up import ANY_PORTS, children_of, running
from tests.support.attendee import Attendee, at_most, one_by_one, surely
from tests.support.client_peer import NativeMedia
from tests.support.lms_process import Asking, lms_process
from tests.support.peer_school import until
from tests.unit.lms.attendance.lesson import union_length

COMING: Final = 12
STUDENTS: Final = COMING + 1
WITH_MEDIA: Final = int(os.environ.get("HALQA_TEST_CLIENTS", str(COMING)))
POLICY: Final = {"gap_merge_s": 0, "min_percent": "0", "late_after_s": 3600, "early_leave_s": 3600}
"""Nothing is merged, so that what comes out is the truth itself."""


class Lesson:
    """The class, its people, and when each of their devices was in a room."""

    def __init__(self, asking: Asking, people: list[UUID], class_id: str) -> None:
        self.asking, self.class_id = asking, class_id
        self.teacher, *self.students = people
        self.devices: dict[UUID, list[Attendee]] = {student: [] for student in self.students}

    @property
    def everybody(self) -> list[Attendee]:
        return [each for mine in self.devices.values() for each in mine]

    @property
    def staying(self) -> list[Attendee]:
        return [each for each in self.everybody if each.is_there]

    async def come(self, number: int, device: str | None = None, class_id: str | None = None) -> Attendee:
        """Have a student join with a device, by a ticket of the LMS."""
        student = self.students[number]
        asked = {} if device is None else {"device": device}
        path = f"/live-classes/{class_id or self.class_id}/join"
        ticket = await self.asking.surely("POST", path, student, json=asked)
        media = (lambda: NativeMedia(ticket["identity"])) if number < WITH_MEDIA else None
        attendee = Attendee(ticket["url"], ticket["room"], ticket["token"], media)
        self.devices[student].append(attendee)
        await attendee.come()
        return attendee

    async def counted(self, student: UUID) -> float:
        """Return how long a student was there as the LMS has it, to the microsecond."""
        path = f"/live-classes/{self.class_id}/attendance/{student}"
        person = await self.asking.surely("GET", path, self.teacher)
        stays = [
            [microseconds(datetime.fromisoformat(each[end])) for end in ("start", "end")]
            for each in person["intervals"]
        ]
        return union_length((start, end) for start, end in stays) / SECOND_US

    async def sheet(self) -> dict[str, Any]:
        """Return the attendance as the teacher sees it."""
        answer = await self.asking.surely("GET", f"/live-classes/{self.class_id}/attendance", self.teacher)
        return dict(answer)


@pytest.mark.timeout(240)
async def test_attendance_is_right_through_two_deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALQA_JOURNAL_HEARTBEAT_S", str(HEARTBEAT_S))
    people, owner, org_id = await make_school(tmp_path / "lms")
    with running("up", *ANY_PORTS, folder=tmp_path) as media:
        url = f"http://127.0.0.1:{media.read_until(r'http://localhost:([0-9]+)/class')[1]}"
        key = open_keys(tmp_path / "halqa-data").first
        known = (f"media_server.url={url}", f"media_server.key={key.key_id}:{key.secret.decode()}")
        async with lms_process(tmp_path / "lms", *known) as service, Asking(service.url, org_id) as asking:
            await asking.surely("PUT", "/attendance-policy", owner, json=POLICY, headers={"If-Match": '"0"'})
            classes = await asking.surely("GET", "/live-classes", people[0])
            [class_id] = [each["id"] for each in classes if each["title"] == "Now"]
            await asking.surely("POST", f"/live-classes/{class_id}/start", people[0])
            lesson = Lesson(asking, people, class_id)
            try:
                await asyncio.gather(*(lesson.come(number) for number in range(COMING)))
                await lesson.come(0, "phone")
                await asyncio.sleep(0.5)
                await go_and_come_back(lesson, 1)
                await break_and_come_back(lesson, 5)

                await service.kill()
                await lesson.devices[lesson.students[2]][0].go()  # who goes while the LMS is dead
                await service.start()
                await breakout(lesson)

                [child] = children_of(media.process.pid)
                staying = lesson.staying
                for each in staying:
                    each.server_dies()
                os.kill(child, signal.SIGKILL)
                await until(lambda: all(each.is_there for each in staying), "everybody is back", within_s=90)
                await asyncio.sleep(0.5)
            finally:
                await asyncio.gather(*(each.go() for each in lesson.everybody), return_exceptions=True)
            await all_gone(lesson)
            await asking.surely("POST", f"/live-classes/{class_id}/end", people[0])
            await judge(lesson, await lesson.sheet())


async def make_school(data: Path) -> tuple[list[UUID], UUID, UUID]:
    """Make a school of one course; return its teacher and students, the owner, and the organization."""
    size = SchoolSize(courses=1, people=STUDENTS + 1)
    database = await Database.open(DatabaseSettings(), data)
    try:
        org_id = await furnish(database, size, "no hash: nobody logs in")
        async with database.read(org_id) as transaction:
            rows = await transaction.rows(select(app_user.c.code, app_user.c.id).where(app_user.c.org_id == org_id))
    finally:
        await database.close()
    by_code = {row.code: row.id for row in rows}
    return [by_code[login_of(number)] for number in range(size.users)], by_code["OWN1001"], org_id


async def go_and_come_back(lesson: Lesson, number: int) -> None:
    """Have a student leave, and come back with another device after a while; and another one's phone go."""
    await lesson.devices[lesson.students[number]][0].go()
    await asyncio.sleep(1)
    await lesson.come(number, "tablet")
    await lesson.devices[lesson.students[0]][1].go()


async def break_and_come_back(lesson: Lesson, number: int) -> None:
    """Have a student's connection break, and mend itself."""
    [device] = lesson.devices[lesson.students[number]]
    device.break_off()
    await until(lambda: device.is_there, "the client is back")


async def breakout(lesson: Lesson) -> None:
    """Send two into a room of their own; one of them comes back before the class ends."""
    pair = [str(lesson.students[number]) for number in (3, 4)]
    asked = {"breakouts": [{"title": "Pair", "user_ids": pair}]}
    path = f"/live-classes/{lesson.class_id}/breakouts"
    [room] = await lesson.asking.surely("POST", path, lesson.teacher, json=asked)
    for number in (3, 4):
        await lesson.devices[lesson.students[number]][0].go()
        await lesson.come(number, class_id=room["id"])
    await asyncio.sleep(0.5)
    await lesson.devices[lesson.students[3]][1].go()
    await lesson.come(3)


async def all_gone(lesson: Lesson) -> None:
    """Wait until the LMS has read that everybody left."""
    async with asyncio.timeout(60):
        while True:
            sheet = await lesson.sheet()
            if all(row["standing"] in {"gone", "never_came"} for row in sheet["members"]):
                return
            await asyncio.sleep(0.1)


async def judge(lesson: Lesson, sheet: dict[str, Any]) -> None:
    """Hold the sheet, and every stay behind it, against the truth."""
    rows = {UUID(row["user_id"]): row for row in sheet["members"]}
    assert rows.keys() == set(lesson.students)
    assert sheet["others"] == []
    assert rows[lesson.students[-1]]["status"] == "absent"
    beyond, vague = 0.0, 0.0
    for student in lesson.students[:COMING]:
        mine = lesson.devices[student]
        least_s, most_s = surely(mine), at_most(mine)
        counted_s = await lesson.counted(student)
        known = f"{counted_s:.3f} s counted, {least_s:.3f} to {most_s:.3f} s in truth: {one_by_one(mine)}"
        assert least_s - HEARTBEAT_S <= counted_s <= most_s + EXACTLY_S, known
        assert rows[student]["present_s"] == int(counted_s), known  # whole seconds that are over
        assert rows[student]["status"] == "present"
        beyond, vague = max(beyond, least_s - counted_s), max(vague, most_s - least_s)
    print(
        f"{COMING} students, {len(lesson.everybody)} devices, LMS and media server killed: at most {beyond:.3f} s "
        f"missing, none too much; the truth is known to {vague:.3f} s"
    )
