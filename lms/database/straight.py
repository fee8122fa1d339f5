"""The way of prepared statements: straight to the driver, compiled once a database; errors are SQLAlchemy's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Executable, Row
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from lms.database.compiled import Compiled
from lms.database.prepared import Prepared


class Straight:
    """What a database has compiled so far: a few hundred statements, as many as the code has."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_postgresql = dialect.name == "postgresql"
        self._dialect = _in_places() if self._is_postgresql else dialect
        self._compiled: dict[Executable, dict[tuple[str, ...], Compiled]] = {}

    async def rows(self, connection: AsyncConnection, driver: Any, prepared: Prepared) -> Sequence[Row[Any]]:
        """Run a statement on the driver's connection and return all its rows; raises what SQLAlchemy would raise."""
        compiled = self._compile(prepared)
        text, values = compiled.ask(prepared.values)
        try:
            if self._is_postgresql:
                cursor = await driver.execute(text, values, prepare=True)
                return compiled.rows(await cursor.fetchall(), cursor.pgresult.ftype) if compiled.width else ()
            return compiled.rows(await driver.execute_fetchall(text, values), _no_kind)
        except (psycopg.Error, sqlite3.Error) as error:
            raise await self._explained(connection, driver, error, text) from error

    def _compile(self, prepared: Prepared) -> Compiled:
        of_statement = self._compiled.get(prepared.statement)
        if of_statement is None:
            of_statement = self._compiled[prepared.statement] = {}
        names = tuple(prepared.values)
        compiled = of_statement.get(names)
        if compiled is None:
            compiled = of_statement[names] = Compiled(prepared.statement, self._dialect, names)
        return compiled

    async def _explained(self, connection: AsyncConnection, driver: Any, error: Exception, text: str) -> BaseException:
        """Return an error of a driver as SQLAlchemy tells it, without the values: they are people's."""
        lost = self._is_postgresql and (driver.closed or driver.broken)
        base = psycopg.Error if self._is_postgresql else sqlite3.Error
        told = DBAPIError.instance(
            text, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=self._dialect
        )
        if lost:
            await connection.invalidate(error)
        return told


def _in_places() -> Dialect:
    """Return PostgreSQL's dialect for texts whose parameters have places, where engines have names."""
    made: Dialect = PGDialectAsync_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    return made


def _no_kind(_column: int) -> None:
    """Return as which type SQLite has a column: it has none."""
