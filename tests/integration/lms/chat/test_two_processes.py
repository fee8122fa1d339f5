"""Two processes on one PostgreSQL: who listens at one hears what is said at the other, in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from lms.access.settings import TokenSettings
from lms.database.settings import DatabaseSettings
from lms.live.settings import LiveSettings
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings
from tests.integration.lms.chat.test_messages import course_room
from tests.support.lms import CHEAP_PASSWORDS, GENEROUS, School, running_school
from tests.support.lms_live import connect

TOKENS = TokenSettings(secrets=("x" * 40,))
LIVE = LiveSettings(offline_after_s=0.2)
ON_POSTGRESQL = pytest.mark.parametrize("database_settings", ["postgresql"], indirect=True)


@asynccontextmanager
async def two(folder: Path, settings: DatabaseSettings) -> AsyncIterator[tuple[School, LmsService]]:
    async with running_school(folder, settings, tokens=TOKENS, live=LIVE) as school:
        chosen = LmsSettings(
            data=folder, database=settings, http=HttpSettings(port=0), tokens=TOKENS, live=LIVE,
            rate_limits=GENEROUS, passwords=CHEAP_PASSWORDS,
        )  # fmt: skip
        second = await LmsService.start(chosen, clock=school.clock)
        try:
            yield school, second
        finally:
            await second.close()


@ON_POSTGRESQL
async def test_one_order_at_both(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with two(tmp_path, database_settings) as (school, second):
        room = await course_room(school)
        here = await connect(school, school.teacher)
        await here.ask("community:join", room_id=room)
        there = await connect(school, school.student, url=second.url)
        await here.until("user:online", user_id=str(school.student.id))
        joined = await there.ask("community:join", room_id=room)
        assert str(school.teacher.id) in joined["present"]
        await asyncio.gather(
            *(client.say(room, f"{name}{number}") for number in range(10) for name, client in
              (("a", here), ("b", there)))
        )  # fmt: skip
        for client in (here, there):
            await client.until("community:message", count=20)
        assert here.bodies() == there.bodies()
        assert [each["change"] for each in there.of("community:message")] == list(range(1, 21))
        await there.ask("community:typing", room_id=room)
        await here.until("community:typing")
        await there.ask("private:message", user_id=str(school.teacher.id), body="Psst", client_id="12345678")
        await here.until("private:message")
        await there.close()
        await here.until("user:offline", user_id=str(school.student.id))
        await here.close()


@ON_POSTGRESQL
async def test_notes_that_got_lost_are_made_up_for(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with two(tmp_path, database_settings) as (school, second):
        room = await course_room(school)
        here = await connect(school, school.teacher)
        there = await connect(school, school.student, url=second.url)
        for client in (here, there):
            await client.ask("community:join", room_id=room)
        async with school.database.write_all() as transaction:
            await transaction.connection.execute(text("RESET ROLE"))
            await transaction.connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'halqa lms live'")
            )
        for number in range(5):
            await here.say(room, str(number))
        await there.until("community:message", count=5)
        assert there.bodies() == [str(number) for number in range(5)]
        await here.close()
        await there.close()
