"""The invariants of chat, codes, grades and webhooks, each for what Hypothesis makes up; 2,000 examples are the proof.

HALQA_TEST_EXAMPLES says how many, on SQLite; those of attendance are `tests/unit/lms/attendance/test_invariants.py`, of
both databases `attendance/test_same_bytes.py`, of other schools `test_authorization.py`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.access.roles import Role
from lms.database.settings import DatabaseSettings
from tests.integration.lms.chat.test_messages import course_room
from tests.integration.lms.chat.test_sync import queued, sync
from tests.integration.lms.classes.test_codes import make_code, redeem
from tests.integration.lms.grading import make_course
from tests.integration.lms.webhooks.test_webhooks import HERE, Receiver, receiving, subscribe, tell
from tests.support.lms import Person, School, running_school

EXAMPLES: Final = int(os.environ.get("HALQA_TEST_EXAMPLES", "3"))
ONLY_SQLITE: Final = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
PATIENT: Final = pytest.mark.timeout(120 + EXAMPLES)
many: Final = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

Act = tuple[str, int]
"""What somebody does, and to which of their own messages."""
acts: Final = st.lists(
    st.tuples(st.sampled_from(["send", "again", "edit", "delete", "react", "queue"]), st.integers(0, 5)), max_size=6
)


@pytest.fixture
async def quiet_school(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[School]:
    """A school in which nothing happens by itself; all examples of a test share it."""
    async with running_school(tmp_path, database_settings, webhooks=HERE) as running:
        await running.parts.webhooks.close()
        await running.parts.relay.close()
        yield running


class Chatter:
    """Somebody who writes, and knows what must be there in the end."""

    def __init__(self, school: School, person: Person, room: str) -> None:
        self.school, self.person, self.room = school, person, room
        self.sent: list[dict[str, Any]] = []
        self.said: list[str] = []
        """The text of each; empty when it was deleted."""
        self.queues: list[dict[str, Any]] = []

    async def do(self, script: list[Act]) -> None:
        for kind, which in script:
            await self._do(kind, which % len(self.sent) if self.sent else None)

    async def _do(self, kind: str, which: int | None) -> None:
        path = f"/rooms/{self.room}/messages"
        number = len(self.sent)
        if kind in {"send", "queue"} or which is None:
            asked = {"body": f"word{self.person.code}x{number}", "client_id": f"{self.person.code}/{number:06}"}
            if kind == "queue":
                queue = queued(number, "chat.send", room_id=self.room, **asked)
                self.queues.append(queue)
                [result] = await sync(self.school, self.person, queue)
                assert result["outcome"] == "applied"
                self.sent.append(asked | {"id": result["result"]["message_id"], "seq": result["result"]["seq"]})
            else:
                answer = await self.school.post(path, asked, as_=self.person)
                assert answer.status == 201, answer.body
                self.sent.append(asked | {"id": answer.data["message"]["id"], "seq": answer.data["message"]["seq"]})
            self.said.append(asked["body"])
            return
        one, address = self.sent[which], f"{path}/{self.sent[which]['id']}"
        if kind == "again":
            asked = {"body": one["body"], "client_id": one["client_id"]}
            answer = await self.school.post(path, asked, as_=self.person)
            assert (answer.status, answer.data["duplicate"]) == (200, True)
            assert answer.data["message"]["seq"] == one["seq"]
        elif kind == "delete":
            assert (await self.school.delete(address, as_=self.person)).status == 200
            self.said[which] = ""
        elif self.said[which]:
            if kind == "edit":
                self.said[which] = f"{one['body']}changed"
                assert (await self.school.patch(address, {"body": self.said[which]}, as_=self.person)).status == 200
            else:
                assert (await self.school.put(f"{address}/reactions/👍", as_=self.person)).status == 200


@PATIENT
@ONLY_SQLITE
@many
@given(scripts=st.lists(acts, min_size=2, max_size=3))
async def test_15_chat_is_dense_once_and_forgets_what_was_deleted(
    quiet_school: School, scripts: list[list[Act]]
) -> None:
    school = quiet_school
    people = [await school.person(Role.STUDENT) for _ in scripts]
    room = await course_room(school, *people)
    chatters = [Chatter(school, person, room) for person in people]
    await asyncio.gather(*(each.do(script) for each, script in zip(chatters, scripts, strict=True)))
    address = f"/rooms/{room}/messages"
    before = (await school.get(address, as_=school.teacher, after=0, limit=100)).data
    for each in chatters:  # what was queued comes late, from the same device
        if each.queues:
            results = await sync(school, each.person, *each.queues)
            assert {result["outcome"] for result in results} == {"duplicate"}
    read = (await school.get(address, as_=school.teacher, after=0, limit=100)).data
    assert read == before
    assert [each["seq"] for each in read] == list(range(1, sum(len(each.sent) for each in chatters) + 1))
    assert len({each["change"] for each in read}) == len(read)
    there = {each["id"]: each["body"] for each in read}
    assert there == {one["id"]: said for each in chatters for one, said in zip(each.sent, each.said, strict=True)}
    assert all(pair[0]["seq"] < pair[1]["seq"] for each in chatters for pair in itertools.pairwise(each.sent))
    exported = (await school.get(f"/rooms/{room}/export", as_=school.teacher)).content.decode()
    for each in chatters:
        for one, said in zip(each.sent, each.said, strict=True):
            assert (one["body"] in exported) == bool(said)


@PATIENT
@ONLY_SQLITE
@many
@given(uses=st.integers(1, 6), presses=st.lists(st.integers(0, 7), min_size=1, max_size=14))
async def test_16_codes_let_exactly_so_many_in(quiet_school: School, uses: int, presses: list[int]) -> None:
    """Whoever presses, in whatever order and however often at once: each press is somebody's, by their number."""
    school = quiet_school
    course = (await school.post("/courses", {"title": "Algebra"}, as_=school.teacher)).data["id"]
    code = await make_code(school, course_id=course, kind="multi_use", max_uses=uses)
    people = {number: await school.person(Role.STUDENT) for number in sorted(set(presses))}
    answers = await asyncio.gather(*(redeem(school, people[number], code) for number in presses))
    lucky = {people[number].id for number, (status, _) in zip(presses, answers, strict=True) if status == 200}
    assert len(lucky) == min(uses, len(people))
    [listed] = (await school.get("/access-codes", as_=school.teacher, course_id=course)).data
    assert listed["uses"] == len(lucky)
    enrolled = await school.get(f"/courses/{course}/enrolments", as_=school.teacher, role="student", limit=100)
    assert {each["user_id"] for each in enrolled.data} == set(map(str, lucky))


