"""Follows a media server's feed: reads on from where the database says, keeps each page whole, and never gives up.

It may be killed between any two steps: the cursor changes in the transaction that keeps the facts, and facts that come
again change nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from control_api.client import BadRequestError, ControlClient, ControlError, GoneError, RefusedError
from control_api.client.patience import Patience
from control_api.contract import EventQuery, FeedEvent
from lms.attendance.keeping import Kept, begin_anew, keep_page, read_cursor
from lms.database.database import Database
from lms.database.transaction import Transaction

logger = logging.getLogger(__name__)

PAGE_EVENTS: Final = 500
WAIT_S: Final = 10
"""Of one long poll. If the server is lost for ever, presence ends when we last heard of it: within a heartbeat."""

BACKOFF: Final = Patience(backoff_s=0.5, backoff_max_s=15.0)
_FAILURES_MAX: Final = 10

TakeKept = Callable[[Sequence[Kept]], None]
KeepEvents = Callable[[Transaction, Sequence[FeedEvent]], Awaitable[None]]


class FeedReader:
    """Runs from `start` to `close`."""

    def __init__(self, database: Database, control: ControlClient, server: str, *, wait_s: int = WAIT_S) -> None:
        """`server` names the media server in the database: its address."""
        self._database = database
        self._control = control
        self._server = server
        self._wait_s = wait_s
        self._listeners: list[TakeKept] = []
        self._keepers: list[KeepEvents] = []
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        """How often in a row the feed could not be read."""
        self.pages = 0
        self.begun_anew = 0
        """How often what followed our cursor was gone."""

    def on_facts(self, take: TakeKept) -> None:
        """Have a function told of new facts once they are kept; it must not raise, and does not wait."""
        self._listeners.append(take)

    def also_keep(self, keep: KeepEvents) -> None:
        """Have a function keep what it wants of each page, in the transaction that keeps our place."""
        self._keepers.append(keep)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="attendance feed")

    async def close(self) -> None:
        """Stop; a page that was under way comes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def read_once(self) -> int:
        """Read and keep one page; return how many of its facts were new. Raises ControlError."""
        async with self._database.read_all() as transaction:
            cursor = await read_cursor(transaction, self._server)
        try:
            page = await self._control.read_events(EventQuery(after=cursor, limit=PAGE_EVENTS, wait_s=self._wait_s))
        except (GoneError, BadRequestError) as error:
            if cursor is None or error.code not in {"cursor_gone", "bad_cursor"}:
                raise
            await self._begin_anew(cursor, error)
            return 0
        async with self._database.write_all() as transaction:
            is_newest = len(page.events) < PAGE_EVENTS
            kept = await keep_page(transaction, self._server, page.events, page.cursor, is_newest=is_newest)
            for keep in self._keepers:
                await keep(transaction, page.events)
        self.pages += 1
        for listener in self._listeners:
            listener(kept)
        return len(kept)

    async def _begin_anew(self, cursor: str, error: RefusedError) -> None:
        logger.error(
            "events after our cursor are gone: attendance of classes since then may be incomplete",
            extra={"server": self._server, "cursor": cursor, "because": error.code},
        )
        self.begun_anew += 1
        async with self._database.write_all() as transaction:
            await begin_anew(transaction, self._server)

    async def _run(self) -> None:
        while True:
            try:
                await self.read_once()
            except Exception as error:  # noqa: BLE001 - whatever it is, presence is being lost while we do not read
                self.failures += 1
                self._complain(error)
                attempt = min(self.failures, _FAILURES_MAX)
                retry_after_s = error.retry_after_s if isinstance(error, RefusedError) else None
                await asyncio.sleep(BACKOFF.wait_s(attempt, retry_after_s=retry_after_s, chance=random.random()))
                continue
            if self.failures:
                logger.warning("the feed is read again", extra={"server": self._server, "failures": self.failures})
            self.failures = 0

    def _complain(self, error: Exception) -> None:
        """Log the first failure of a row, and those that nobody expects."""
        if isinstance(error, ControlError):
            if self.failures == 1:
                logger.error("the feed cannot be read", extra={"server": self._server, "because": str(error)})
        else:
            logger.error("what the feed told could not be kept", extra={"server": self._server}, exc_info=error)
