"""The LMS on SQLite: a school that logs in, looks, joins classes, reads attendance and enters grades."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import aiohttp

from benchmarks.api.scenario import Scenario, Suite, SuiteError, Target, User
from benchmarks.joins.server import ServerDidNotStartError
from benchmarks.load.watched import WatchedProcess
from benchmarks.school.furnish import SchoolSize, login_of
from benchmarks.school.service import PASSWORD, SchoolDidNotStartError, running_school

SIZE: Final = SchoolSize()
THINK_S: Final = 1.0
"""As in the requirements' own script: a user does one thing a second."""
RENEW_S: Final = 600.0
"""An access token holds for 15 minutes."""
API: Final = "/api/v1"


async def look_around(user: User) -> None:
    """Whoever opens the page: me, my courses, what is on, the class that is now, my notices of yesterday."""
    await _log_in(user)
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
    await _log_in(user)
    now, _ = await _classes(user)
    await user.think(THINK_S)
    await _ask(user, "writes.join", "POST", f"/live-classes/{now}/join", json={})
    await user.think(THINK_S)


async def keep_records(user: User) -> None:
    """A teacher reads attendance and enters grades; a student looks at their own."""
    await _log_in(user)
    course = await _course(user)
    await user.think(THINK_S)
    if user.number % SIZE.people:
        await _ask(user, "reads.own_grades", "GET", f"/courses/{course}/grades")
        await user.think(THINK_S)
        me = user.memory["me"]
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
    """Have every teacher start the class that is now."""
    async with aiohttp.ClientSession(f"{target.url}/") as http:
        for number in range(0, SIZE.users, SIZE.people):
            async with http.post(f"{API}/auth/login", json=_credentials(number)) as answer:
                if answer.status != 200:
                    raise SuiteError(f"{target.url} does not know {login_of(number)}: {await answer.text()}")
                headers = {"Authorization": f"Bearer {(await answer.json())['data']['access_token']}"}
            async with http.get(f"{API}/live-classes", headers=headers) as answer:
                [now] = [each for each in (await answer.json())["data"] if each["title"] == "Now"]
            async with http.post(f"{API}/live-classes/{now['id']}/start", headers=headers) as answer:
                if answer.status != 200:
                    raise SuiteError(f"a class does not start: {await answer.text()}")


@asynccontextmanager
async def started(*, postgresql: bool) -> AsyncIterator[Target]:
    """Start a service with a school in it."""
    try:
        async with running_school(postgresql=postgresql, size=SIZE) as school:
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


async def _log_in(user: User) -> None:
    """Log in at first, and renew the token before it ends."""
    if time.monotonic() < user.memory.get("until", 0.0):
        return
    renewal = user.memory.get("refresh")
    if renewal is None:
        tokens = await _ask(user, "auth.login", "POST", "/auth/login", json=_credentials(user.number))
    else:
        tokens = await _ask(user, "auth.refresh", "POST", "/auth/refresh", json={"refresh_token": renewal})
    user.memory |= {
        "token": tokens["access_token"],
        "refresh": tokens["refresh_token"],
        "until": time.monotonic() + RENEW_S,
        "me": tokens["me"]["id"],
    }
    await user.think(THINK_S)


async def _course(user: User) -> str:
    [course] = await _ask(user, "reads.courses", "GET", "/courses")
    return str(course["id"])


async def _classes(user: User) -> tuple[str, str]:
    """Return the class that is now, and yesterday's."""
    listed = await _ask(user, "reads.classes", "GET", "/live-classes")
    by_title = {each["title"]: str(each["id"]) for each in listed}
    return by_title["Now"], by_title["Yesterday"]


async def _ask(user: User, step: str, method: str, path: str, **request: Any) -> Any:
    """Ask as this user, and return what `data` is."""
    headers = dict(request.pop("headers", {}))
    if "token" in user.memory:
        headers["Authorization"] = f"Bearer {user.memory['token']}"
    body = await user.ask(step, method, API + path, headers=headers, **request)
    return None if body is None else body["data"]


SUITE: Final = Suite(
    question="How fast is the LMS on SQLite for a school that comes to class?",
    scenarios=(
        Scenario("look around", look_around, weight=4),
        Scenario("come to class", come_to_class, weight=3),
        Scenario("keep records", keep_records, weight=3),
    ),
    steps=(
        *("auth.login", "auth.refresh"),
        *("reads.me", "reads.courses", "reads.classes", "reads.class"),
        *("reads.own_grades", "reads.own_attendance", "reads.totals"),
        *("reads.attendance", "reads.attendance_file", "reads.course_attendance"),
        *("reads.gradebook", "reads.grade_items", "reads.grades"),
        *("writes.join", "writes.grade"),
    ),
    thresholds=(
        "reads.p95<=50ms",
        "writes.p95<=100ms",
        "reads.p99<=200ms",
        "writes.p99<=200ms",
        "auth.login.p95<=500ms",
        "all.errors<=0.1%",
    ),
    start=start,
    prepare=prepare,
)
