"""Drives a suite: brings users in and lets them go as the stages say, and watches server and generator."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import aiohttp

from benchmarks.api.figures import StepFigures, Tally
from benchmarks.api.scenario import STEP_S_MAX, Stumble, Suite, Target, User
from benchmarks.api.self_watch import GeneratorFigures, SelfWatch
from benchmarks.api.stages import Stage, plateaus, total_s, users_at
from benchmarks.api.timeline import Level, Levels, Line, Point

NumberT = TypeVar("NumberT", int, float)

TICK_S: Final = 0.1
STUMBLE_S: Final = 1.0
"""Pause of a user after a step that failed: so a server that is down is not asked as fast as it refuses."""
LEAVE_S: Final = 10.0
"""How long users may finish what they have begun, when their place is gone or the run is over."""
SILENT_S: Final = 8.0
"""Without any success and with failures: the server is gone, and more of the same would teach nothing."""
POINTS_MAX: Final = 240
"""On the line over time: more could not be told apart on a page."""
POINT_S_MIN: Final = 0.5


@dataclass(slots=True)
class Outcome:
    """What a run has measured, to its end or until something ended it."""

    tally: Tally
    generator: GeneratorFigures
    seconds: float
    users_max: int
    done: int
    stumbled: int
    gave_up: int
    points: list[Point] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    server_cpu_s: float | None = None
    server_rss_bytes: int | None = None
    ended: str | None = None
    """Why it ended before its time."""


class Drive:
    """One run against one server."""

    def __init__(
        self,
        suite: Suite,
        target: Target,
        stages: Sequence[Stage],
        *,
        seed: int,
        tell: Callable[[Point], None],
    ) -> None:
        self._suite, self._target, self._stages, self._seed, self._tell = suite, target, stages, seed, tell
        self._tally = Tally()
        self._numbers = itertools.count()
        self._staying: list[asyncio.Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: str | None = None
        self._done = self._stumbled = self._gave_up = self._users_max = 0
        self._successes, self._success_at, self._failures = 0, 0.0, 0

    def stop(self, why: str) -> None:
        """End the run early, for this reason."""
        self._ended = self._ended or why

    async def run(self) -> Outcome:
        """Return what was measured; never raises for what the server does."""
        began = self._success_at = time.monotonic()
        watch, points, cpu_s = SelfWatch(), [], self._server_cpu_s()
        watching = asyncio.create_task(watch.watch())
        every_s = max(POINT_S_MIN, total_s(self._stages) / POINTS_MAX)
        line = Line(began, self._tally, watch, cpu_s)
        levels = Levels(self._tally, plateaus(self._stages))
        rss_bytes = self._memory_bytes()
        try:
            while self._ended is None and (at_s := time.monotonic() - began) < total_s(self._stages):
                self._fit(users_at(self._stages, at_s))
                await asyncio.sleep(TICK_S)
                self._look_after()
                levels.look(time.monotonic() - began)
                if time.monotonic() - line.at >= every_s:
                    rss_bytes = max(filter(None, (rss_bytes, self._memory_bytes())), default=None)
                    points.append(line.point(len(self._staying), self._server_cpu_s()))
                    self._tell(points[-1])
            levels.look(time.monotonic() - began)
        finally:
            self._fit(0)
            await self._wait_for_users()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        after_s = self._server_cpu_s()
        seconds = time.monotonic() - began
        self._tally.close(seconds)
        return Outcome(
            self._tally,
            watch.figures(),
            seconds,
            self._users_max,
            self._done,
            self._stumbled,
            self._gave_up,
            points,
            levels.found,
            None if cpu_s is None or after_s is None else after_s - cpu_s,
            rss_bytes,
            self._ended,
        )

    def _fit(self, users: int) -> None:
        while len(self._staying) < users:
            stays = asyncio.Event()
            stays.set()
            self._staying.append(stays)
            task = asyncio.create_task(self._live(next(self._numbers), stays))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        while len(self._staying) > users:
            self._staying.pop().clear()
        self._users_max = max(self._users_max, users)

    async def _live(self, number: int, stays: asyncio.Event) -> None:
        """One user: scenario after scenario."""
        timeout = aiohttp.ClientTimeout(total=STEP_S_MAX)
        async with aiohttp.ClientSession(f"{self._target.url}/", timeout=timeout) as http:
            user = User(number, self._target, http, self._tally, self._seed)
            try:
                while stays.is_set() and self._ended is None:
                    await self._act(user)
            finally:
                self._gave_up += user.gave_up

    async def _act(self, user: User) -> None:
        scenario = self._suite.choose(user.random)
        user.begin()
        try:
            await scenario.run(user)
            self._done += 1
        except Stumble:
            self._stumbled += 1
            await user.think(STUMBLE_S)
        except Exception as error:  # noqa: BLE001  # a fault of the scenario, whatever it is: the run says so and ends
            self.stop(f"scenario {scenario.name!r} failed outside of a step: {type(error).__name__}: {error}")
        await asyncio.sleep(0)  # a scenario that never waits must not keep the others from their turn

    def _look_after(self) -> None:
        """End the run if the server has died or answers nobody any more."""
        if (died := self._target.died()) is not None:
            self.stop(died)
        now = time.monotonic()
        successes = sum(figures.response.count for figures in self._tally.steps.values())
        failures = sum(figures.failed for figures in self._tally.steps.values())
        if successes > self._successes:
            self._successes, self._success_at, self._failures = successes, now, failures
        elif failures > self._failures and now - self._success_at > SILENT_S:
            kinds = sum((figures.errors for figures in self._tally.steps.values()), StepFigures().errors)
            self.stop(f"nothing has succeeded for {SILENT_S:g} s; most often: {kinds.most_common(1)[0][0]}")

    async def _wait_for_users(self) -> None:
        if self._tasks:
            patience_s = LEAVE_S if self._ended is None else 0.0
            await asyncio.wait(self._tasks, timeout=patience_s)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _server_cpu_s(self) -> float | None:
        return _read(self._target.cpu_s)

    def _memory_bytes(self) -> int | None:
        return _read(self._target.memory_bytes)


def _read(what: Callable[[], NumberT] | None) -> NumberT | None:
    """Return what the server's process says, None of one that is gone."""
    if what is None:
        return None
    try:
        return what()
    except (OSError, IndexError):
        return None
