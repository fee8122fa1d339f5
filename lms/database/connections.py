"""Connections to PostgreSQL, lent for one transaction each: at most so many, and each in somebody's name.

A connection keeps the role and the organization that it was last lent for, so who comes for the same organization
finds it as they need it. That is changed between transactions, in a trip of its own: so nothing undoes it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lms.database.straight import Loading
from lms.database.wire import Asked, Wire, WireText

ROLE_OF_TENANT: Final = "halqa_lms"
ROLE_OF_SERVICE: Final = "halqa_lms_service"


class Name(NamedTuple):
    """In whose name PostgreSQL is asked."""

    role: str
    org: str

    @classmethod
    def of(cls, org_id: UUID | None) -> Name:
        """Return the name of an organization; None: of the service."""
        return cls(ROLE_OF_SERVICE, "") if org_id is None else cls(ROLE_OF_TENANT, str(org_id))


_READ_ONLY: Final = WireText(b"SET default_transaction_read_only = on", (), ())
_TAKE_ON: Final = {role: WireText(f"SET ROLE {role}".encode(), (), ()) for role in (ROLE_OF_TENANT, ROLE_OF_SERVICE)}
_SEE_ROWS_OF: Final = WireText(b"SELECT set_config('app.org', $1, false)", (0,), (0,))


class Lent:
    """A connection, by both ways that lead to it."""

    def __init__(self, connection: AsyncConnection, driver: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection
        self.wire = Wire(driver)
        self.loading = Loading(driver)
        self.name: Name | None = None
        """Who it acts for, outside of transactions too; None: not known."""

    async def act_for(self, name: Name) -> None:
        """Take on role and organization, for reading: `BEGIN READ WRITE` lets a transaction write. psycopg.Error."""
        if self.name == name:
            return
        self.name = None
        told = [Asked(_READ_ONLY, []), Asked(_TAKE_ON[name.role], []), Asked(_SEE_ROWS_OF, [name.org.encode()])]
        await self.wire.ask(told)
        self.name = name

    async def end(self) -> None:
        """Close it."""
        self.wire.unwatch()
        await self.connection.invalidate()
        await self.connection.close()


class Connections:
    """Open until `close`."""

    def __init__(self, engine: AsyncEngine, most: int, wait_s: float) -> None:
        self._engine = engine
        self._most = most
        self._wait_s = wait_s
        self._idle: list[Lent] = []
        """The one used last is the last: it has what is asked prepared, and in the processor's caches."""
        self._open = 0
        self._waiting: deque[asyncio.Future[Lent | None]] = deque()

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many are lent, and how many there may be."""
        return self._open - len(self._idle), self._most

    async def borrow(self, name: Name) -> Lent:
        """Return a connection that acts for somebody; PoolTimeoutError, DBAPIError, or psycopg.Error."""
        while True:
            lent = self._take(name) or await self._free()
            if lent.name is not None and lent.wire.is_broken():  # while nobody used it; says nothing of the server
                await self.drop(lent)
                continue
            try:
                await lent.act_for(name)
            except BaseException:
                await self.drop(lent)
                raise
            return lent

    def give_back(self, lent: Lent) -> None:
        """Take a connection back that is in no transaction."""
        lent.wire.watch()
        if not self._hand_on(lent):
            self._idle.append(lent)

    async def drop(self, lent: Lent) -> None:
        """Take a connection back that is of no use any more."""
        self._open -= 1
        self._hand_on(None)
        await lent.end()

    async def close(self) -> None:
        """Close those that are not lent."""
        while self._idle:
            await self.drop(self._idle.pop())

    def _take(self, name: Name) -> Lent | None:
        """Return a connection at rest: one of this name, else the one that was used longest ago."""
        idle = self._idle
        for place in range(len(idle) - 1, -1, -1):
            if idle[place].name == name:
                return idle.pop(place)
        return idle.pop(0) if idle else None

    async def _free(self) -> Lent:
        """Return a new connection, or wait for one to be given back."""
        if self._open >= self._most:
            lent = await self._wait()
            if lent is not None:
                return lent
        self._open += 1
        try:
            connection = await self._engine.connect()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            return Lent(connection, driver)
        except BaseException:
            self._open -= 1
            self._hand_on(None)
            raise

    async def _wait(self) -> Lent | None:
        """Return a connection that was given back, None if there may be another one."""
        waiting: asyncio.Future[Lent | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._wait_s):
                return await waiting
        except TimeoutError:
            self._unclaimed(waiting)
            raise PoolTimeoutError(f"no connection became free within {self._wait_s:g} s") from None
        except BaseException:
            self._unclaimed(waiting)
            raise

    def _unclaimed(self, waiting: asyncio.Future[Lent | None]) -> None:
        """Hand on what somebody was handed who does not wait any more."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        if waiting.done() and not waiting.cancelled():
            lent = waiting.result()
            if lent is not None:
                self.give_back(lent)
            else:
                self._hand_on(None)

    def _hand_on(self, lent: Lent | None) -> bool:
        """Give a connection, or the right to open one, to who waits for longest; False if nobody does."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(lent)
                return True
        return False
