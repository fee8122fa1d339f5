"""Attendance out of a real media server: its feed is read through breaks, and a class survives `kill -9` of the server.

HALQA_TEST_CLIENTS=12 is the proof; fewer are enough to see that it works.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import select, update

from control_api.client import ControlClient, Patience
from control_api.contract import Role as MediaRole
from control_api.keys import open_keys
from lms.access.roles import Role
from lms.attendance.feed_reader import FeedReader
from lms.attendance.tables import attendance_event, attendance_feed
from lms.classes.room import identity_of
from lms.clock import SystemClock
from lms.database.settings import DatabaseSettings
from signaling.client import KeyHolder
from tests.integration.test_up import ANY_PORTS, children_of, running
from tests.support.attendee import Attendee, at_most, one_by_one, surely
from tests.support.client_peer import NativeMedia
from tests.support.control_service import running as running_media
from tests.support.lms import School, running_school
from tests.support.lms_attendance import HeldClass, hold_class
from tests.support.peer_school import until

STUDENTS = max(4, int(os.environ.get("HALQA_TEST_CLIENTS", "4")))
HEARTBEAT_S = 1.0
EXACTLY_S = 0.001
"""Two clocks of one computer, and times to the microsecond."""
ONCE = Patience(attempts=1)


async def hold_now(school: School, count: int) -> HeldClass:
    """Begin a class at this moment, with so many students."""
    parts = school.parts
    students = [(await school.person(Role.STUDENT)).id for _ in range(count)]
    begin = datetime.now(UTC)
    return await hold_class(
        school.database, parts.ids, parts.outbox, school.org_id, "al-noor", students, school.teacher.id, begin=begin
    )


async def count_facts(school: School) -> int:
    async with school.database.read(school.org_id) as transaction:
        rows = await transaction.rows(select(attendance_event.c.seq).where(attendance_event.c.org_id == school.org_id))
        return len(rows)


async def read_facts(reader: FeedReader, school: School, count: int) -> None:
    """Read until so many facts are kept, and no more: what is told is on the server's disk first."""
    async with asyncio.timeout(10):
        while await count_facts(school) < count:
            await reader.read_once()
    assert await count_facts(school) == count


async def test_the_feed_is_read_through_breaks_and_from_anew(tmp_path: Path, school: School) -> None:
    held = await hold_now(school, 4)
    async with running_media(tmp_path / "media") as media:
        reader = FeedReader(school.database, media.control, "media", wait_s=0)
        amal = await media.join(held.room, identity_of(held.students[0]))
        await read_facts(reader, school, 2)  # the room began, and somebody is in it
        assert await reader.read_once() == 0
        await media.join("somebody-elses-room", "guest")
        await media.join(held.room, identity_of(held.students[0], "phone"))

        again = FeedReader(school.database, media.control, "media", wait_s=0)  # a new process reads on
        await read_facts(again, school, 3)
        await amal.say(type="leave", id=2)
        await amal.hear_close()

        for gone in ("deadbeef-5", "00000000-1"):
            async with school.database.write_all() as transaction:
                await transaction.execute(update(attendance_feed).values(cursor=gone))
            assert await again.read_once() == 0
            await read_facts(again, school, 4)
        assert again.begun_anew == 2

        told: list[int] = []
        following = FeedReader(school.database, media.control, "media", wait_s=1)
        following.on_facts(lambda kept: told.append(len(kept)))
        following.start()
        await media.join(held.room, identity_of(held.students[1]))
        await until(lambda: sum(told) >= 1, "the reader tells of new facts")
        await following.close()
    async with ControlClient("http://127.0.0.1:1", "key", "secret", patience=ONCE) as nobody:
        failing = FeedReader(school.database, nobody, "media")
        failing.start()
        await until(lambda: failing.failures > 1, "nobody answers, and it is tried again")
        await failing.close()


@pytest.mark.timeout(180)
async def test_7_a_class_survives_a_kill_within_a_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Any = SystemClock()
    monkeypatch.setenv("HALQA_JOURNAL_HEARTBEAT_S", str(HEARTBEAT_S))
    with running("up", *ANY_PORTS, folder=tmp_path) as program:
        port = int(program.read_until(r"http://localhost:(\d+)/class")[1])
        url = f"http://127.0.0.1:{port}"
        async with running_school(tmp_path / "lms", DatabaseSettings(), clock=clock) as school:
            key = open_keys(tmp_path / "halqa-data").first
            async with ControlClient(url, key.key_id, key.secret.decode()) as control:
                reader = FeedReader(school.database, control, "media", wait_s=1)
                reader.start()
                try:
                    await teach(school, program.process.pid, url, tmp_path)
                finally:
                    await reader.close()


async def teach(school: School, supervisor: int, url: str, folder: Path) -> None:
    """Hold a class: two devices, one who goes and comes back, one who never comes, and a server that is killed."""
    held = await hold_now(school, STUDENTS)
    rules = {"gap_merge_s": 0, "min_percent": "0", "late_after_s": 3600, "early_leave_s": 3600}
    assert (await school.put("/attendance-policy", rules, as_=school.admin, version=0)).status == 200
    key = open_keys(folder / "halqa-data").first

    def device(student: UUID, name: str | None = None) -> Attendee:
        identity = identity_of(student, name)
        token = KeyHolder(key.key_id, key.secret, held.room, identity, role=MediaRole.STUDENT)
        return Attendee(url, held.room, token, lambda: NativeMedia(identity))

    coming = held.students[:-1]
    devices = {student: [device(student)] for student in coming}
    devices[coming[0]].append(device(coming[0], "phone"))
    everybody = [each for mine in devices.values() for each in mine]
    try:
        for each in everybody:
            await each.come()
        await asyncio.sleep(1)
        leaver = devices[coming[1]][0]
        await leaver.go()
        await asyncio.sleep(1.5)
        devices[coming[1]].append(device(coming[1]))
        everybody.append(devices[coming[1]][-1])
        await everybody[-1].come()
        await devices[coming[0]][1].go()  # the phone; the laptop stays
        await asyncio.sleep(1)

        staying = [each for each in everybody if each.is_there]
        (child,) = children_of(supervisor)
        for each in staying:
            each.server_dies()
        os.kill(child, signal.SIGKILL)
        await until(lambda: all(each.is_there for each in staying), "everybody is back", within_s=60)
        await asyncio.sleep(1)
    finally:
        for each in everybody:
            await each.go()
    await asyncio.sleep(0)
    path = f"/live-classes/{held.class_id}/attendance"

    async def all_gone() -> bool:
        sheet = (await school.get(path, as_=school.teacher)).data
        return all(row["standing"] in {"gone", "never_came"} for row in sheet["members"])

    async with asyncio.timeout(30):
        while not await all_gone():
            await asyncio.sleep(0.1)
    await held.end(time.time() - held.begin.timestamp())
    await held.settle()
    sheet = (await school.get(path, as_=school.teacher)).data
    rows = {UUID(row["user_id"]): row for row in sheet["members"]}
    assert rows[held.students[-1]]["status"] == "absent"
    for student, mine in devices.items():
        assert rows[student]["status"] == "present"
        counted_s, least_s, most_s = rows[student]["present_s"], surely(mine), at_most(mine)
        # What is counted are whole seconds that are over.
        assert least_s - HEARTBEAT_S - 1 < counted_s <= most_s + EXACTLY_S, f"{counted_s} s: {one_by_one(mine)}"
    async with aiohttp.ClientSession() as http, http.get(f"{url}/livez") as answer:
        assert answer.status == 200
