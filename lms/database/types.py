"""Column types that mean the same in PostgreSQL and in SQLite's STRICT tables, and sort the same.

PostgreSQL's own types where it has them; SQLite keeps integers, texts and bytes. Text sorts by code point in both
(collation "C"), so that reports are the same to the byte: what people read in order has a `sort_key` beside it
(`lms.text.sort_key`).
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    TypeDecorator,
    false,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.operators import ColumnOperators
from sqlalchemy.types import TypeEngine

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WRITTEN: Final = {True: true(), False: false()}

EnumT = TypeVar("EnumT", bound=enum.Enum)

TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text without a length: limits are the messages' to check."""

INTEGER: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits."""

BYTES: Final[TypeEngine[bytes]] = LargeBinary()


def _is_postgresql(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


class Id(TypeDecorator[UUID]):
    """A UUID: `uuid` in PostgreSQL, 16 bytes in SQLite, in the same order."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.UUID(as_uuid=True) if _is_postgresql(dialect) else LargeBinary())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or _is_postgresql(dialect) else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return value if value is None or _is_postgresql(dialect) else UUID(bytes=value)


class Time(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond: `timestamptz` in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        chosen = postgresql.TIMESTAMP(timezone=True) if _is_postgresql(dialect) else Integer()
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        assert value.tzinfo is not None, f"{value} has no time zone"
        return value.astimezone(UTC) if _is_postgresql(dialect) else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value.astimezone(UTC) if _is_postgresql(dialect) else _EPOCH + value * _MICROSECOND
        return moment


class Exact(TypeDecorator[Decimal]):
    """A decimal without rounding: `numeric` in PostgreSQL, an integer in units of the last digit in SQLite.

    Comparing and adding columns of one scale is right in both; do everything else in Python.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int = 9, scale: int = 4) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        chosen = Numeric(self.precision, self.scale) if _is_postgresql(dialect) else Integer()
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        assert abs(value) < Decimal(10) ** (self.precision - self.scale), f"{value} does not fit {self!r}"
        exact = value.quantize(Decimal(1).scaleb(-self.scale))
        assert exact == value, f"{value} has more than {self.scale} decimal places"
        return exact if _is_postgresql(dialect) else int(exact.scaleb(self.scale))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) if _is_postgresql(dialect) else Decimal(value).scaleb(-self.scale)


class Flag(TypeDecorator[bool]):
    """True or false: `boolean` in PostgreSQL, 1 or 0 in SQLite. In conditions write `column.is_(True)`."""

    impl = Boolean
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[bool]):
        """Writes `IS true` out: PostgreSQL takes no parameter there."""

        def is_(self, other: Any) -> ColumnOperators:
            return super().is_(_WRITTEN.get(other, other))

        def is_not(self, other: Any) -> ColumnOperators:
            return super().is_not(_WRITTEN.get(other, other))

    comparator_factory = Comparator

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Boolean() if _is_postgresql(dialect) else Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return value if value is None or _is_postgresql(dialect) else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """Any JSON value, keys in order: `jsonb` in PostgreSQL, text in SQLite. `None` is SQL's NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.JSONB(none_as_null=True) if _is_postgresql(dialect) else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = msgspec.json.encode(value, order="sorted")
        return msgspec.json.decode(text) if _is_postgresql(dialect) else text.decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        # jsonb has an order of its own.
        text = msgspec.json.encode(value, order="sorted") if _is_postgresql(dialect) else value
        return msgspec.json.decode(text)


class Choice(TypeDecorator[EnumT], Generic[EnumT]):
    """One value of an enum of texts; the table's CHECK comes from `lms.database.tables.choice`."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[EnumT]) -> None:
        super().__init__()
        self.choices = choices

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.TEXT(collation="C") if _is_postgresql(dialect) else Text())

    def process_bind_param(self, value: EnumT | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else str(self.choices(value).value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> EnumT | None:  # noqa: ARG002
        return None if value is None else self.choices(value)
