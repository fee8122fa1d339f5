"""The feed over one journal: lines of JSON after a cursor, or a wait until there are some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ParamSpec, TypeVar

import msgspec

from control_api.feed.cursor import BadCursorError, Cursor, build_cursor
from control_api.journal.events import EventsLost
from control_api.journal.journal import Journal
from control_api.journal.reader import Item, JournalReader, PositionGoneError

P = ParamSpec("P")
T = TypeVar("T")


class CursorGoneError(Exception):
    """A cursor that was good once; what follows it cannot be had any more. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the feed."""

    lines: list[bytes]
    """One JSON object each, without line feed."""
    cursor: str
    """Where the next page begins."""


class _Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A line in place of events that are damaged: like an entry, without a place in any boot."""

    cursor: str
    node: str
    boot_id: None = None
    seq: None = None
    at: datetime
    uptime_s: None = None
    event: EventsLost


class Feed:
    """Many readers of one journal. Files are read on a thread of its own, one page at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reader = JournalReader(journal.folder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")

    def close(self) -> None:
        self._thread.shutdown()

    @property
    def now(self) -> Cursor:
        """The cursor after everything that is durable now."""
        return Cursor(self._journal.boot.journal_id, self._journal.durable)

    async def oldest(self) -> Cursor:
        """Return the cursor before everything that is kept."""
        position = await self._in_thread(self._reader.oldest)
        return Cursor(self._journal.boot.journal_id, position)

    def check(self, cursor: Cursor) -> None:
        """Raise CursorGoneError for the cursor of another journal, BadCursorError for one of the future."""
        if cursor.journal_id != self._journal.boot.journal_id:
            raise CursorGoneError("the journal of this cursor is gone; begin anew without after")
        if cursor.position > self._journal.durable:
            raise BadCursorError("after is a cursor of events that never were")

    async def read(self, cursor: Cursor, *, limit: int, wait_s: float = 0.0) -> Page:
        """Return what follows, waiting up to `wait_s` for the first; may be empty then. Raises as `check` does."""
        self.check(cursor)
        if self._journal.durable <= cursor.position and wait_s > 0:
            await self._journal.wait_beyond(cursor.position, timeout_s=wait_s)
        durable = self._journal.durable  # fixed before the files are listed: what is durable is in one of them
        try:
            items = await self._in_thread(self._reader.read, cursor.position, durable=durable, limit=limit)
        except PositionGoneError as gone:
            begin = build_cursor(Cursor(cursor.journal_id, gone.oldest))
            raise CursorGoneError(f"events after this cursor are no longer kept; the oldest follow {begin}") from None
        last = items[-1].position if items else cursor.position
        return Page(lines=[self._line(item) for item in items], cursor=build_cursor(Cursor(cursor.journal_id, last)))

    def _line(self, item: Item) -> bytes:
        cursor = build_cursor(Cursor(self._journal.boot.journal_id, item.position))
        if item.lost:
            lost = EventsLost(count=item.lost)
            return msgspec.json.encode(
                _Gap(cursor=cursor, node=self._journal.boot.node, at=datetime.now(UTC), event=lost)
            )
        return b'{"cursor":"%b",%b' % (cursor.encode(), item.payload[1:])

    async def _in_thread(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        call = partial(function, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
