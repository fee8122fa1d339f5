"""The way of prepared statements: straight to the driver, compiled once a database; errors are SQLAlchemy's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.pq import Format
from psycopg.pq.abc import PGresult
from sqlalchemy import Executable, Row
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from lms.database.compiled import Compiled, Process, Way
from lms.database.prepared import Prepared
from lms.database.wire import Asked, WireText
from lms.database.wire_values import JsonbLoader, UuidLoader, reader_of, sender_of

TextT = TypeVar("TextT")


class Straight(Generic[TextT]):
    """What a database has compiled so far: a few hundred statements, as many as the code has."""

    def __init__(self, way: Way[TextT]) -> None:
        self._way = way
        self._compiled: dict[Executable, dict[tuple[str, ...], Compiled[TextT]]] = {}

    def compile(self, prepared: Prepared) -> Compiled[TextT]:
        """Return a statement as this database takes it."""
        of_statement = self._compiled.get(prepared.statement)
        if of_statement is None:
            of_statement = self._compiled[prepared.statement] = {}
        names = tuple(prepared.values)
        compiled = of_statement.get(names)
        if compiled is None:
            compiled = of_statement[names] = Compiled(prepared.statement, names, self._way)
        return compiled


class ToSqlite:
    """SQLite takes texts, and knows no types."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def text(self, statement: str, kinds: Sequence[TypeEngine[Any]]) -> str:  # noqa: ARG002
        """Return the text as it stands."""
        return statement

    def sends(self, kind: TypeEngine[Any]) -> Process:
        """Return what the type says."""
        return kind.dialect_impl(self.dialect).bind_processor(self.dialect)

    def reads(self, kind: TypeEngine[Any], oid: int) -> Process:
        """Return what the type says."""
        return kind.dialect_impl(self.dialect).result_processor(self.dialect, oid)


class ToPostgresql:
    """PostgreSQL takes bytes, and is told types."""

    def __init__(self) -> None:
        self.dialect: Dialect = PGDialectAsync_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

    def text(self, statement: str, kinds: Sequence[TypeEngine[Any]]) -> WireText:
        """Return the text with the types of its parameters."""
        senders = [sender_of(kind, self.dialect) for kind in kinds]
        return WireText(statement.encode(), tuple(each.oid for each in senders), tuple(each.format for each in senders))

    def sends(self, kind: TypeEngine[Any]) -> Process:
        """Return what makes bytes of a value."""
        return sender_of(kind, self.dialect).dump

    def reads(self, kind: TypeEngine[Any], oid: int) -> Process:
        """Return what makes a value of what psycopg loads."""
        return reader_of(kind, self.dialect, oid)


class Loading:
    """What psycopg is told of a connection whose results are to be read."""

    def __init__(self, driver: psycopg.AsyncConnection[Any]) -> None:
        self.connection = driver
        self.adapters = AdaptersMap(driver.adapters)
        self.adapters.register_loader("jsonb", JsonbLoader)
        self.adapters.register_loader("uuid", UuidLoader)
        self._transformer = Transformer(self)

    def rows(self, compiled: Compiled[WireText], result: PGresult) -> Sequence[Row[Any]]:
        """Return the rows of a result."""
        if not compiled.width:
            return ()
        self._transformer.set_pgresult(result, format=Format.BINARY)
        return self._transformer.load_rows(0, result.ntuples, compiled.row_maker(result.ftype))


def explained(error: Exception, asked: Sequence[Asked] | str, dialect: Dialect, *, lost: bool = False) -> BaseException:
    """Return an error of a driver as SQLAlchemy tells it, without the values: they are people's."""
    text = asked if isinstance(asked, str) else "; ".join(each.text.text.decode() for each in asked)
    base = sqlite3.Error if isinstance(error, sqlite3.Error) else psycopg.Error
    return DBAPIError.instance(
        text, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
