"""Events in any order, twice, in pieces, with the LMS dying in between: what is stored is what the facts say.

HALQA_TEST_EXAMPLES=200 is the proof (more are not made); a few are enough to see that it works.
"""

from __future__ import annotations

import contextlib
import os
import random

import pytest
from sqlalchemy import func, select

from lms.access.roles import Role
from lms.attendance.computing import settle
from lms.attendance.facts import fact_of
from lms.attendance.intervals import Place
from lms.attendance.keeping import keep_page
from lms.attendance.policy import Policy
from lms.attendance.sheet import Roster, Run, Sheet, fill_sheet
from lms.attendance.store import read_results
from lms.attendance.tables import attendance_event, attendance_history
from lms.classes.room import room_name
from lms.outbox.tables import outbox
from tests.support.lms import School
from tests.support.lms_attendance import HeldClass, hold_class
from tests.unit.lms.attendance.lesson import BEGIN_US, KINDS, MediaServer, play, us

EXAMPLES_MAX = 200  # each is a class in both databases, told some forty times
EXAMPLES = min(EXAMPLES_MAX, int(os.environ.get("HALQA_TEST_EXAMPLES", "3")))


class Broken(Exception):
    """The LMS dies before it commits."""


async def deliver(held: HeldClass, server: MediaServer, chance: random.Random) -> None:
    """Tell everything at least once: in pages of any size and order, some twice, some in a process that dies."""
    events = held.told(server)
    pages = []
    while events:
        size = chance.randint(1, 6)
        pages.append(events[:size])
        events = events[size:]
    pages += [page for page in pages if chance.random() < 0.3]
    chance.shuffle(pages)
    for page in pages:
        if chance.random() < 0.2:
            with contextlib.suppress(Broken):
                async with held.database.write_all() as transaction:
                    await keep_page(transaction, "media", page, "00000000-9", is_newest=True)
                    raise Broken
        await held.keep(page, cursor=f"00000000-{chance.randint(1, 9)}", is_newest=chance.random() < 0.5)


def expected(held: HeldClass, server: MediaServer, ended_s: float) -> Sheet:
    """Return what the facts say, told once and in order."""
    facts = [fact for event in held.told(server) if (fact := fact_of(event)) is not None]
    places = {held.room: Place.MAIN, room_name(held.slug, held.breakout_id): Place.BREAKOUT}
    run = Run(BEGIN_US, us(ended_s), None, places)
    roster = Roster([str(each) for each in held.students])
    return fill_sheet(facts, run, roster, Policy(), now_us=us(ended_s + 3600))


@pytest.mark.timeout(600)
async def test_2_3_7_delivery_in_any_order_and_number_changes_nothing(school: School) -> None:
    parts = school.parts
    students = [(await school.person(Role.STUDENT)).id for _ in range(4)]
    for seed in range(EXAMPLES):
        chance = random.Random(seed)
        held = await hold_class(
            school.database, parts.ids, parts.outbox, school.org_id, "al-noor", students, school.teacher.id
        )
        script = [
            (chance.choice(KINDS), chance.randrange(4), chance.randrange(120_000) / 1000)
            for _ in range(chance.randint(1, 30))
        ]
        server = play(script, MediaServer(node=f"media-{seed}"))
        ended_s = chance.uniform(1, server.now + 1)
        await deliver(held, server, chance)
        await held.end(ended_s)
        with contextlib.suppress(Broken):
            async with school.database.write(school.org_id) as transaction:
                await settle(transaction, parts.ids, parts.outbox, held.run_id, reason="facts")
                raise Broken
        await held.settle()
        truth = expected(held, server, ended_s)
        async with school.database.read(school.org_id) as transaction:
            rows = {str(row.user_id): row for row in await read_results(transaction, [held.run_id])}
            before = await counts(school)
        assert {
            each.identity: (each.status, each.present_s, each.percent, each.joins, each.late_s, each.early_s)
            for each in truth.members
        } == {
            user_id: (row.status, row.present_s, row.percent, row.joins, row.late_s, row.early_s)
            for user_id, row in rows.items()
        }, f"seed {seed}"
        await deliver(held, server, chance)  # all of it again
        assert await held.settle() == []
        assert await counts(school) == before


async def counts(school: School) -> tuple[int, ...]:
    """Return how many rows there are of what must not grow by repetition."""
    async with school.database.read(school.org_id) as transaction:
        return tuple(
            [
                await transaction.value(select(func.count()).select_from(table).where(table.c.org_id == school.org_id))
                for table in (attendance_event, attendance_history, outbox)
            ]
        )
