"""One room of the LMS on PostgreSQL where all its people listen: how soon does what the teacher writes reach them?"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

from benchmarks.api.scenario import Scenario, Suite, Target, User
from benchmarks.api.scenarios import lms
from benchmarks.school.furnish import SchoolSize
from benchmarks.school.line import Line

SIZE: Final = SchoolSize(courses=1, people=401)
SAYS_EVERY_S: Final = 1.0


async def be_there(user: User) -> None:
    """The teacher writes once a second; everybody hears it, the teacher too."""
    headers = {"Authorization": f"Bearer {user.target.memory['tokens'][user.number]}"}
    room = user.target.memory.get("room")
    if room is None:
        [course] = (await user.ask("reads.courses", "GET", "/api/v1/courses", headers=headers))["data"]
        asked = {"kind": "course", "of": course["id"]}
        answer = await user.ask("writes.room", "POST", "/api/v1/rooms", json=asked, headers=headers)
        room = user.target.memory["room"] = answer["data"]["id"]
    async with user.step("chat.connect"):
        token = user.target.memory["tokens"][user.number]
        line = await Line.connect(user.http, user.target.url, token, partial(user.note, "chat.delivery"))
    try:
        async with user.step("chat.join"):
            await line.ask("community:join", room_id=room)
        while True:  # until the run is over
            await user.think(SAYS_EVERY_S)
            if user.number == 0:
                async with user.step("chat.send"):
                    await line.say(room)
    finally:
        await line.close()


async def prepare(target: Target) -> None:
    """Log everybody in."""
    await lms.log_everybody_in(target, SIZE.users)


def start() -> AbstractAsyncContextManager[Target]:
    """Start it on a PostgreSQL of its own."""
    return lms.started(postgresql=True, size=SIZE)


SUITE: Final = Suite(
    question="How soon does a chat message of the LMS reach a whole room?",
    scenarios=(Scenario("be there", be_there),),
    steps=("reads.courses", "writes.room", "chat.connect", "chat.join", "chat.send", "chat.delivery"),
    thresholds=("chat.delivery.p95<=100ms", "chat.send.p95<=100ms", "all.errors<=0.1%"),
    start=start,
    prepare=prepare,
)
