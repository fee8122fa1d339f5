"""The LMS on SQLite: a school that logs in, looks, joins classes, chats, reads attendance and enters grades.

The load is the one that the requirements name in a script of their own: 100, 200, 300, 400 users, each with a pause of
one second between two steps. That script asks for the server's health alone and waits for each answer before its
pause; here a step is real work, and is due a second after the one before it was due, however late that was answered.
So 400 users ask 400 times a second, also of a server that is slow. What is heard in chat is counted beside that, as
steps of the group `chat`: the figure of all steps a second is higher than that of requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final

import aiohttp

from benchmarks.api.scenario import Scenario, Suite, SuiteError, Target, User
from benchmarks.joins.server import ServerDidNotStartError
from benchmarks.load.watched import WatchedProcess
from benchmarks.school.furnish import SchoolSize, login_of
from benchmarks.school.line import Line
from benchmarks.school.service import PASSWORD, SchoolDidNotStartError, running_school

SIZE: Final = SchoolSize()
THINK_S: Final = 1.0
"""As in the requirements' own script: a user does one thing a second."""
LOGINS_AT_ONCE: Final = 8
MESSAGES: Final = 3
WHOLE_RUN: Final = ("tokens.access_s=3600", "rate_limits.address_login_per_minute=100000")
"""Tokens that hold for the longest run, else they hold for 15 minutes; and a whole school logs in from one address."""
API: Final = "/api/v1"


async def log_in(user: User) -> None:
    """Whoever comes to school."""
    await _ask(user, "auth.login", "POST", "/auth/login", json=_credentials(user.number), known=False)
    await user.think(THINK_S)


async def talk(user: User) -> None:
    """Whoever opens the chat of their course, reads, writes, and hears what the others write."""
    course = await _course(user)
    await user.think(THINK_S)
    room = await _ask(user, "writes.room", "POST", "/rooms", json={"kind": "course", "of": course})
    await user.think(THINK_S)
    await _ask(user, "reads.messages", "GET", f"/rooms/{room['id']}/messages", params={"limit": "50"})
    await user.think(THINK_S)
    async with user.step("chat.connect"):
        delivered = partial(user.note, "chat.delivery")
        line = await Line.connect(user.http, user.target.url, _token(user), delivered)
    try:
        async with user.step("chat.join"):
            await line.ask("community:join", room_id=room["id"])
        for _ in range(MESSAGES):
            await user.think(THINK_S)
            async with user.step("chat.send"):
                await line.say(room["id"])
        await user.think(THINK_S)
    finally:
        await line.close()


async def look_around(user: User) -> None:
    """Whoever opens the page: me, my courses, what is on, the class that is now, my notices of yesterday."""
    await _ask(user, "reads.me", "GET", "/auth/me")
    await user.think(THINK_S)
    course = await _course(user)
    await user.think(THINK_S)
    listed = await _ask(user, "reads.classes", "GET", "/live-classes", params={"course_id": course, "limit": "20"})
    await user.think(THINK_S)
    await _ask(user, "reads.class", "GET", f"/live-classes/{listed[0]['id']}")
    await user.think(THINK_S)


async def come_to_class(user: User) -> None:
    """Whoever joins the class that is now: a token of the media server."""
    now, _ = await _classes(user)
    await user.think(THINK_S)
    await _ask(user, "writes.join", "POST", f"/live-classes/{now}/join", json={})
    await user.think(THINK_S)


async def keep_records(user: User) -> None:
    """A teacher reads attendance and enters grades; a student looks at their own."""
    course = await _course(user)
    await user.think(THINK_S)
    if user.number % SIZE.people:
        await _ask(user, "reads.own_grades", "GET", f"/courses/{course}/grades")
        await user.think(THINK_S)
        me = user.target.memory["ids"][user.number % SIZE.users]
        await _ask(user, "reads.own_attendance", "GET", f"/users/{me}/attendance")
        await user.think(THINK_S)
        await _ask(user, "reads.totals", "GET", "/grades")
        await user.think(THINK_S)
        return
    _, yesterday = await _classes(user)
    await user.think(THINK_S)
    await _ask(user, "reads.attendance", "GET", f"/live-classes/{yesterday}/attendance")
    await user.think(THINK_S)
    await _ask(user, "reads.attendance_file", "GET", f"/live-classes/{yesterday}/attendance.csv")
    await user.think(THINK_S)
    await _ask(user, "reads.course_attendance", "GET", f"/courses/{course}/attendance")
    await user.think(THINK_S)
    await _ask(user, "reads.gradebook", "GET", f"/courses/{course}/gradebook")
    await user.think(THINK_S)
    await enter_grades(user, course)


async def enter_grades(user: User, course: str) -> None:
    """One quiz: look who has what, and change a few."""
    items = await _ask(user, "reads.grade_items", "GET", f"/courses/{course}/grade-items")
    await user.think(THINK_S)
    item = user.random.choice(items)["id"]
    grades = await _ask(user, "reads.grades", "GET", f"/grade-items/{item}/grades")
    await user.think(THINK_S)
    for row in user.random.sample(grades, 5):
        asked = {"state": "graded", "points": str(user.random.randint(0, 40) / 4)}
        path = f"/grade-items/{item}/grades/{row['user_id']}"
        known = {"If-Match": f'"{row["grade"]["version"]}"'}
        await _ask(user, "writes.grade", "PUT", path, json=asked, headers=known)
        await user.think(THINK_S)


