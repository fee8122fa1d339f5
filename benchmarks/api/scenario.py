"""What a scenario is made of: a coroutine function with a user, and a suite that says how often each is chosen.

    async def look_around(user: User) -> None:
        rooms = await user.ask("reads.rooms", "GET", "/v1/rooms")
        await user.think(2)
        async with user.step("reads.room"):
            await control.get_room(rooms["rooms"][0]["name"])

    SUITE = Suite(question="How fast is it?", scenarios=(Scenario("look around", look_around, weight=3),), ...)

A step is what is measured: `GROUP.NAME`. It fails if it raises; the rest of the scenario is left out then. A user runs
one scenario after the other until the stages have no place for it any more, and keeps `user.memory` meanwhile.

Time is the schedule's, not the server's: `think(2)` puts what follows two seconds after the moment at which what went
before was *due*, not after its end. So a slow server is not asked less often, and a user who is late because of it
counts the waiting (Gil Tene's "coordinated omission"; wrk2 measures so). Steps without a pause between them follow each
other: the second is due when the first has ended.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec

from benchmarks.api.figures import Tally

STEP_S_MAX: Final = 30.0
"""Browsers and proxies give up by then."""
LATE_S_MAX: Final = 10.0
"""Who is later than that begins anew: a person reloads the page instead of clicking on. It is counted as given up."""
BODY_SHOWN_MAX: Final = 120


class StepFailed(Exception):
    """A step had another result than it should; the message is its kind of error, the same for all of the kind."""


class SuiteError(RuntimeError):
    """The scenarios cannot be run against this server; the message says why."""


@dataclass(slots=True)
class Target:
    """The server under test."""

    url: str
    """Without a slash at its end."""
    key_id: str = ""
    secret: str = ""
    """Of an API key, if the suite needs one."""
    think_scale: float = 1.0
    """Multiplies all pauses of users."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What a suite may be told beyond that: `--option NAME=VALUE`."""
    cpu_s: Callable[[], float] | None = None
    """CPU time of its process so far; None: not known."""
    memory_bytes: Callable[[], int] | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    """What `prepare` wants users to find."""
    died: Callable[[], str | None] = lambda: None
    """Why it runs no more, of a server that was started for the run."""


class User:
    """Somebody with an HTTP client, connections and cookies of their own, who clicks at moments of their own."""

    def __init__(self, number: int, target: Target, http: aiohttp.ClientSession, tally: Tally, seed: int) -> None:
        self.number = number
        """0, 1, 2 ...; no two users have the same at any time."""
        self.target = target
        self.http = http
        """Relative URLs go to the target."""
        self.random = random.Random(f"{seed}:{number}")
        """The same for the same seed and number."""
        self.memory: dict[str, Any] = {}
        """What scenarios of this user want to find again."""
        self.gave_up = 0
        self._tally = tally
        self._anchor = self._due = time.monotonic()

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Measure what is inside; what it raises is counted and goes on to the driver, as `Stumble`."""
        figures = self._tally.step(name)
        began = time.monotonic()
        due = min(self._due, began)
        try:
            async with asyncio.timeout(STEP_S_MAX):
                yield
        except Stumble:
            raise  # a step within a step has counted it
        except Exception as error:
            figures.fail(error_kind(error))
            self._due = due + time.monotonic() - began
            raise Stumble(name) from error
        ended = time.monotonic()
        figures.service.add(ended - began)
        figures.response.add(ended - due)
        self._due = due + ended - began

    def note(self, step: str, seconds: float) -> None:
        """Count something that happened to the user and took so long."""
        figures = self._tally.step(step)
        figures.service.add(seconds)
        figures.response.add(seconds)

    async def ask(
        self, step: str, method: str, path: str, *, expect: Container[int] = range(200, 300), **request: Any
    ) -> Any:
        """Send a request as a step and return its JSON, None of an answer without; `request`: as aiohttp has it."""
        async with self.step(step), self.http.request(method, path.lstrip("/"), **request) as answer:
            body = await answer.read()
            if answer.status not in expect:
                raise StepFailed(f"status {answer.status}")
            return msgspec.json.decode(body) if body and "json" in answer.content_type else None

    async def think(self, seconds: float, *, spread: float = 0.5) -> None:
        """Wait until so long after what went before was due, by chance up to `spread` of it sooner or later."""
        if seconds <= 0:
            return
        self._anchor += seconds * self.target.think_scale * (1 + spread * (2 * self.random.random() - 1))
        now = time.monotonic()
        if now - self._anchor > LATE_S_MAX:
            self.gave_up += 1
            self._anchor = now
        self._due = self._anchor
        await asyncio.sleep(max(0.0, self._anchor - now))

    def begin(self) -> float:
        """Begin a scenario: what comes is due now if nobody thought since the last; return the schedule's moment."""
        self._anchor = max(self._anchor, self._due)
        return self._anchor


class Stumble(Exception):
    """A step failed, and was counted; the scenario ends here."""


def error_kind(error: Exception) -> str:
    """Return what an error is counted as: without what is different every time."""
    if isinstance(error, TimeoutError):
        return f"no answer within {STEP_S_MAX:g} s" if not str(error) else str(error)
    text = str(error).split("\n", maxsplit=1)[0][:BODY_SHOWN_MAX]
    if isinstance(error, StepFailed):
        return text
    if isinstance(error, aiohttp.ClientConnectorError):
        return "cannot connect"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that users do; `weight` beside the others' is how often."""

    name: str
    run: Callable[[User], Awaitable[None]]
    weight: float = 1.0


async def _nothing(_target: Target) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Scenarios that belong together: one server, one set of rules."""

    question: str
    scenarios: tuple[Scenario, ...]
    steps: tuple[str, ...]
    """Every step that they have, so that thresholds of others are refused at the start."""
    thresholds: tuple[str, ...]
    """What holds if nothing else is said."""
    start: Callable[[], AbstractAsyncContextManager[Target]]
    """Starts a server of the run's own, when no address is given. SuiteError if it does not start."""
    prepare: Callable[[Target], Awaitable[None]] = _nothing
    """Once before all users: makes what they need; SuiteError if the server is not there, or refuses."""
    clean_up: Callable[[Target], Awaitable[None]] = _nothing
    """Once after all users: leaves a server as it was."""

    def choose(self, chance: random.Random) -> Scenario:
        """Return a scenario by weight."""
        return chance.choices(self.scenarios, [scenario.weight for scenario in self.scenarios])[0]
