"""How values go to PostgreSQL and come back: their types of `lms/database/types.py`, as bytes. Pure.

Binary where that is cheaper, or where text would be cut: libpq ends texts at U+0000, which the server refuses. Results
are binary, and psycopg's C code reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, SafeUUID

import msgspec
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy import Boolean, Integer, LargeBinary, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeEngine

from lms.database.types import Choice, Exact, Flag, Id, Json, Time

INFERRED: Final = 0
"""The type that the statement says; SQLAlchemy writes casts."""
_BOOL: Final = 16
_BYTEA: Final = 17
_TIMESTAMPTZ: Final = 1184
_NUMERIC: Final = 1700
_UUID: Final = 2950
_JSONB: Final = 3802

_TEXT_FORMAT: Final = 0
_BINARY_FORMAT: Final = 1
_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts from here."""
_MICROSECOND: Final = timedelta(microseconds=1)
_set: Final = object.__setattr__


class Sender(NamedTuple):
    """How values of a column type are sent."""

    oid: int
    format: int
    dump: Callable[[Any], bytes]


def sender_of(kind: TypeEngine[Any], dialect: Dialect) -> Sender:
    """Return how values of a type are sent; None goes without."""
    match kind:
        case Id():
            return Sender(_UUID, _BINARY_FORMAT, _uuid)
        case Time():
            return Sender(_TIMESTAMPTZ, _BINARY_FORMAT, _moment)
        case Flag() | Boolean():
            return Sender(_BOOL, _BINARY_FORMAT, _flag)
        case Choice():
            choices = kind.choices
            return Sender(INFERRED, _BINARY_FORMAT, lambda value: str(choices(value).value).encode())
        case Exact():
            process = kind.process_bind_param
            return Sender(_NUMERIC, _TEXT_FORMAT, lambda value: str(process(value, dialect)).encode())
        case Json():
            return Sender(_JSONB, _TEXT_FORMAT, _json)
        case Integer() | NullType():  # a parameter without a type is one of LIMIT
            return Sender(INFERRED, _TEXT_FORMAT, _integer)
        case LargeBinary():
            return Sender(_BYTEA, _BINARY_FORMAT, bytes)
        case String():
            return Sender(INFERRED, _BINARY_FORMAT, str.encode)
        case _:
            raise TypeError(f"no prepared statement has had a parameter of {kind!r} yet: say here how it is sent")


def reader_of(kind: TypeEngine[Any], dialect: Dialect, oid: int) -> Callable[[Any], Any] | None:
    """Return what makes a value of what psycopg loads from a column of the server's type `oid`; None: it is one."""
    match kind:
        case Id() | Time() | Flag() | Exact():
            return None
        case Choice():
            return {None: None, **{each.value: each for each in kind.choices}}.__getitem__
        case Json():
            return _sorted_json
        case _:
            return kind.dialect_impl(dialect).result_processor(dialect, oid)


class JsonbLoader(Loader):
    """Loads `jsonb` as JSON text; the first byte of its binary form is a version."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data[1:])


class UuidLoader(Loader):
    """Loads a UUID from its 16 bytes: the constructor looks at all that it might be given, and takes twice as long."""

    format = Format.BINARY

    def load(self, data: Any) -> UUID:
        made = UUID.__new__(UUID)
        _set(made, "int", int.from_bytes(data, "big"))
        _set(made, "is_safe", SafeUUID.unknown)
        return made


def _uuid(value: UUID) -> bytes:
    return value.bytes


def _moment(value: datetime) -> bytes:
    assert value.tzinfo is not None, f"{value} has no time zone"
    return ((value - _SINCE) // _MICROSECOND).to_bytes(8, "big", signed=True)


def _flag(value: bool) -> bytes:
    return b"\1" if value else b"\0"


def _integer(value: int) -> bytes:
    return b"%d" % value


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _sorted_json(text: bytes | None) -> Any:
    """Return a value whose keys are in order: `jsonb` has one of its own."""
    if text is None:
        return None
    return msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(text), order="sorted"))