async def prepare(target: Target) -> None:
    """Log everybody in, and have every teacher start the class that is now."""
    await log_everybody_in(target, SIZE.users)
    async with aiohttp.ClientSession(f"{target.url}/") as http:
        for number in range(0, SIZE.users, SIZE.people):
            headers = {"Authorization": f"Bearer {target.memory['tokens'][number]}"}
            async with http.get(f"{API}/live-classes", headers=headers) as answer:
                [now] = [each for each in (await answer.json())["data"] if each["title"] == "Now"]
            async with http.post(f"{API}/live-classes/{now['id']}/start", headers=headers) as answer:
                if answer.status != 200:
                    raise SuiteError(f"a class does not start: {await answer.text()}")


async def log_everybody_in(target: Target, count: int) -> None:
    """Have a token and an id of everybody; a run of minutes is no morning on which a whole school logs in at once."""
    tokens, ids = target.memory["tokens"], target.memory["ids"] = [""] * count, [""] * count
    numbers = iter(range(count))

    async def log_some_in(http: aiohttp.ClientSession) -> None:
        for number in numbers:
            async with http.post(f"{API}/auth/login", json=_credentials(number)) as answer:
                if answer.status != 200:
                    raise SuiteError(f"{target.url} does not know {login_of(number)}: {await answer.text()}")
                data = (await answer.json())["data"]
                tokens[number], ids[number] = data["access_token"], data["me"]["id"]

    async with aiohttp.ClientSession(f"{target.url}/") as http:
        await asyncio.gather(*(log_some_in(http) for _ in range(LOGINS_AT_ONCE)))


@asynccontextmanager
async def started(*, postgresql: bool, size: SchoolSize = SIZE) -> AsyncIterator[Target]:
    """Start a service with a school in it."""
    try:
        async with running_school(postgresql=postgresql, size=size, settings=WHOLE_RUN) as school:
            watched = WatchedProcess(school.process.pid)
            yield Target(
                school.url,
                cpu_s=watched.cpu_s,
                memory_bytes=watched.memory_bytes,
                died=lambda: None if watched.alive else "the LMS died",
            )
    except (SchoolDidNotStartError, ServerDidNotStartError) as error:
        raise SuiteError(str(error)) from None


def start() -> AbstractAsyncContextManager[Target]:
    """Start it on SQLite."""
    return started(postgresql=False)


def _credentials(number: int) -> dict[str, str]:
    return {"login": login_of(number % SIZE.users), "password": PASSWORD}


def _token(user: User) -> str:
    return str(user.target.memory["tokens"][user.number % SIZE.users])


async def _course(user: User) -> str:
    [course] = await _ask(user, "reads.courses", "GET", "/courses")
    return str(course["id"])


async def _classes(user: User) -> tuple[str, str]:
    """Return the class that is now, and yesterday's."""
    listed = await _ask(user, "reads.classes", "GET", "/live-classes")
    by_title = {each["title"]: str(each["id"]) for each in listed}
    return by_title["Now"], by_title["Yesterday"]


async def _ask(user: User, step: str, method: str, path: str, *, known: bool = True, **request: Any) -> Any:
    """Ask, as this user unless they are not to be `known`, and return what `data` is."""
    headers = dict(request.pop("headers", {}))
    if known:
        headers["Authorization"] = f"Bearer {_token(user)}"
    body = await user.ask(step, method, API + path, headers=headers, **request)
    return None if body is None else body["data"]


SUITE: Final = Suite(
    question="How fast is the LMS on SQLite for a school that comes to class?",
    scenarios=(
        Scenario("log in", log_in, weight=0.2),  # at 400 users two a second
        Scenario("look around", look_around, weight=3),
        Scenario("talk", talk, weight=2),
        Scenario("come to class", come_to_class, weight=2),
        Scenario("keep records", keep_records, weight=3),
    ),
    steps=(
        "auth.login",
        *("reads.me", "reads.courses", "reads.classes", "reads.class"),
        *("reads.own_grades", "reads.own_attendance", "reads.totals"),
        *("reads.attendance", "reads.attendance_file", "reads.course_attendance"),
        *("reads.gradebook", "reads.grade_items", "reads.grades", "reads.messages"),
        *("writes.join", "writes.grade", "writes.room"),
        *("chat.connect", "chat.join", "chat.send", "chat.delivery"),
    ),
    thresholds=(
        "reads.p95<=50ms",
        "writes.p95<=100ms",
        "reads.p99<=200ms",
        "writes.p99<=200ms",
        "chat.send.p95<=100ms",
        "chat.delivery.p95<=100ms",
        "auth.login.p95<=500ms",
        "all.errors<=0.1%",
    ),
    start=start,
    prepare=prepare,
)
