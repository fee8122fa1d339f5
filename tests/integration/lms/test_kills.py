"""Nothing that was acknowledged is lost or there twice, whoever is killed: a checker of histories over random kill -9.

Writers grade, write in the chat, make groups, and come and go in a class on a real media server, while the LMS, all of
PostgreSQL, or one of its backends dies at random. A write is acknowledged, refused, or of unknown fate (the connection
broke); afterwards the database is held against that. HALQA_TEST_KILLS is how often something dies; 50 is the proof.
HALQA_TEST_SEED repeats a run's choices.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from benchmarks.joins.server import ONE_COMPUTER_IS_A_SCHOOL
from benchmarks.postgresql import Cluster, running_cluster
from benchmarks.school.furnish import NODE, SchoolSize, furnish, login_of
from control_api.client import ControlClient
from control_api.contract import EventQuery
from lms.attendance.facts import FactKind, fact_of
from lms.attendance.tables import attendance_event
from lms.audit.record import FIRST_HASH
from lms.audit.tables import audit_log
from lms.chat.tables import chat_message
from lms.courses.tables import course_group
from lms.database.database import Database
from lms.database.settings import DatabaseSettings
from lms.database.transaction import Transaction
from lms.grades.events import UPDATED
from lms.grades.tables import grade, grade_history
from lms.outbox.tables import outbox
from lms.people.tables import app_user
from signaling.client import Room
from signaling.client.errors import RoomClosedError
from tests.integration.test_up import children_of
from tests.support.lms_process import Asking, LmsProcess, lms_process
from tests.support.media_process import MediaProcess, media_process

KILLS: Final = int(os.environ.get("HALQA_TEST_KILLS", "2"))
SEED: Final = os.environ.get("HALQA_TEST_SEED", "7")
SIZE: Final = SchoolSize(courses=1, people=6)
BETWEEN_S: Final = (0.2, 1.2)
"""How long writers write between two deaths."""
LAST: Final = 3
"""Who comes to the class when all others have left for good."""
GROUPS_MAX: Final = 150
"""A course has no more than 200."""


@dataclass
class Written:
    """What became of writes, by what makes each the one that it is."""

    acknowledged: dict[str, Any] = field(default_factory=dict)
    """With what was answered."""
    unknown: set[str] = field(default_factory=set)


@dataclass
class Ground:
    """Everything that runs, and whom one may ask as."""

    folder: Path
    service: LmsProcess
    media: MediaProcess
    cluster: Cluster | None
    settings: DatabaseSettings
    org_id: UUID
    people: list[UUID]
    asking: Asking
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, method: str, path: str, person: int, **request: Any) -> tuple[int, Any] | None:
        """Ask once as somebody; None where nobody knows what became of it."""
        return await self.asking.ask(method, path, self.people[person], **request)

    async def surely(self, method: str, path: str, person: int, **request: Any) -> Any:
        """Ask until somebody answers."""
        return await self.asking.surely(method, path, self.people[person], **request)

    async def kill(self, chance: random.Random) -> str:
        """Kill one of them and bring it back."""
        victims = ["lms"] if self.cluster is None else ["lms", "postgresql", "backend"]
        victim = chance.choice(victims)
        if victim == "lms" or self.cluster is None:
            await self.service.kill()
            await self.service.start()
        elif victim == "postgresql":
            self.cluster.kill()
            await asyncio.to_thread(self.cluster.start_again)
        else:
            os.kill(chance.choice(children_of(self.cluster.process.pid)), signal.SIGKILL)
        return victim


@asynccontextmanager
async def ground(folder: Path, *, postgresql: bool) -> AsyncIterator[Ground]:
    """Run everything, with a school in it."""
    async with AsyncExitStack() as closing:
        cluster = closing.enter_context(running_cluster(options=())) if postgresql else None
        settings = DatabaseSettings(url=None if cluster is None else cluster.url(cluster.create()))
        data = folder / "lms"
        database = await Database.open(settings, data)
        try:
            org_id = await furnish(database, SIZE, "no hash: nobody logs in")
            async with database.read(org_id) as transaction:
                rows = await transaction.rows(select(app_user.c.code, app_user.c.id))
        finally:
            await database.close()
        by_code = {row.code: row.id for row in rows}
        (folder / "media").mkdir()
        media = await closing.enter_async_context(
            media_process(folder / "media", *(part for each in ONE_COMPUTER_IS_A_SCHOOL for part in ("--set", each)))
        )
        key = media.key
        chosen = [f"media_server.url={media.url}", f"media_server.key={key.key_id}:{key.secret.decode()}"]
        if settings.url is not None:
            chosen.append(f"database.url={settings.url}")
        service = await closing.enter_async_context(lms_process(data, *chosen))
        asking = await closing.enter_async_context(Asking(service.url, org_id))
        people = [by_code[login_of(number)] for number in range(SIZE.users)]
        yield Ground(folder, service, media, cluster, settings, org_id, people, asking)


async def write_grades(ground: Ground, item: str, student: UUID, written: Written, chance: random.Random) -> None:
    """Grade one student in one item again and again; `reason` says which write it was."""
    path = f"/grade-items/{item}/grades/{student}"
    version = (await ground.surely("GET", path, 0))["version"]
    while not ground.done.is_set():
        name, points = str(uuid4()), str(Decimal(chance.randrange(0, 4001)) / 400)
        asked = {"state": "graded", "points": points, "reason": name}
        answer = await ground.ask("PUT", path, 0, json=asked, headers={"If-Match": f'"{version}"'})
        if answer is None:
            written.unknown.add(name)
            version = (await ground.surely("GET", path, 0))["version"]
        elif answer[0] == 200:
            if answer[1]["version"] > version:  # the same points again are no write
                written.acknowledged[name] = (answer[1]["version"], Decimal(points))
            version = answer[1]["version"]
        else:
            assert answer[1]["code"] == "grade_conflict", answer
            version = (await ground.surely("GET", path, 0))["version"]


async def write_messages(ground: Ground, room: str, person: int, written: Written) -> None:
    """Write in the chat, each message until it is taken, as programs do that were offline."""
    while not ground.done.is_set():
        name = str(uuid4())
        asked = {"body": f"رسالة {name}", "client_id": name}
        message = await ground.surely("POST", f"/rooms/{room}/messages", person, json=asked)
        written.acknowledged[name] = message["message"]["seq"]
        await asyncio.sleep(0.01)


async def make_groups(ground: Ground, course: str, written: Written) -> None:
    """Make groups, each asked for with one Idempotency-Key until it is there."""
    while not ground.done.is_set() and len(written.acknowledged) < GROUPS_MAX:
        name = str(uuid4())
        headers = {"Idempotency-Key": name}
        made = await ground.surely("POST", f"/courses/{course}/groups", 0, json={"name": name}, headers=headers)
        written.acknowledged[name] = made["id"]
        await asyncio.sleep(0.05)


async def come_and_go(ground: Ground, class_id: str, person: int) -> int:
    """Join the class on the media server and leave it, again and again; return how often."""
    times = 0
    while not ground.done.is_set():
        await visit(ground, class_id, person)
        times += 1
        await asyncio.sleep(0.2)
    assert times, "nobody came"
    return times


async def visit(ground: Ground, class_id: str, person: int) -> None:
    """Join the class on the media server and leave it, once."""
    while True:
        ticket = await ground.surely("POST", f"/live-classes/{class_id}/join", person, json={})
        room = Room(ticket["url"], ticket["room"], ticket["token"])
        try:
            await room.connect()
        except RoomClosedError:  # a computer so busy that the WebSocket took too long
            await asyncio.sleep(1)
            continue
        await asyncio.sleep(0.2)
        await room.leave()
        return


@pytest.mark.timeout(120 + 30 * KILLS)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path, engine: str) -> None:
    chance = random.Random(SEED)
    async with ground(tmp_path, postgresql=engine == "postgresql") as running:
        [course] = await running.surely("GET", "/courses", 0)
        items = await running.surely("GET", f"/courses/{course['id']}/grade-items", 0)
        classes = await running.surely("GET", "/live-classes", 0)
        [class_id] = [each["id"] for each in classes if each["title"] == "Now"]
        await running.surely("POST", f"/live-classes/{class_id}/start", 0)
        asked = {"kind": "course", "of": course["id"]}
        room = (await running.surely("POST", "/rooms", 0, json=asked))["id"]

        grades, messages, groups = Written(), Written(), Written()
        graded = [(items[0]["id"], running.people[1]), (items[1]["id"], running.people[3])]
        deaths: Counter[str] = Counter()
        async with asyncio.TaskGroup() as tasks:
            for item, student in graded:
                tasks.create_task(write_grades(running, item, student, grades, chance))
            for person in (0, 1, 2):
                tasks.create_task(write_messages(running, room, person, messages))
            tasks.create_task(make_groups(running, course["id"], groups))
            visits = [tasks.create_task(come_and_go(running, class_id, person)) for person in (4, 5)]
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(*BETWEEN_S))
                deaths[await running.kill(chance)] += 1
            await asyncio.sleep(BETWEEN_S[1])
            running.done.set()

        assert grades.acknowledged
        assert messages.acknowledged
        assert groups.acknowledged
        await visit(running, class_id, LAST)
        await all_read(running, class_id)
        told = await joins_and_leaves(running)
        seen = (
            f"acknowledged {len(grades.acknowledged)} grades, {len(messages.acknowledged)} messages, "
            f"{len(groups.acknowledged)} groups; {len(grades.unknown)} grades of unknown fate; "
            f"{len(told)} facts of {1 + sum(each.result() for each in visits)} visits"
        )
        await running.service.end()
        database = await Database.open(running.settings, tmp_path / "lms", migrate=False)
        try:
            async with database.read(running.org_id) as transaction:
                await check_grades(transaction, graded, grades)
                await check_messages(transaction, UUID(room), messages)
                await check_groups(transaction, UUID(course["id"]), groups)
                await check_attendance(transaction, told)
                await check_audit(transaction)
        finally:
            await database.close()
    print(f"{engine}: {KILLS} deaths ({dict(deaths)}); {seen}")


async def joins_and_leaves(ground: Ground) -> set[tuple[str, str, int]]:
    """Return what the media server told, once the LMS has read it all: node, boot and number."""
    key = ground.media.key
    async with ControlClient(ground.media.url, key.key_id, key.secret.decode()) as control:
        facts, after = [], None
        while True:
            page = await control.read_events(EventQuery(after=after))
            facts += [fact for event in page.events if (fact := fact_of(event)) is not None]
            if not page.events:
                break
            after = page.cursor
    kept = {FactKind.JOINED, FactKind.LEFT}
    rooms = {fact.room for fact in facts}
    assert len(rooms) == 1
    return {(fact.boot.node, fact.boot.boot_id, fact.seq) for fact in facts if fact.kind in kept}


async def all_read(ground: Ground, class_id: str) -> None:
    """Wait until the LMS knows that everybody has left, of whom the last came only now: so it has read all before."""
    async with asyncio.timeout(60):
        while True:
            sheet = await ground.surely("GET", f"/live-classes/{class_id}/attendance", 0)
            standings = {row["user_id"]: row["standing"] for row in sheet["members"]}
            if standings[str(ground.people[LAST])] == "gone" and set(standings.values()) <= {"gone", "never_came"}:
                return
            await asyncio.sleep(0.1)


async def check_grades(transaction: Transaction, graded: list[tuple[str, UUID]], written: Written) -> None:
    """Each acknowledged grade is in the history, once, as that version; the grade is what the history says last."""
    org_id, count = transaction.org_id, 0
    for item, student in graded:
        of_student = (grade_history.c.item_id == UUID(item), grade_history.c.user_id == student)
        statement = select(grade_history).where(grade_history.c.org_id == org_id, *of_student)
        history = await transaction.rows(statement.order_by(grade_history.c.version))
        assert [row.version for row in history] == list(range(1, len(history) + 1))
        for before, after in itertools.pairwise(history):
            assert (after.old_state, after.old_points) == (before.new_state, before.new_points)
        now = await transaction.one(
            select(grade).where(grade.c.org_id == org_id, grade.c.item_id == UUID(item), grade.c.user_id == student)
        )
        assert (now.version, now.points) == (history[-1].version, history[-1].new_points)
        for row in history[1:]:  # the first one was there before
            assert row.reason in written.acknowledged or row.reason in written.unknown
            if row.reason in written.acknowledged:
                assert written.acknowledged.pop(row.reason) == (row.version, row.new_points)
            else:
                written.unknown.remove(row.reason)  # once: it is not found a second time
            count += 1
    assert not written.acknowledged, "acknowledged, and lost"
    for table, condition in ((audit_log, audit_log.c.action == "grade.write"), (outbox, outbox.c.topic == UPDATED)):
        rows = await transaction.rows(select(table.c.org_id).where(table.c.org_id == org_id, condition))
        assert len(rows) == count, f"{table.name} tells of {len(rows)} writes, there are {count}"


async def check_messages(transaction: Transaction, room_id: UUID, written: Written) -> None:
    """Each message is there, once, where its sender was told; the numbers have no holes."""
    statement = select(chat_message.c.seq, chat_message.c.client_id).where(
        chat_message.c.org_id == transaction.org_id, chat_message.c.room_id == room_id
    )
    rows = await transaction.rows(statement.order_by(chat_message.c.seq))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    found = Counter(row.client_id for row in rows)
    assert set(found.values()) == {1}
    there = {row.client_id: row.seq for row in rows}
    assert {name: there.get(name) for name in written.acknowledged} == written.acknowledged


async def check_groups(transaction: Transaction, course_id: UUID, written: Written) -> None:
    """Each group is there, once, by the id that was told."""
    statement = select(course_group.c.name, course_group.c.id).where(
        course_group.c.org_id == transaction.org_id, course_group.c.course_id == course_id
    )
    rows = {row.name: str(row.id) for row in await transaction.rows(statement)}
    assert rows == written.acknowledged


async def check_attendance(transaction: Transaction, told: set[tuple[str, str, int]]) -> None:
    """Each fact that the media server told is kept, once."""
    statement = select(attendance_event).where(
        attendance_event.c.org_id == transaction.org_id,
        attendance_event.c.node != NODE,  # of the class of yesterday
        attendance_event.c.kind.in_((FactKind.JOINED, FactKind.LEFT)),
    )
    rows = await transaction.rows(statement)
    assert len(rows) == len(told)
    assert {(row.node, row.boot_id, row.seq) for row in rows} == told


async def check_audit(transaction: Transaction) -> None:
    """The chain of the log has no break."""
    statement = select(audit_log).where(audit_log.c.org_id == transaction.org_id).order_by(audit_log.c.seq)
    previous = FIRST_HASH
    for index, row in enumerate(await transaction.rows(statement)):
        assert (row.seq, row.previous_hash) == (index + 1, previous)
        previous = row.hash
