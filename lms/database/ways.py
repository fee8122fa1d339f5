"""How the statements of one transaction reach the database: two ways that mean the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import psycopg
from psycopg.errors import InFailedSqlTransaction
from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from lms.database.connections import Lent
from lms.database.prepared import Prepared
from lms.database.straight import Straight, explained
from lms.database.wire import Asked, WireText

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class WayOfTransaction(Protocol):
    """From the first statement to the last."""

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's."""
        ...

    @property
    def is_postgresql(self) -> bool: ...

    async def rows(self, statements: Sequence[Prepared]) -> Sequence[Sequence[Row[Any]]]:
        """Run prepared statements one after the other, and return the rows of each."""
        ...

    def ahead(self, statements: Sequence[Prepared]) -> None:
        """Ask with the next trip what will be asked soon."""
        ...

    async def later(self, statement: Prepared) -> None:
        """Run a statement with those that come next, at the latest with the commit."""
        ...

    async def execute(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        """Run a statement that is made up here."""
        ...


class OnSqlite:
    """By SQLAlchemy's connection, which begins and ends the transaction, and straight to the driver."""

    is_postgresql = False

    def __init__(self, connection: AsyncConnection, straight: Straight[str]) -> None:
        self.connection = connection
        self._straight = straight
        self._driver: Any = None

    async def rows(self, statements: Sequence[Prepared]) -> Sequence[Sequence[Row[Any]]]:
        """Run statements and return the rows of each; raises what SQLAlchemy would raise."""
        if self._driver is None:
            self._driver = (await self.connection.get_raw_connection()).driver_connection
        found = []
        for statement in statements:
            compiled = self._straight.compile(statement)
            text, values = compiled.ask(statement.values)
            try:
                fetched = await self._driver.execute_fetchall(text, values)
            except sqlite3.Error as error:
                raise explained(error, text, self.connection.dialect) from error
            make = compiled.row_maker(_no_kind)
            found.append([make(each) for each in fetched])
        return found

    def ahead(self, statements: Sequence[Prepared]) -> None:
        """Do nothing: there is no way that could be saved."""

    async def later(self, statement: Prepared) -> None:
        """Run a statement: there is no way that could be saved."""
        await self.rows((statement,))

    async def execute(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        """Run a statement that is made up here."""
        result = await self.connection.execute(statement, parameters)
        assert isinstance(result, CursorResult)
        return result


_BEGIN: Final = Asked(WireText(b"BEGIN READ WRITE", (), ()), [])
_COMMIT: Final = Asked(WireText(b"COMMIT", (), ()), [])
_ROLLBACK: Final = Asked(WireText(b"ROLLBACK", (), ()), [])


class OnPostgresql:
    """By libpq; who writes begins with the first statement that writes or locks, who only reads has no transaction.

    With READ COMMITTED each statement sees what is committed, within a transaction or without.
    """

    is_postgresql = True

    def __init__(self, lent: Lent, straight: Straight[WireText], *, writes: bool) -> None:
        self._lent = lent
        self._straight = straight
        self._writes = writes
        self._begun = False
        self._waiting: list[Asked] = []
        """What is sent before the next statements; the first begins the transaction."""
        self._ahead: list[Prepared] = []
        """What is sent beside the next statements, unless they write."""
        self._known: dict[Hashable, Sequence[Row[Any]]] = {}
        """What was asked ahead, until something is written."""

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's; whoever asks for it may leave the connection as it was not."""
        self._lent.name = None
        self._lent.wire.unwatch()
        return self._lent.connection

    async def rows(self, statements: Sequence[Prepared]) -> Sequence[Sequence[Row[Any]]]:
        """Run statements in one trip and return the rows of each; raises what SQLAlchemy would raise."""
        if self._known:
            known = [self._known.get(each.key) for each in statements]
            if None not in known:
                return [each for each in known if each is not None]
        compiled = [self._straight.compile(each) for each in statements]
        ahead: dict[Hashable, Prepared] = {}
        if not all(each.only_reads for each in compiled):
            self._begin()
        elif self._ahead:
            ahead = {each.key: each for each in self._ahead if each.key not in self._known}
            self._ahead.clear()
        wanted = {each.key for each in statements} & ahead.keys() if ahead else set()
        more = [each for key, each in ahead.items() if key not in wanted]
        compiled += [self._straight.compile(each) for each in more]
        asked = [Asked(*each.ask(one.values)) for each, one in zip(compiled, (*statements, *more), strict=True)]
        results = await self._go(asked)
        found = [self._lent.loading.rows(each, result) for each, result in zip(compiled, results, strict=True)]
        for one, rows in zip((*statements, *more), found, strict=True) if ahead else ():
            if one.key in ahead:
                self._known[one.key] = rows
        return found[: len(statements)]

    def ahead(self, statements: Sequence[Prepared]) -> None:
        """Ask with the next trip what will be asked soon; none of it may write."""
        self._ahead.extend(statements)

    async def later(self, statement: Prepared) -> None:
        """Run a statement with those that come next, at the latest with the commit."""
        self._begin()
        self._waiting.append(Asked(*self._straight.compile(statement).ask(statement.values)))

    async def execute(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        """Run a statement that is made up here."""
        self._begin()
        if self._waiting:
            await self._go(())
        self._lent.wire.unwatch()
        result = await self._lent.connection.execute(statement, parameters)
        assert isinstance(result, CursorResult)
        return result

    def _begin(self) -> None:
        """Have what comes be one transaction; what was asked ahead may not be so any more."""
        self._ahead.clear()
        self._known.clear()
        if self._writes and not self._begun:
            self._begun = True
            self._waiting.append(_BEGIN)

    async def commit(self) -> None:
        """End it well; raises what SQLAlchemy would raise."""
        if self._begun:
            [result] = await self._go((_COMMIT,))
            if result.command_status != b"COMMIT":
                error = InFailedSqlTransaction("a statement had failed, and nobody said so")
                raise explained(error, (_COMMIT,), self._lent.connection.dialect)

    async def undo(self) -> None:
        """End it as if nothing had been written; a connection that is lost has, one where this fails must be."""
        if self._begun and _BEGIN not in self._waiting and not self._lent.wire.is_lost:
            self._waiting.clear()
            with suppress(DBAPIError):  # what went wrong before is what is told
                await self._go((_ROLLBACK,))

    async def _go(self, asked: Sequence[Asked]) -> Sequence[Any]:
        waiting, self._waiting = self._waiting, []
        wire = self._lent.wire
        try:
            return (await wire.ask([*waiting, *asked]))[len(waiting) :]
        except psycopg.Error as error:
            dialect = self._lent.connection.dialect
            raise explained(error, [*waiting, *asked], dialect, lost=wire.is_lost) from error


def _no_kind(_column: int) -> int:
    """Return as which type SQLite has a column: it has none."""
    return 0
