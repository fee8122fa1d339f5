"""Classes that are held, with a real media server: start, join, wait, lock, divide, end, and what it tells of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from control_api.client import ControlClient
from lms.access.roles import Role
from lms.classes.room import RUN_MAX
from lms.classes.told import ClassJobs
from lms.clock import TurnedClock
from lms.database.settings import DatabaseSettings
from lms.settings import MediaServerSettings
from signaling.client import Room
from signaling.client.errors import ClassOverError, NotAllowedInError
from signaling.client.events import Knocked, RoomState
from tests.integration.lms.classes.test_courses import enrol, make_course
from tests.support.lms import Person, School, running_school
from tests.support.media_process import MediaProcess, media_process
from tests.support.peer_school import until

ONLY_SQLITE = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)


@asynccontextmanager
async def school_with_media(
    folder: Path, database_settings: DatabaseSettings, **settings: Any
) -> AsyncIterator[tuple[School, MediaProcess, ControlClient]]:
    """Run a media server in a process of its own, and an LMS that knows it."""
    (folder / "media").mkdir()
    async with media_process(folder / "media") as media:
        key = media.key
        chosen = MediaServerSettings(url=media.url, key=f"{key.key_id}:{key.secret.decode()}")
        clock = TurnedClock(datetime.now(UTC))
        async with (
            running_school(folder, database_settings, clock=clock, media_server=chosen, **settings) as school,
            ControlClient(media.url, key.key_id, key.secret.decode()) as control,
        ):
            yield school, media, control


async def plan_now(school: School, course_id: str | None, **more: Any) -> str:
    now = school.clock.now().replace(microsecond=0)
    times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat()}
    body = {"title": "Algebra", "course_id": course_id, **times, **more}
    answer = await school.post("/live-classes", body, as_=school.teacher)
    assert answer.status == 201, answer.body
    return f"/live-classes/{answer.data['id']}"


async def take_seat(school: School, path: str, person: Person, **body: Any) -> tuple[Room, dict[str, Any]]:
    """Ask the LMS for a token and make the room's client of it."""
    answer = await school.post(f"{path}/join", body, as_=person)
    assert answer.status == 200, answer.body
    ticket: dict[str, Any] = answer.data
    return Room(ticket["url"], ticket["room"], ticket["token"]), ticket


async def rooms_become(control: ControlClient, expected: set[str]) -> None:
    """Wait until these are the school's rooms; the outbox ends those that are not to be."""
    async with asyncio.timeout(15):
        while {each.name async for each in control.all_rooms(prefix="al-noor.")} != expected:
            await asyncio.sleep(0.05)


async def until_open(control: ControlClient, room: str) -> None:
    async with asyncio.timeout(15):
        while (await control.get_room(room)).door.value != "open":
            await asyncio.sleep(0.05)


@pytest.mark.timeout(120)
async def test_a_class_from_start_to_end(tmp_path: Path, database_settings: DatabaseSettings) -> None:
    async with school_with_media(tmp_path, database_settings) as (school, media, control):
        course_id = await make_course(school)
        late = await school.person(Role.STUDENT)
        await enrol(school, course_id, school.student, late)
        path = await plan_now(school, course_id)
        assert (await school.post(f"{path}/join", {}, as_=school.student)).code == "not_now"
        assert (await school.post(f"{path}/start", as_=school.student)).status == 403
        assert (await school.post(f"{path}/start", as_=school.other.teacher)).status == 404

        pressed = await asyncio.gather(*(school.post(f"{path}/start", as_=school.teacher) for _ in range(3)))
        assert [each.status for each in pressed] == [200] * 3
        [run_id] = {each.data["run"]["id"] for each in pressed}
        room = f"al-noor.{run_id.replace('-', '')}"
        # Rooms of those who were second are ended; the outbox sees to it.
        await rooms_become(control, {room})

        for stranger in (school.other.student, await school.person(Role.STUDENT), await school.person(Role.TEACHER)):
            assert (await school.post(f"{path}/join", {}, as_=stranger)).status == 404
        teacher, ticket = await take_seat(school, path, school.teacher)
        assert (ticket["seat"], ticket["room"], ticket["url"]) == ("teacher", room, media.url)
        assert ticket["link"].startswith(f"{media.url}/class#room={room}&token=")
        student, seat = await take_seat(school, path, school.student)
        phone, _ = await take_seat(school, path, school.student, device="phone")
        assert (seat["seat"], seat["identity"]) == ("student", str(school.student.id))
        async with teacher, student, phone:
            await until(lambda: len(teacher.participants) == 2, "both devices of the student are in the room")
            names = {each.name for each in teacher.participants.values()}
            assert names == {school.student.name}

            locked = await school.post(f"{path}/lock", {"locked": True}, as_=school.teacher)
            assert locked.data["locked"]
            shut_out, _ = await take_seat(school, path, late)
            with pytest.raises(NotAllowedInError):
                await shut_out.connect()
            await school.post(f"{path}/lock", {"locked": False}, as_=school.teacher)
            let_in, _ = await take_seat(school, path, late)
            async with let_in:
                ended = await school.post(f"{path}/end", as_=school.teacher)
                assert (ended.data["status"], ended.data["run"]) == ("ended", None)
                for each in (student, phone, let_in):
                    await asyncio.wait_for(each.wait_closed(), 10)
                    assert isinstance(each.closed, ClassOverError)
        back = Room(seat["url"], seat["room"], seat["token"])
        with pytest.raises(NotAllowedInError):  # the token still holds, and opens nothing
            await back.connect()
        assert (await school.post(f"{path}/join", {}, as_=school.student)).code == "not_now"

        again = await school.post(f"{path}/start", as_=school.teacher)
        assert again.data["run"]["id"] != run_id
        runs = (await school.get(f"{path}/runs", as_=school.student)).data
        assert [each["end_reason"] for each in runs] == [None, "ended"]


