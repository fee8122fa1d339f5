"""How notes get from one process to the others: by PostgreSQL's LISTEN and NOTIFY. With SQLite there is one process.

A note that is part of a transaction is heard if and only if it is committed, in the order of commits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import URL, bindparam, func, select

from lms.database.prepared import Prepared
from lms.database.transaction import Transaction
from lms.database.types import TEXT
from lms.live.notes import AnyNote, Note, decode_note, encode_note

logger = logging.getLogger(__name__)

CHANNEL: Final = "halqa_live"
SILENCE_S: Final = 15.0
"""Without a note for so long, the connection is tried."""
RETRY_FIRST_S: Final = 0.2
RETRY_LAST_S: Final = 5.0
LAST_WORDS_S: Final = 1.0
"""At the end, for what is still to be said."""
PASSING_MAX: Final = 2000
"""Notes outside of transactions that wait to be sent; the oldest is dropped: it is passing anyway."""
_TELL: Final = select(func.pg_notify(CHANNEL, bindparam("note", type_=TEXT)))
_CONNECT: Final[dict[str, Any]] = {"application_name": "halqa lms live", "connect_timeout": 10, "keepalives_idle": 20}


class Bus(Protocol):
    """Carries notes to the other processes."""

    async def tell(self, transaction: Transaction, note: Note) -> None:
        """Have a note heard by all others once the transaction is committed."""
        ...

    def say(self, note: Note) -> None:
        """Have a note heard by all others, soon or not at all."""
        ...

    async def start(self, hear: Callable[[AnyNote], None], missed: Callable[[], None]) -> None:
        """Begin; `hear` gets notes of all processes, `missed` is called when some may have got lost."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class LocalBus:
    """There are no other processes."""

    async def tell(self, transaction: Transaction, note: Note) -> None:
        """Nobody to tell."""

    def say(self, note: Note) -> None:
        """Nobody to tell."""

    async def start(self, hear: Callable[[AnyNote], None], missed: Callable[[], None]) -> None:
        """Nobody to hear."""

    async def close(self) -> None:
        """Nothing runs."""


class PostgresqlBus:
    """Two connections of its own: one listens, one says what is passing."""

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._tasks: list[asyncio.Task[None]] = []
        self._passing: deque[str] = deque(maxlen=PASSING_MAX)
        self._to_say = asyncio.Event()
        self._listening = asyncio.Event()
        self._said = asyncio.Event()
        self._said.set()

    async def tell(self, transaction: Transaction, note: Note) -> None:
        """Have a note heard by all others once the transaction is committed."""
        await transaction.later(Prepared(_TELL, {"note": encode_note(note)}))

    def say(self, note: Note) -> None:
        """Have a note heard by all others, soon or not at all."""
        self._passing.append(encode_note(note))
        self._said.clear()
        self._to_say.set()

    async def start(self, hear: Callable[[AnyNote], None], missed: Callable[[], None]) -> None:
        """Begin, and return when this process hears the others."""
        self._tasks = [
            asyncio.create_task(self._keep(lambda: self._listen(hear, missed)), name="live: listen"),
            asyncio.create_task(self._keep(self._speak), name="live: speak"),
        ]
        with contextlib.suppress(TimeoutError):  # the database is away: it is tried on
            async with asyncio.timeout(RETRY_LAST_S):
                await self._listening.wait()

    async def close(self) -> None:
        """Say what is still to be said, and stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._said.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, run: Callable[[], object]) -> None:
        """Run something for ever, again with growing pauses."""
        pause_s = RETRY_FIRST_S
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await run()  # type: ignore[misc]
            except (psycopg.Error, OSError) as error:
                logger.warning("processes cannot hear each other", extra={"error": str(error).strip()[:200]})
            if asyncio.get_running_loop().time() - began > RETRY_LAST_S:
                pause_s = RETRY_FIRST_S
            await asyncio.sleep(pause_s)
            pause_s = min(RETRY_LAST_S, pause_s * 2)

    async def _listen(self, hear: Callable[[AnyNote], None], missed: Callable[[], None]) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_CONNECT) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._listening.set()
            missed()
            while True:
                async for notification in connection.notifies(timeout=SILENCE_S):
                    note = decode_note(notification.payload)
                    if note is not None:
                        hear(note)
                await connection.execute("SELECT 1")

    async def _speak(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_CONNECT) as connection:
            while True:
                while self._passing:
                    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._passing[0]))
                    self._passing.popleft()
                self._said.set()
                self._to_say.clear()
                await self._to_say.wait()
