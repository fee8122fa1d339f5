"""One task a receiver: reads the feed, sends, waits, and remembers how far it has got."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import msgspec

from control_api.feed.cursor import BadCursorError, Cursor, build_cursor, parse_cursor
from control_api.feed.feed import CursorGoneError, Page
from control_api.webhooks.delivery import BATCH_EVENTS_MAX, Delivery, Job, Progress
from control_api.webhooks.settings import WebhookEndpoint
from webapi.webhooks.sender import DeliveryFailedError
from webapi.webhooks.signature import sign

logger = logging.getLogger(__name__)

POLL_S: Final = 30.0  # a replay that was asked for meanwhile begins after at most so long; usually at once
SAVE_RETRY_S: Final = 5.0
FAULT_PAUSE_S: Final = 60.0  # a fault of ours would come again at once


class Source(Protocol):
    """Where events come from (`control_api.feed.feed.Feed`)."""

    @property
    def now(self) -> Cursor: ...
    async def oldest(self) -> Cursor: ...
    async def read(self, cursor: Cursor, *, limit: int, wait_s: float = 0.0) -> Page: ...


class Store(Protocol):
    """Where progress is kept (`ProgressFile`)."""

    def load(self) -> Progress | None: ...
    async def save(self, progress: Progress) -> None: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the worker meets it; tests have their own."""

    now: Callable[[], float] = time.monotonic
    wallclock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class _Line(msgspec.Struct):
    """What the worker reads of a line of the feed."""

    cursor: str
    at: datetime


Send = Callable[[str, dict[str, str], bytes], Awaitable[None]]
_line_decoder: Final = msgspec.json.Decoder(_Line)


class Worker:
    """Delivers to one receiver."""

    def __init__(
        self, endpoint: WebhookEndpoint, source: Source, send: Send, store: Store, *, give_up_s: float, clock: Clock
    ) -> None:
        """Take up where the store says; a new receiver begins with what happens from now on."""
        self.endpoint = endpoint
        self._source = source
        self._send = send
        self._store = store
        self._clock = clock
        self._woken = asyncio.Event()
        progress = store.load()
        self._saved = progress is not None
        if progress is None:
            progress = Progress(journal_id=source.now.journal_id, position=source.now.position)
        self.delivery = Delivery(progress, give_up_s=give_up_s)
        self.delivered = 0
        self.oldest_waiting: float | None = None
        """When the first event happened that is being delivered (seconds since 1970); None if none is."""

    async def run(self) -> None:
        """Deliver until cancelled."""
        if not self._saved:
            await self._save()
        while True:
            job = self.delivery.next_job()
            try:
                page = await self._read(job)
                if page.lines:
                    await self._deliver(job, page)
            except (CursorGoneError, BadCursorError) as error:
                await self._go_on_elsewhere(job, str(error))
            except Exception:
                logger.exception("webhook worker failed", extra={"webhook": self.endpoint.name})
                await self._clock.sleep(FAULT_PAUSE_S)

    def replay(self) -> int:
        """Deliver the dead letters again; returns how many ranges there are."""
        count = self.delivery.replay_dead()
        self._woken.set()
        return count

    @property
    def lag(self) -> int:
        """How many events this receiver is behind."""
        return max(0, self._source.now.position - self.delivery.progress.position)

    async def _read(self, job: Job) -> Page:
        """Return what the job is to send; empty after a while without events, or when a replay was asked for."""
        cursor = Cursor(self.delivery.progress.journal_id, job.after)
        if job.last is not None:
            return await self._source.read(cursor, limit=min(BATCH_EVENTS_MAX, job.last - job.after))
        self._woken.clear()
        reading = asyncio.ensure_future(self._source.read(cursor, limit=BATCH_EVENTS_MAX, wait_s=POLL_S))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait((reading, woken), return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else Page([], build_cursor(cursor))
        finally:
            for task in (reading, woken):
                task.cancel()
            await asyncio.gather(reading, woken, return_exceptions=True)

    async def _deliver(self, job: Job, page: Page) -> None:
        """Send one batch until it is taken or dead. It stays the same over all attempts, and so does its id."""
        newest = _line_decoder.decode(page.lines[-1])
        self.oldest_waiting = _line_decoder.decode(page.lines[0]).at.timestamp()
        last = parse_cursor(newest.cursor).position
        body = b'{"events":[' + b",".join(page.lines) + b"]}"
        while True:
            wallclock = self._clock.wallclock()
            headers = sign(self.endpoint.keys, page.cursor, int(wallclock), body)
            try:
                await self._send(self.endpoint.url, headers, body)
            except DeliveryFailedError as error:
                if self._note_failure(job, last, error, age_s=wallclock - newest.at.timestamp()):
                    break
                await self._clock.sleep(self.delivery.wait_s(now=self._clock.now()))
                continue
            if self.delivery.failures:
                logger.info("webhook is taken again", extra={"webhook": self.endpoint.name})
            self.delivery.succeeded(job, last)
            self.delivered += len(page.lines)
            break
        self.oldest_waiting = None
        await self._save()

    def _note_failure(self, job: Job, last: int, error: DeliveryFailedError, *, age_s: float) -> bool:
        if self.delivery.failures == 0:
            logger.warning("webhook fails", extra={"webhook": self.endpoint.name, "because": str(error)})
        dead = self.delivery.failed(
            job, last, str(error), now=self._clock.now(), age_s=age_s, chance=self._clock.chance()
        )
        if dead:
            logger.error(
                "webhook events are dead letters now",
                extra={"webhook": self.endpoint.name, "events": last - job.after, "because": str(error)},
            )
        return dead

    async def _go_on_elsewhere(self, job: Job, because: str) -> None:
        logger.error("webhook events cannot be had any more", extra={"webhook": self.endpoint.name, "because": because})
        if job.last is not None:
            self.delivery.skip_replay()
        else:
            oldest = await self._source.oldest()
            self.delivery.restart(oldest.journal_id, oldest.position)
        await self._save()

    async def _save(self) -> None:
        """Keep the progress. While the disk takes nothing, wait: going on would deliver twice after a restart."""
        while True:
            try:
                await self._store.save(self.delivery.progress)
                return
            except OSError as error:
                logger.error("webhook progress cannot be kept", extra={"because": error.strerror})  # noqa: TRY400
                await self._clock.sleep(SAVE_RETRY_S)
