"""The database of the service: engines, connections set up alike, and transactions for one tenant or for all.

    async with database.write(org_id) as transaction:
        await transaction.execute(insert(course).values(...))

SQLite: readers see a snapshot; writers come one after the other (one connection, BEGIN IMMEDIATE). PostgreSQL: each
transaction takes on a role without rights of its own, and `app.org` says which rows row-level security lets it see.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from lms.clock import Clock, SystemClock
from lms.database.connections import ROLE_OF_SERVICE, ROLE_OF_TENANT, Connections, Name
from lms.database.lock import FileLock
from lms.database.migrate import upgrade
from lms.database.settings import DatabaseSettings
from lms.database.straight import Straight, ToPostgresql, ToSqlite, explained
from lms.database.transaction import Transaction
from lms.database.ways import OnPostgresql, OnSqlite
from lms.errors import StartError

__all__ = ["ROLE_OF_SERVICE", "ROLE_OF_TENANT", "Database", "database_url", "is_sqlite"]

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


class Database:
    """Open from `open` to `close`."""

    def __init__(
        self,
        readers: AsyncEngine,
        writer: AsyncEngine,
        clock: Clock,
        lock: FileLock | None,
        lending: Connections | None,
    ) -> None:
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._lock = lock
        self._lending = lending
        """Of PostgreSQL."""
        self._to_sqlite = Straight(ToSqlite(readers.dialect))
        self._to_postgresql = Straight(ToPostgresql())

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
        lending = None if is_sqlite(url) else Connections(readers, settings.connections, settings.wait_s)
        return cls(readers, writer, clock or SystemClock(), lock, lending)

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
        if self._lending is not None:
            return self._lending.counts
        queues = [engine.pool for engine in (self._readers, self._writer) if isinstance(engine.pool, QueuePool)]
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
        async with self._transaction(None, writes=False) as transaction:
            await transaction.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        if self._lending is not None:
            await self._lending.close()
        await self._readers.dispose()
        if self._writer is not self._readers:
            await self._writer.dispose()
        if self._lock is not None:
            self._lock.close()

    def _transaction(self, org_id: UUID | None, *, writes: bool) -> AbstractAsyncContextManager[Transaction]:
        if self._lending is None:
            return self._on_sqlite(org_id, writes=writes)
        return self._on_postgresql(self._lending, org_id, writes=writes)

    @asynccontextmanager
    async def _on_sqlite(self, org_id: UUID | None, *, writes: bool) -> AsyncIterator[Transaction]:
        async with (self._writer if writes else self._readers).connect() as connection, connection.begin():
            way = OnSqlite(connection, self._to_sqlite)
            transaction = Transaction(way, org_id, self._clock.now(), writes=writes)
            yield transaction
            await _prepare(transaction)
        _act(transaction)

    @asynccontextmanager
    async def _on_postgresql(
        self, lending: Connections, org_id: UUID | None, *, writes: bool
    ) -> AsyncIterator[Transaction]:
        try:
            lent = await lending.borrow(Name.of(org_id))
        except psycopg.Error as error:
            raise explained(error, "SET ROLE", self._readers.dialect) from error
        way = OnPostgresql(lent, self._to_postgresql, writes=writes)
        transaction = Transaction(way, org_id, self._clock.now(), writes=writes)
        try:
            try:
                yield transaction
                await _prepare(transaction)
                await way.commit()
            except BaseException:
                await way.undo()
                raise
        finally:
            if lent.wire.is_at_rest:
                lending.give_back(lent)
            else:
                await lending.drop(lent)
        _act(transaction)


async def _prepare(transaction: Transaction) -> None:
    for prepare in transaction.before_commit:
        await prepare(transaction)


def _act(transaction: Transaction) -> None:
    for act in transaction.after_commit:
        act()


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


def _engines(url: URL, settings: DatabaseSettings) -> tuple[AsyncEngine, AsyncEngine]:
    """Return who reads and who writes: in PostgreSQL the same."""
    if not is_sqlite(url):
        engine = create_async_engine(
            url,
            poolclass=NullPool,  # connections are kept and lent by `Connections`
            isolation_level="AUTOCOMMIT",  # of the driver: we begin transactions ourselves, see `OnPostgresql`
            connect_args={
                # jit: compiling takes longer than any statement of ours, however much it is expected to cost.
                "options": "-c TimeZone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c jit=off",
                "application_name": "halqa lms",
                "connect_timeout": 10,
            },
        )
        return engine, engine
    readers = create_async_engine(url, pool_size=settings.readers, max_overflow=0, pool_timeout=settings.wait_s)
    writer = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=settings.wait_s)
    _set_up_sqlite(readers, begin="BEGIN", more=("PRAGMA query_only=ON",))
    _set_up_sqlite(writer, begin="BEGIN IMMEDIATE")
    return readers, writer


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
