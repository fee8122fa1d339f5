"""No message that was acknowledged is lost or there twice when the LMS dies by kill -9, and all readers see one order.

HALQA_TEST_KILLS says how often it dies; 50 is the proof.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import aiohttp
import pytest

from lms.access.access_tokens import Claims, sign
from lms.access.roles import Role
from lms.access.settings import TokenSettings
from lms.database.settings import DatabaseSettings
from tests.integration.lms.chat.test_messages import course_room
from tests.support.lms import running_school
from tests.support.lms_live import LiveClient, RefusedError, connect_to
from tests.support.lms_process import SECRET, LmsProcess, lms_process

KILLS: Final = int(os.environ.get("HALQA_TEST_KILLS", "1"))
WRITERS: Final = 4
MESSAGES_BETWEEN: Final = 20
BETWEEN_S_MAX: Final = 0.5
CLOSED: Final = (ConnectionError, TimeoutError, aiohttp.ClientError)


@dataclass
class Ground:
    """A service that dies now and then, and people who do not mind."""

    service: LmsProcess
    http: aiohttp.ClientSession
    org_id: UUID
    room: str
    over: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)

    def token(self, person_id: UUID) -> str:
        return sign(Claims(self.org_id, person_id, 1), SECRET, now=datetime.now(UTC), lifetime_s=3600)

    async def connect(self, person_id: UUID, marks: dict[str, int]) -> LiveClient:
        """Come back, however often it takes."""
        while True:
            try:
                return await connect_to(self.http, self.service.url, token=self.token(person_id), after=marks)
            except CLOSED:
                await asyncio.sleep(0.05)
            except RefusedError as error:  # it is about to end, or has just begun
                assert error.code in {"unavailable", "too_many_connections"}
                await asyncio.sleep(0.2)

    async def write(self, number: int, person_id: UUID) -> None:
        """Send messages, each until it is acknowledged."""
        sent = 0
        while not self.over.is_set():
            client = await self.connect(person_id, {})
            try:
                while not self.over.is_set():
                    name = f"writer-{number}/{sent:06}"
                    asked = {"room_id": self.room, "body": f"{number}.{sent}", "client_id": name}
                    result = await client.ask("community:message", **asked)
                    self.acknowledged[name] = result["message"]
                    sent += 1
                    await asyncio.sleep(0.005)
            except CLOSED:
                pass
            finally:
                await client.close()

    async def read(self, person_id: UUID, heard: list[tuple[int, str]]) -> None:
        """Listen from the beginning on, over all deaths."""
        marks = {self.room: 0}
        while not (self.over.is_set() and len(heard) >= len(self.acknowledged)):
            client = await self.connect(person_id, marks)
            try:
                while (
                    not (
                        self.over.is_set()
                        and len(heard) + len(client.of("community:message")) >= len(self.acknowledged)
                    )
                    and client.close_code is None
                ):
                    await asyncio.sleep(0.02)
            finally:
                await client.close()
                heard += [(each["message"]["seq"], each["message"]["id"]) for each in client.of("community:message")]
                marks |= {room: mark for room, mark in client.marks.items() if room == self.room}


async def kill(ground: Ground) -> None:
    """Have the service die at moments of chance, each time after some messages, however long those take."""
    for _ in range(KILLS):
        await some_more(ground)
        await asyncio.sleep(random.uniform(0, BETWEEN_S_MAX))
        await ground.service.kill()
        await ground.service.start()
    await some_more(ground)
    ground.over.set()


async def some_more(ground: Ground) -> None:
    wanted = len(ground.acknowledged) + MESSAGES_BETWEEN
    while len(ground.acknowledged) < wanted:
        await asyncio.sleep(0.02)


@pytest.mark.timeout(120 + 30 * KILLS)
async def test_no_acknowledged_message_is_lost(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with running_school(tmp_path, database_settings, tokens=TokenSettings(secrets=(SECRET,))) as school:
        people = [await school.person(Role.STUDENT) for _ in range(WRITERS)]
        room = await course_room(school, *people, school.student)
        org_id, readers = school.org_id, [school.student, school.teacher]
    settings = []
    if database_settings.url is not None:
        settings.append(f"database.url={database_settings.url}")
    heard: list[list[tuple[int, str]]] = [[] for _ in readers]
    async with lms_process(tmp_path, *settings) as service, aiohttp.ClientSession() as http:
        ground = Ground(service, http, org_id, room)
        async with asyncio.TaskGroup() as tasks:
            for number, person in enumerate(people):
                tasks.create_task(ground.write(number, person.id))
            for reader, own in zip(readers, heard, strict=True):
                tasks.create_task(ground.read(reader.id, own))
            tasks.create_task(kill(ground))
        messages = await read_all(ground, school.teacher.id)
    assert [each["seq"] for each in messages] == list(range(1, len(messages) + 1))
    by_name = {each["client_id"]: each for each in messages}
    assert len(by_name) == len(messages), "a message is there twice"
    assert len(ground.acknowledged) > WRITERS
    for name, acknowledged in ground.acknowledged.items():
        assert (by_name[name]["id"], by_name[name]["seq"]) == (acknowledged["id"], acknowledged["seq"]), name
    assert len(messages) - len(ground.acknowledged) <= WRITERS  # one each may be kept and not yet acknowledged
    for own in heard:
        assert own == [(each["seq"], each["id"]) for each in messages][: len(own)], "a reader saw another order"
    for number in range(WRITERS):
        bodies = [each["body"] for each in messages if each["body"].startswith(f"{number}.")]
        assert bodies == [f"{number}.{sent}" for sent in range(len(bodies))]


async def read_all(ground: Ground, person_id: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    headers = {"Authorization": f"Bearer {ground.token(person_id)}"}
    while True:
        after = found[-1]["seq"] if found else 0
        address = f"{ground.service.url}/api/v1/rooms/{ground.room}/messages?limit=100&after={after}"
        async with ground.http.get(address, headers=headers) as answer:
            page = (await answer.json())["data"]
        found += page
        if len(page) < 100:
            return found
