"""Acts on the outbox's messages: at least once, in order for each topic and key, again with growing pauses.

The process that acts on a message holds it by `next_at`: it is put into the future first, so that another process
passes it over, and finds it again if the first one dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, select, update

from lms.clock import Clock
from lms.database.database import Database
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.outbox.tables import outbox

logger = logging.getLogger(__name__)

BATCH: Final = 50
HELD: Final = timedelta(seconds=60)
"""For so long a message is one process's; consumers have timeouts below it."""
CONSUMER_TIMEOUT_S: Final = 45.0
PAUSE_S: Final = 5.0
"""Between looks at the table when nobody wakes it: for what other processes wrote, and for second attempts."""
FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 900.0
ATTEMPTS_MAX: Final = 30  # some five hours; then it stays as it is, and an operator is told
KEPT: Final = timedelta(days=7)
ERROR_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the outbox."""

    org_id: UUID
    id: UUID
    """The same each time it comes: for consumers that must not act twice."""
    topic: str
    key: str
    payload: dict[str, Any]
    created_at: datetime


Consume = Callable[[Message], Awaitable[None]]


class Relay:
    """Runs from `start` to `close`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._consumers: dict[str, list[Consume]] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.given_up = 0
        """Messages that were tried for the last time."""

    def on(self, topic: str, consume: Consume) -> None:
        """Have messages of a topic given to a function; what it raises has it come again."""
        self._consumers.setdefault(topic, []).append(consume)

    def acts_on(self, topic: str) -> bool:
        """Return whether anybody acts on messages of a topic."""
        return topic in self._consumers

    def wake(self) -> None:
        """Look at the table now."""
        self._woken.set()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="outbox")

    async def close(self) -> None:
        """Stop; what was begun and is not done comes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> int:
        """Act on what is due now, and return how many messages that were; for tests, and for the end of a demo."""
        done = 0
        while batch := await self._take():
            for message, attempts in batch:
                await self._act(message, attempts)
            done += len(batch)
        return done

    async def _run(self) -> None:
        while True:
            try:
                self._woken.clear()
                await self.run_once()
                async with asyncio.timeout(PAUSE_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            except Exception:
                logger.exception("the outbox could not be read")
                await asyncio.sleep(PAUSE_S)

    async def _take(self) -> list[tuple[Message, int]]:
        """Take the first due messages, of each topic and key at most the first one that is open."""
        async with self._database.write_all() as transaction:
            now = self._clock.now()
            rows = await transaction.rows(_due(now))
            await _hold(transaction, rows, now + HELD)
        return [(_message(row), row.attempts) for row in rows]

    async def _act(self, message: Message, attempts: int) -> None:
        consumers = self._consumers.get(message.topic, ())
        error: str | None = None
        try:
            async with asyncio.timeout(CONSUMER_TIMEOUT_S):
                for consume in consumers:
                    await consume(message)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"[:ERROR_CHARACTERS_MAX]
            logger.warning(
                "a message could not be acted on",
                extra={"topic": message.topic, "attempt": attempts + 1, "error": error},
                exc_info=not isinstance(raised, OSError | TimeoutError),
            )
        now = self._clock.now()
        values: dict[str, Any] = {"published_at": now}
        if error is not None:
            pause = min(LAST_RETRY_S, FIRST_RETRY_S * 2**attempts)
            values = {"attempts": attempts + 1, "error": error, "next_at": now + timedelta(seconds=pause)}
            self.given_up += attempts + 1 >= ATTEMPTS_MAX
        async with self._database.write_all() as transaction:
            await transaction.execute(
                update(outbox).where(outbox.c.org_id == message.org_id, outbox.c.id == message.id).values(values)
            )


async def forget_old(transaction: Transaction) -> int:
    """Delete what was acted on a week ago and return how many; a job of the whole service."""
    done = await transaction.execute(delete(outbox).where(outbox.c.published_at < transaction.now - KEPT))
    return done.rowcount


@prepared
def _due(now: Any) -> Select[Any]:
    earlier = outbox.alias()
    first = ~(
        select(earlier.c.id)
        .where(
            earlier.c.org_id == outbox.c.org_id,
            earlier.c.topic == outbox.c.topic,
            earlier.c.key == outbox.c.key,
            earlier.c.published_at.is_(None),
            earlier.c.attempts < ATTEMPTS_MAX,
            earlier.c.id < outbox.c.id,
        )
        .exists()
    )
    return (
        select(outbox)
        .where(outbox.c.published_at.is_(None), outbox.c.next_at <= now, outbox.c.attempts < ATTEMPTS_MAX, first)
        .order_by(outbox.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )


async def _hold(transaction: Transaction, rows: Sequence[Row[Any]], until: datetime) -> None:
    for row in rows:
        await transaction.execute(
            update(outbox).where(outbox.c.org_id == row.org_id, outbox.c.id == row.id).values(next_at=until)
        )


def _message(row: Row[Any]) -> Message:
    return Message(row.org_id, row.id, row.topic, row.key, row.payload, row.created_at)
