"""The scheduler on both engines: one process at a time, again after failures and deaths, missed runs once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from lms.access.tables import LinkKind, mailed_link
from lms.api.tables import idempotency
from lms.clock import TurnedClock
from lms.codes.tables import code_attempt
from lms.database.database import Database
from lms.outbox.tables import outbox
from lms.schedule.job import RETRY_FIRST
from lms.schedule.scheduler import Scheduler
from lms.schedule.tables import Outcome, scheduled_job
from tests.support.lms import MONDAY, School

HOUR = timedelta(hours=1)


async def row_of(database: Database, name: str) -> Row[Any]:
    async with database.read_all() as transaction:
        return await transaction.one(select(scheduled_job).where(scheduled_job.c.name == name))


class Counting:
    """A job that counts, and fails when it is told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.broken = False

    async def __call__(self) -> int:
        self.runs += 1
        if self.broken:
            raise OSError("the disk is away")
        return 7


async def begun(database: Database, clock: TurnedClock, job: Any, **more: Any) -> Scheduler:
    """A scheduler that has made its rows; its own loop is stopped, so that the test turns it."""
    scheduler = Scheduler(database, clock)
    scheduler.add("count", HOUR, job, **more)
    await scheduler.start()
    await scheduler.close()
    return scheduler


async def test_when_due_and_missed_runs_once(database: Database) -> None:
    clock, job = TurnedClock(MONDAY), Counting()
    database._clock = clock  # the fixture's is the computer's
    scheduler = await begun(database, clock, job)
    assert await scheduler.run_due() == 0
    clock.turn(HOUR)
    assert [await scheduler.run_due(), await scheduler.run_due(), job.runs] == [1, 0, 1]
    clock.turn(5.5 * HOUR)
    again = await begun(database, clock, job)  # after a restart, with hours missed
    assert [await again.run_due(), await again.run_due(), job.runs] == [1, 0, 2]
    row = await row_of(database, "count")
    assert (row.outcome, row.did, row.runs, row.attempts) == (Outcome.DONE, 7, 2, 0)
    assert row.next_at == MONDAY + 7 * HOUR


async def test_failures_are_tried_again_with_growing_pauses(database: Database) -> None:
    clock, job = TurnedClock(MONDAY), Counting()
    database._clock = clock
    scheduler = await begun(database, clock, job)
    job.broken = True
    clock.turn(HOUR)
    for failures, pause in enumerate((RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST), start=1):
        assert await scheduler.run_due() == 1
        assert await scheduler.run_due() == 0
        row = await row_of(database, "count")
        assert (row.outcome, row.attempts, row.error) == (Outcome.FAILED, failures, "OSError: the disk is away")
        clock.turn(pause)
    job.broken = False
    assert await scheduler.run_due() == 1
    row = await row_of(database, "count")
    assert (row.outcome, row.attempts, row.error, row.next_at) == (Outcome.DONE, 0, None, clock.now() + HOUR)
    assert scheduler.runs == {("count", Outcome.FAILED): 3, ("count", Outcome.DONE): 1}


async def test_one_process_at_a_time(database: Database) -> None:
    clock = TurnedClock(MONDAY)
    database._clock = clock
    running, most, release = 0, 0, asyncio.Event()

    async def work() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1
        return 0

    several = [await begun(database, clock, work) for _ in range(4)]
    clock.turn(HOUR)
    tasks = [asyncio.create_task(each.run_due()) for each in several]
    async with asyncio.timeout(20):
        while sum(task.done() for task in tasks) < 3:  # who comes second finds nothing to do
            await asyncio.sleep(0.01)
    release.set()
    assert sorted(await asyncio.gather(*tasks)) == [0, 0, 0, 1]
    assert most == 1


async def test_a_process_that_died_is_followed_by_another(database: Database) -> None:
    clock, job = TurnedClock(MONDAY), Counting()
    database._clock = clock
    scheduler = await begun(database, clock, job, timeout_s=30)
    clock.turn(HOUR)
    async with database.write_all() as transaction:  # as a killed one leaves it
        held = {"holder": "dead:1", "lease_until": clock.now() + timedelta(seconds=90)}
        await transaction.execute(update(scheduled_job).values(held))
    assert await scheduler.run_due() == 0
    clock.turn(91)
    assert [await scheduler.run_due(), job.runs] == [1, 1]


async def test_what_is_stopped_is_given_back(database: Database) -> None:
    clock, begun_at_all = TurnedClock(MONDAY), asyncio.Event()
    database._clock = clock

    async def forever() -> int:
        begun_at_all.set()
        await asyncio.Event().wait()
        return 0

    scheduler = await begun(database, clock, forever)
    clock.turn(HOUR)
    await scheduler.start()
    async with asyncio.timeout(20):
        await begun_at_all.wait()
    await scheduler.close()
    row = await row_of(database, "count")
    assert (row.holder, row.outcome) == (None, Outcome.LOST)
    assert row.next_at <= clock.now()


async def test_who_was_too_slow_changes_nothing(database: Database) -> None:
    """Its lease went to another: what that one noted stays."""
    clock = TurnedClock(MONDAY)
    database._clock = clock
    fast = Counting()

    async def slow() -> int:
        clock.turn(timedelta(days=1))
        assert await other.run_due() == 1
        return 99

    scheduler, other = await begun(database, clock, slow), await begun(database, clock, fast)
    clock.turn(HOUR)
    await scheduler.run_due()
    row = await row_of(database, "count")
    assert (row.did, row.outcome) == (7, Outcome.DONE)
    assert scheduler.runs == {("count", Outcome.LOST): 1}


async def test_the_jobs_of_a_school(school: School) -> None:
    """Everything old goes, and everybody who may sees that it did."""
    new_id, person = school.parts.ids.new, school.student.id
    await school.parts.schedule.close()
    async with school.database.write(school.org_id) as transaction:
        now, own = transaction.now, {"org_id": school.org_id}
        link = {"user_id": person, "kind": LinkKind.RESET, "email": "a@example.org", "created_at": now}
        await transaction.execute(insert(mailed_link).values(own | link | {"id": new_id(), "expires_at": now}))
        attempt = {"id": new_id(), "user_id": person, "at": now, "succeeded": False}
        await transaction.execute(insert(code_attempt).values(own | attempt))
        kept = {"user_id": person, "key": "k", "request_hash": b"", "created_at": now}
        await transaction.execute(insert(idempotency).values(own | kept))
        await school.parts.outbox.send(transaction, "nobody listens", key="k", payload={})
    await school.parts.relay.run_once()
    school.clock.turn(timedelta(days=40))
    assert await school.parts.schedule.run_due() == len(school.parts.schedule.jobs)
    async with school.database.read(school.org_id) as transaction:
        for table in (mailed_link, code_attempt, idempotency, outbox):
            assert await transaction.value(select(func.count()).select_from(table)) == 0, table.name
    admin, teacher = (replace(each, token=school.token(each.id)) for each in (school.admin, school.teacher))
    jobs = (await school.get("/jobs", as_=admin)).data
    assert len(jobs) == len(school.parts.schedule.jobs)
    assert {each["outcome"] for each in jobs} == {"done"}
    assert not any(each["running"] for each in jobs)
    assert (await school.get("/jobs", as_=teacher)).status == 403
