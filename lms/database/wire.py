"""One connection to PostgreSQL, spoken to by libpq itself: statements that are prepared once, several in one trip.

psycopg opens it, and SQLAlchemy still uses it for statements that are made up on the way. What is asked at every
request goes here: libpq's pipeline mode sends any number of statements in one packet, and reads the answers as they
come, without a task, an event or a change of what the loop watches. If one statement fails, the server leaves out
those behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

PREPARED_MAX: Final = 300
"""Statements that a connection keeps prepared, some 50 KB each in the server; the code has some two hundred."""
BINARY: Final = 1
_DONE: Final = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})


@dataclass(frozen=True, slots=True, eq=False)
class WireText:
    """A statement as the server prepares it; each is a key of its own."""

    text: bytes
    oids: tuple[int, ...]
    """Types of the parameters; 0: what the server infers."""
    formats: tuple[int, ...]


class Asked(NamedTuple):
    """A statement with its values as they are sent."""

    text: WireText
    values: list[bytes | None]


class Wire:
    """Of one connection, for one asker at a time."""

    def __init__(self, driver: psycopg.AsyncConnection[Any]) -> None:
        self._pgconn = driver.pgconn
        self._loop = asyncio.get_running_loop()
        self._names: dict[WireText, bytes] = {}
        """What is prepared, the longest unused first."""
        self._numbers = itertools.count()
        self._watched: int | None = None
        """The socket as the loop knows it: libpq closes its own when the server has."""
        self._waiting: asyncio.Future[None] | None = None
        self._fault: psycopg.OperationalError | None = None
        self._is_asking = False

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be asked here any more."""
        return self._fault is not None or self._is_asking or self._pgconn.status != ConnStatus.OK

    @property
    def is_at_rest(self) -> bool:
        """Whether it can be lent to somebody else: not lost, and in no transaction."""
        return not self.is_lost and self._pgconn.transaction_status == TransactionStatus.IDLE

    def is_broken(self) -> bool:
        """Look whether a connection at rest was closed; costs a call of the system, and waits for nothing."""
        if self._fault is None:
            self._read()
        return self.is_lost

    async def ask(self, asked: Sequence[Asked]) -> list[PGresult]:
        """Run statements in one trip and return their results; raises psycopg.Error of the first that fails.

        Without BEGIN they are one transaction. Who is cancelled meanwhile leaves the connection lost.
        """
        self.watch()
        self._is_asking = True
        expected = self._send(asked)
        while self._pgconn.flush():
            await self._writable()
        results: list[PGresult] = []
        error: psycopg.Error | None = None
        for text in expected:
            result = await self._next()
            if result.status in _DONE:
                if text is None:
                    results.append(result)
                continue
            if text is not None:
                self._names.pop(text, None)
            if result.status != ExecStatus.PIPELINE_ABORTED:
                error = error_from_result(result)
        synchronized = await self._next()
        assert synchronized.status == ExecStatus.PIPELINE_SYNC, f"{synchronized.status} for the end of a pipeline"
        self._pgconn.exit_pipeline_mode()
        self._is_asking = False
        if error is not None:
            raise error
        return results

    def watch(self) -> None:
        """Have the loop say when something comes: also to a connection at rest, that it was closed."""
        if self._watched is None and self._fault is None:
            self._watched = self._pgconn.socket
            self._loop.add_reader(self._watched, self._read)

    def unwatch(self) -> None:
        """Leave the socket to psycopg, or to be closed."""
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None

    def _send(self, asked: Sequence[Asked]) -> list[WireText | None]:
        """Put statements on their way and return what is answered in this order: preparations have a text."""
        pgconn, expected = self._pgconn, list[WireText | None]()
        pgconn.enter_pipeline_mode()
        for text, values in asked:
            name = self._names.pop(text, None)
            if name is None:
                name = b"halqa%d" % next(self._numbers)
                if len(self._names) >= PREPARED_MAX:
                    pgconn.send_close_prepared(self._names.pop(next(iter(self._names))))
                    expected.append(text)
                pgconn.send_prepare(name, text.text, text.oids)
                expected.append(text)
            self._names[text] = name
            pgconn.send_query_prepared(name, values, text.formats, BINARY)
            expected.append(None)
        pgconn.pipeline_sync()
        return expected

    async def _next(self) -> PGresult:
        pgconn = self._pgconn
        for _ in range(3):  # libpq ends each statement's results by None
            while pgconn.is_busy():
                self._waiting = self._loop.create_future()
                await self._waiting
            if self._fault is not None:
                raise self._fault
            result = pgconn.get_result()
            if result is not None:
                return result
        raise psycopg.OperationalError("the connection was lost")

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            is_busy = self._pgconn.is_busy()
        except psycopg.OperationalError as error:
            self._fault, is_busy = error, 0
            self.unwatch()
        waiting = self._waiting
        if waiting is not None and not is_busy:
            self._waiting = None
            if not waiting.done():
                waiting.set_result(None)

    async def _writable(self) -> None:
        """Wait until more can be sent; what comes meanwhile is read, so that the server goes on reading."""
        ready = self._loop.create_future()
        socket = self._pgconn.socket
        self._loop.add_writer(socket, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            with contextlib.suppress(ValueError, OSError):
                self._loop.remove_writer(socket)
        if self._fault is not None:
            raise self._fault