@PATIENT
@ONLY_SQLITE
@many
@given(edits=st.lists(st.integers(0, 4000), min_size=2, max_size=9, unique=True), at_once=st.integers(2, 4))
async def test_16_of_edits_of_one_grade_one_wins(quiet_school: School, edits: list[int], at_once: int) -> None:
    """By the endpoint and from queues: who was slower is told what is there, and nothing is missing in the history.

    No two want the same: who writes what is there already changes nothing, and so is in nobody's way.
    """
    rounds = [edits[begin : begin + at_once] for begin in range(0, len(edits), at_once)]
    rounds = [wanted for wanted in rounds if len(wanted) > 1]
    course = await make_course(quiet_school, students=1)
    item, student = await course.item(), course.students[0]
    won: list[str] = []
    for version, wanted in enumerate(rounds):
        texts = [f"{each / 400:.4f}" for each in wanted]
        asked = {"item_id": item["id"], "user_id": str(student.id), "state": "graded", "version": version}
        device = {"device_id": f"{item['id']}/{version}"}
        queue = device | {"operations": [queued(1, "grade.set", **asked, points=texts[0])]}
        answers = await asyncio.gather(
            quiet_school.post("/sync", queue, as_=course.teacher),
            *(course.grade(item, student, points, version) for points in texts[1:]),
        )
        outcomes = [answers[0].data["results"][0]["outcome"], *(each.status for each in answers[1:])]
        assert Counter(outcomes) in (
            Counter({"applied": 1, 409: len(texts) - 1}), Counter({"conflict": 1, 200: 1, 409: len(texts) - 2}),
        )  # fmt: skip
        won += [text for text, outcome in zip(texts, outcomes, strict=True) if outcome in {"applied", 200}]
    path = f"/grade-items/{item['id']}/grades/{student.id}"
    history = (await quiet_school.get(f"{path}/history", as_=course.teacher)).data[::-1]
    assert [each["version"] for each in history] == list(range(1, len(rounds) + 1))
    assert [float(each["new_points"]) for each in history] == [float(each) for each in won]
    assert [each["old_points"] for each in history[1:]] == [each["new_points"] for each in history[:-1]]


class Moody(Receiver):
    """A receiver that does as a script says; at the end of it, it takes everything."""

    moods: list[str]

    async def take(self, request: web.Request) -> web.Response:
        mood = self.moods.pop(0) if self.moods else "take"
        if mood == "refuse":
            return web.Response(status=503)
        self.status = 204
        answer = await super().take(request)
        return answer if mood == "take" else web.Response(status=500)  # it took it, and we do not know


@PATIENT
@ONLY_SQLITE
@many
@given(
    moods=st.lists(st.sampled_from(["take", "refuse", "forget"]), max_size=8),
    rounds=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 400, 90_000])), min_size=1, max_size=6),
)
async def test_17_webhooks_tell_all_in_order_or_say_what_is_dead(
    quiet_school: School, moods: list[str], rounds: list[tuple[int, int]]
) -> None:
    school, deliver = quiet_school, quiet_school.parts.webhooks.run_once
    async with receiving(Moody()) as receiver:
        receiver.moods = list(moods)
        path = f"/webhooks/{(await subscribe(school, receiver.url, 'class.changed'))['webhook']['id']}"
        told = 0
        for events, pause_s in rounds:
            await tell(school, *range(told, told + events))
            told += events
            await deliver()
            school.clock.turn(pause_s)
        for _ in moods:  # until the script is over
            school.clock.turn(timedelta(minutes=6))
            await deliver()
        receiver.moods.clear()  # what became a dead letter early left some
        dead = (await school.get(f"{path}/deliveries", as_=school.admin, state="dead", limit=100)).data
        numbers, lost = receiver.numbers, {each["data"]["number"] for each in dead}
        assert set(numbers) | lost == set(range(told))
        assert numbers == sorted(numbers)
        assert len({(each["id"], each["data"]["number"]) for each in receiver.events}) == len(receiver.events)
        assert (await school.post(f"{path}/replay", as_=school.admin)).data == {"events": len(lost)}
        school.clock.turn(timedelta(minutes=6))
        await deliver()
        assert sorted(receiver.numbers) == list(range(told))
        assert (await school.delete(path, as_=school.admin)).status == 204