@ONLY_SQLITE
@pytest.mark.timeout(120)
async def test_waiting_room_and_breakouts(tmp_path: Path, database_settings: DatabaseSettings) -> None:
    async with school_with_media(tmp_path, database_settings) as (school, _, control):
        course_id = await make_course(school)
        other = await school.person(Role.STUDENT)
        await enrol(school, course_id, school.student, other)
        path = await plan_now(school, course_id, settings={"waiting_room": True, "students_publish": ["microphone"]})
        refused = await school.post(f"{path}/breakouts", {"breakouts": [{"title": "A"}]}, as_=school.teacher)
        assert refused.code == "not_now"
        await school.post(f"{path}/start", as_=school.teacher)
        teacher, ticket = await take_seat(school, path, school.teacher)
        student, _ = await take_seat(school, path, school.student)
        async with teacher:
            joining = asyncio.create_task(student.connect())
            knock = await teacher.next(Knocked)
            assert student.state is not RoomState.CONNECTED
            await teacher.admit(knock.visitor.id)
            await asyncio.wait_for(joining, 10)
            open_door = {"settings": {"waiting_room": False}}
            assert (await school.patch(path, open_door, as_=school.teacher, version=2)).status == 200
            walks_in, _ = await take_seat(school, path, other)
            await until_open(control, ticket["room"])
            async with walks_in:
                assert walks_in.state is RoomState.CONNECTED
            body = {"breakouts": [{"title": "A", "user_ids": [str(school.student.id)]}, {"title": "B"}]}
            made = await school.post(f"{path}/breakouts", body, as_=school.teacher)
            assert made.status == 201, made.body
            first, second = (f"/live-classes/{each['id']}" for each in made.data)
            assert {each["run"]["parent_run_id"] for each in made.data} == {
                (await school.get(path, as_=school.teacher)).data["run"]["id"]
            }
            assert (await school.post(f"{first}/join", {}, as_=other)).status == 404
            inside, _ = await take_seat(school, first, school.student)
            async with inside:
                assert (await school.post(f"{second}/join", {}, as_=other)).data["seat"] == "student"
                assert (await school.post(f"{first}/join", {}, as_=school.teacher)).data["seat"] == "teacher"
                nested = await school.post(f"{first}/breakouts", {"breakouts": [{"title": "x"}]}, as_=school.teacher)
                assert nested.code == "not_now"
                await school.post(f"{path}/end", as_=school.teacher)
                await asyncio.wait_for(inside.wait_closed(), 10)
                assert isinstance(inside.closed, ClassOverError)
            await student.leave()
        parent_id = path.rpartition("/")[2]
        children = (await school.get("/live-classes", as_=school.teacher, parent_id=parent_id)).data
        assert [each["status"] for each in children] == ["ended", "ended"]
        assert [each["end_reason"] for each in (await school.get(f"{first}/runs", as_=school.teacher)).data] == [
            "parent_ended"
        ]
        await rooms_become(control, set())


@ONLY_SQLITE
@pytest.mark.timeout(120)
async def test_a_class_ended_in_the_room_or_by_nobody(tmp_path: Path, database_settings: DatabaseSettings) -> None:
    async with school_with_media(tmp_path, database_settings) as (school, _, control):
        course_id = await make_course(school)
        path = await plan_now(school, course_id)
        await school.post(f"{path}/start", as_=school.teacher)
        teacher, _ = await take_seat(school, path, school.teacher)
        await teacher.connect()
        await teacher.end_class("done")

        async def is_ended() -> bool:
            await school.parts.relay.run_once()
            return bool((await school.get(path, as_=school.teacher)).data["status"] == "ended")

        async with asyncio.timeout(30):
            while not await is_ended():
                await asyncio.sleep(0.1)
        runs = (await school.get(f"{path}/runs", as_=school.teacher)).data
        assert [each["end_reason"] for each in runs] == ["room_ended"]

        await school.post(f"{path}/start", as_=school.teacher)
        jobs = ClassJobs(school.parts, school.parts.media)
        assert await jobs.end_overdue() == 0
        await school.parts.schedule.close()  # which has the same job
        school.clock.turn(RUN_MAX + timedelta(minutes=1))
        assert await jobs.end_overdue() == 1
        assert await jobs.end_overdue() == 0
        runs = (await school.get(f"{path}/runs", as_=school.teacher)).data
        assert [each["end_reason"] for each in runs] == ["timeout", "room_ended"]
        await rooms_become(control, set())


@ONLY_SQLITE
async def test_without_a_media_server_nothing_is_half_started(school: School) -> None:
    path = await plan_now(school, None)
    answer = await school.post(f"{path}/start", as_=school.teacher)
    assert (answer.status, answer.code) == (503, "media_unavailable")
    assert (await school.get(path, as_=school.teacher)).data["status"] == "scheduled"
    assert (await school.get(f"{path}/runs", as_=school.teacher)).data == []
