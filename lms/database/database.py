"""The database of the service: engines, connections set up alike, and transactions for one tenant or for all.

    async with database.write(org_id) as transaction:
        await transaction.execute(insert(course).values(...))

SQLite: readers see a snapshot; writers come one after the other (one connection, BEGIN IMMEDIATE). PostgreSQL: each
transaction takes on a role without rights of its own, and `app.org` says which rows row-level security lets it see.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import psycopg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from lms.clock import Clock, SystemClock
from lms.database.lock import FileLock
from lms.database.migrate import upgrade
from lms.database.settings import DatabaseSettings
from lms.database.straight import Straight
from lms.database.transaction import Transaction
from lms.errors import StartError

ROLE_OF_TENANT: Final = "halqa_lms"
ROLE_OF_SERVICE: Final = "halqa_lms_service"

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what was acknowledged survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA temp_store=MEMORY",
)


STARTING_S_MAX: Final = 30.0
"""For a PostgreSQL that was started at the same time as the service."""
AGAIN_S: Final = 0.5

PREPARED_MAX: Final = 300
"""Statements that a connection to PostgreSQL keeps prepared, some 50 KB each there; the code has some two hundred."""

_READ_ONLY: Final = "SET default_transaction_read_only = on"
_READS_AS: Final = "reads as"
"""Under which name a connection reads, in what SQLAlchemy remembers of it."""


class _Name(NamedTuple):
    """In whose name PostgreSQL is asked."""

    role: str
    org: str


class Database:
    """Open from `open` to `close`."""

    def __init__(
        self, readers: AsyncEngine, writer: AsyncEngine, clock: Clock, lock: FileLock | None, *, connections: int
    ) -> None:
        self._connections = connections
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._lock = lock
        self._straight = Straight(readers.dialect)

    @classmethod
    async def open(
        cls, settings: DatabaseSettings, data: Path, clock: Clock | None = None, *, migrate: bool = True
    ) -> Self:
        """Connect, and bring the tables up to date; raises StartError."""
        url = database_url(settings, data)
        lock = None
        if is_sqlite(url):
            lock = _lock(Path(url.database or ""))
        try:
            if migrate:
                await _bring_up_to_date(url)
            readers, writer = _engines(url, settings)
        except BaseException:
            if lock is not None:
                lock.close()
            raise
        return cls(readers, writer, clock or SystemClock(), lock, connections=settings.connections)

    @property
    def url(self) -> URL:
        """Where it is, with the password."""
        return self._readers.url

    @property
    def is_postgresql(self) -> bool:
        return self._readers.dialect.name == "postgresql"

    @property
    def connections(self) -> tuple[int, int]:
        """Return how many connections are in use now, and how many there may be."""
        pools = {id(engine.pool): engine.pool for engine in (self._readers, self._writer)}.values()
        queues = [pool for pool in pools if isinstance(pool, QueuePool)]
        return sum(pool.checkedout() for pool in queues), sum(pool.size() for pool in queues)

    def read(self, org_id: UUID) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction that sees the rows of one organization and writes nothing."""
        return self._transaction(org_id, writes=False)

    def write(self, org_id: UUID) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction that sees and writes the rows of one organization."""
        return self._transaction(org_id, writes=True)

    def read_all(self) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction that sees every organization: for finding out which one is meant, and for jobs."""
        return self._transaction(None, writes=False)

    def write_all(self) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction that writes for every organization: for jobs, and for making organizations."""
        return self._transaction(None, writes=True)

    async def check(self) -> None:
        """Return if the database answers; raises what it raises."""
        async with self._readers.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self._readers.dispose()
        if self._writer is not self._readers:
            await self._writer.dispose()
        if self._lock is not None:
            self._lock.close()

    @asynccontextmanager
    async def _transaction(self, org_id: UUID | None, *, writes: bool) -> AsyncIterator[Transaction]:
        async with (self._writer if writes else self._readers).connect() as connection:
            if self.is_postgresql:
                await self._begin(connection, org_id, writes=writes)
            transaction = Transaction(connection, self._straight, org_id, self._clock.now(), writes=writes)
            async with connection.begin():
                yield transaction
                for prepare in transaction.before_commit:
                    await prepare(transaction)
        for act in transaction.after_commit:
            act()

    async def _begin(self, connection: AsyncConnection, org_id: UUID | None, *, writes: bool) -> None:
        """Begin a transaction of PostgreSQL, on the driver's own connection: in whose name, and seeing which rows.

        Who writes gets one that is true to the name; it costs one way there and back. Who reads gets none: with READ
        COMMITTED each statement sees what is committed, within a transaction or without. So the connection itself takes
        on role and organization for reading, and has them still when it reads for the same organization again.

        A connection that broke while it lay in the pool is found out here, where nothing has been done yet, and another
        is taken: that costs nothing, and asking each one whether it lives would.
        """
        name = _name(org_id)
        for stale in range(self._connections, -1, -1):
            taken = await connection.get_raw_connection()
            driver: Any = taken.driver_connection
            if not writes and taken.info.get(_READS_AS) == name and not _has_news(driver):
                return
            try:
                if writes:
                    await driver.execute(
                        f"BEGIN READ WRITE; SET LOCAL ROLE {name.role}; SET LOCAL app.org = '{name.org}'"
                    )
                else:
                    taken.info.pop(_READS_AS, None)
                    await driver.execute(f"{_READ_ONLY}; SET ROLE {name.role}; SET app.org = '{name.org}'")
                    taken.info[_READS_AS] = name
                return
            except psycopg.OperationalError as error:
                if not stale or not driver.closed:
                    raise OperationalError(None, None, error) from error
                await connection.invalidate(error)


async def _bring_up_to_date(url: URL) -> None:
    """Migrate; a database that is starting, or recovers from a crash, is waited for. Raises StartError."""
    deadline = time.monotonic() + STARTING_S_MAX
    while True:
        try:
            await asyncio.to_thread(upgrade, url)
            return
        except OperationalError as error:
            if is_sqlite(url) or time.monotonic() > deadline:
                raise StartError(f"the database cannot be used: {error.orig}") from None
            await asyncio.sleep(AGAIN_S)


def _lock(file: Path) -> FileLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock.take(file.with_suffix(".lock"))


def database_url(settings: DatabaseSettings, data: Path) -> URL:
    """Return where the database is, by default a file of the data folder; raises StartError."""
    if settings.url is None:
        return URL.create("sqlite+aiosqlite", database=str(data / "lms.sqlite"))
    try:
        url = make_url(settings.url)
    except ArgumentError:
        raise StartError("database.url is no address, expected e.g. postgresql://user:password@host/name") from None
    if url.drivername.partition("+")[0] in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if is_sqlite(url) and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite+aiosqlite")
    raise StartError(f"database.url begins with {url.drivername}, expected postgresql://... or sqlite:///FILE")


def is_sqlite(url: URL) -> bool:
    """Return whether an address is of SQLite."""
    return url.drivername.partition("+")[0] == "sqlite"


def _name(org_id: UUID | None) -> _Name:
    return _Name(ROLE_OF_SERVICE, "") if org_id is None else _Name(ROLE_OF_TENANT, str(org_id))


def _has_news(driver: Any) -> bool:
    """Return whether a connection that waits for nothing was sent something: as a rule, that it is closed."""
    poll = select.poll()
    poll.register(driver.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def _engines(url: URL, settings: DatabaseSettings) -> tuple[AsyncEngine, AsyncEngine]:
    """Return who reads and who writes: in PostgreSQL the same."""
    if not is_sqlite(url):
        engine = create_async_engine(
            url,
            pool_size=settings.connections,
            max_overflow=0,
            pool_timeout=settings.wait_s,
            pool_use_lifo=True,  # who was used last has what is asked prepared, and in the processor's caches
            isolation_level="AUTOCOMMIT",  # of the driver: we begin transactions ourselves, see `_begin`
            connect_args={
                "options": "-c TimeZone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
                "application_name": "halqa lms",
                "connect_timeout": 10,
            },
        )
        event.listen(engine.sync_engine, "connect", _keep_prepared)
        return engine, engine
    readers = create_async_engine(url, pool_size=settings.readers, max_overflow=0, pool_timeout=settings.wait_s)
    writer = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=settings.wait_s)
    _set_up_sqlite(readers, begin="BEGIN", more=("PRAGMA query_only=ON",))
    _set_up_sqlite(writer, begin="BEGIN IMMEDIATE")
    return readers, writer


def _keep_prepared(connection: Any, _record: Any) -> None:
    connection.driver_connection.prepared_max = PREPARED_MAX


def _set_up_sqlite(engine: AsyncEngine, *, begin: str, more: tuple[str, ...] = ()) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        cursor = connection.cursor()
        for pragma in (*_SQLITE_PRAGMAS, *more):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: Any) -> None:
        connection.exec_driver_sql(begin)
