"""A receiver's worker in simulated time: outages, order, dead letters and their replay, restarts."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from control_api.feed.cursor import Cursor, build_cursor
from control_api.feed.feed import CursorGoneError, Page
from control_api.webhooks.delivery import RETRY_S_MAX, Progress
from control_api.webhooks.settings import WebhookEndpoint
from control_api.webhooks.worker import Clock, Worker
from webapi.webhooks.sender import DeliveryFailedError
from webapi.webhooks.signature import verify

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ENDPOINT = WebhookEndpoint("lms", "https://lms.example/hook", (SECRET,))
JOURNAL = "0a1b2c3d"
BEGAN = 1_790_000_000.0
HOUR, DAY = 3600.0, 86_400.0


class World:
    """A feed, a receiver and a clock. Time passes when the worker sleeps; `events` say when each happens."""

    def __init__(self, *, up: Callable[[float], bool], progress: Progress | None = None) -> None:
        self.seconds = 0.0
        self.events: list[float] = []
        self.kept_from = 0
        self.up = up
        self.received: list[int] = []
        self.received_at: dict[int, float] = {}
        self.attempts: list[float] = []
        self.saved = progress
        self.disk_fails = 0
        self.idle = asyncio.Event()

    # Source
    @property
    def now(self) -> Cursor:
        return Cursor(JOURNAL, sum(at <= self.seconds for at in self.events))

    async def oldest(self) -> Cursor:
        return Cursor(JOURNAL, self.kept_from)

    async def read(self, cursor: Cursor, *, limit: int, wait_s: float = 0.0) -> Page:
        await asyncio.sleep(0)
        if cursor.journal_id != JOURNAL or cursor.position < self.kept_from:
            raise CursorGoneError("gone")
        if cursor.position == self.now.position and wait_s:
            if not any(at > self.seconds for at in self.events):
                self.idle.set()
                await asyncio.Event().wait()
            self.seconds = min(at for at in self.events if at > self.seconds)
        last = min(cursor.position + limit, self.now.position)
        lines = [self._line(position) for position in range(cursor.position + 1, last + 1)]
        return Page(lines, build_cursor(Cursor(JOURNAL, last)))

    def _line(self, position: int) -> bytes:
        at = datetime.fromtimestamp(BEGAN + self.events[position - 1], UTC).isoformat()
        return json.dumps({"cursor": f"{JOURNAL}-{position}", "at": at, "seq": position}).encode()

    # Receiver
    async def send(self, url: str, headers: dict[str, str], body: bytes) -> None:
        self.attempts.append(self.seconds)
        if not self.up(self.seconds):
            raise DeliveryFailedError("the receiver answered 503")
        verify(ENDPOINT.keys, headers, body, wallclock=BEGAN + self.seconds)
        for event in json.loads(body)["events"]:
            self.received.append(event["seq"])
            self.received_at[event["seq"]] = self.seconds

    # Store
    def load(self) -> Progress | None:
        return self.saved

    async def save(self, progress: Progress) -> None:
        if self.disk_fails:
            self.disk_fails -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self.saved = Progress(
            journal_id=progress.journal_id,
            position=progress.position,
            dead=list(progress.dead),
            replay=list(progress.replay),
        )

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(
            now=lambda: self.seconds, wallclock=lambda: BEGAN + self.seconds, sleep=self.sleep, chance=lambda: 0.5
        )

    async def run(self, use: Callable[[Worker], None] | None = None) -> Worker:
        """Run a worker until nothing is left to do."""
        worker = Worker(ENDPOINT, self, self.send, self, give_up_s=DAY, clock=self.clock())
        task = asyncio.create_task(worker.run())
        try:
            await asyncio.wait_for(self.idle.wait(), 20)
            if use is not None:
                self.idle.clear()
                use(worker)
                await asyncio.wait_for(self.idle.wait(), 20)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return worker


async def test_events_come_once_and_in_order() -> None:
    world = World(up=lambda _now: True)
    world.events = [float(second) for second in range(1, 500)]
    worker = await world.run()
    assert world.received == list(range(1, 500))
    assert worker.lag == 0
    assert world.saved == Progress(journal_id=JOURNAL, position=499)


async def test_receiver_down_for_an_hour_gets_everything_in_order() -> None:
    world = World(up=lambda now: not 100 <= now < 100 + HOUR)
    world.events = [second * 2.0 for second in range(1, 3000)]
    worker = await world.run()
    assert world.received == list(range(1, 3000))
    assert worker.delivery.progress.dead == []
    back = min(at for at in world.received_at.values() if at >= 100 + HOUR)
    assert back <= 100 + HOUR + RETRY_S_MAX
    during = [at for at in world.attempts if 100 <= at < 100 + HOUR]
    assert 10 < len(during) < 40  # patient: not thousands


async def test_receiver_down_for_days_loses_only_what_is_old() -> None:
    world = World(up=lambda now: now >= 2.5 * DAY)
    world.events = [hour * HOUR + 1 for hour in range(70)]
    worker = await world.run()
    dead = worker.delivery.progress.dead
    assert len(dead) == 1  # neighbours are one range
    assert dead[0].after == 0
    assert world.received == list(range(dead[0].last + 1, 71))
    assert 23 <= dead[0].last <= 26  # those of the first day
    first_day = dead[0].last

    world.received.clear()
    assert (await world.run(lambda again: (again.replay(), None)[1])).delivery.progress.dead == []
    assert world.received == list(range(1, first_day + 1))


async def test_new_receiver_begins_with_new_events() -> None:
    world = World(up=lambda _now: True)
    world.events = [0.0, 0.0, 5.0]
    await world.run()
    assert world.received == [3]


async def test_restart_goes_on_where_it_was() -> None:
    world = World(up=lambda _now: True, progress=Progress(journal_id=JOURNAL, position=2))
    world.events = [0.0] * 5
    await world.run()
    await world.run()
    assert world.received == [3, 4, 5]


@pytest.mark.parametrize(
    ("progress", "received"),
    [
        (Progress(journal_id="ffffffff", position=2), [3, 4, 5]),
        (Progress(journal_id=JOURNAL, position=1), [3, 4, 5]),
    ],
)
async def test_what_is_gone_is_passed_over_loudly(
    progress: Progress, received: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(up=lambda _now: True, progress=progress)
    world.events = [0.0] * 5
    world.kept_from = 2
    await world.run()
    assert world.received == received
    assert "cannot be had any more" in caplog.text


async def test_old_events_have_an_hour_even_if_the_server_was_down_for_days() -> None:
    world = World(up=lambda now: now >= 5 * DAY + HOUR / 2, progress=Progress(journal_id=JOURNAL, position=0))
    world.events = [0.0, 1.0]
    world.seconds = 5 * DAY
    await world.run()
    assert world.received == [1, 2]


async def test_full_disk_holds_deliveries_back_instead_of_doubling_them() -> None:
    world = World(up=lambda _now: True, progress=Progress(journal_id=JOURNAL, position=0))
    world.events = [0.0, 10.0, 20.0]
    world.disk_fails = 3
    await world.run()
    assert world.received == [1, 2, 3]
    assert world.saved == Progress(journal_id=JOURNAL, position=3)
