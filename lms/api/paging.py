"""Lists in pages by cursor: where the page before ended, so that rows that come and go make none be skipped.

    rows, following = await fetch_page(call.transaction, statement, (course.c.sort_key, course.c.id), call.query)
    return Result([view(row) for row in rows], next=following)

The columns of the order must never be NULL, and together be unique.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import Column, Integer, Row, Select, bindparam, tuple_

from lms.api.phrases import Phrase
from lms.api.problems import BAD_CURSOR, ProblemError, bad_field
from lms.database.prepared import Prepared
from lms.database.transaction import Transaction
from lms.database.types import Choice, Exact, Id, Time
from webapi.shapes import Request

_ZONED: Final = Phrase(
    "a time with its zone, e.g. 2026-11-23T08:00:00Z", "وقت مع منطقته الزمنية، مثل 2026-11-23T08:00:00Z"
)
PAGE_ITEMS_DEFAULT: Final = 20
PAGE_ITEMS_MAX: Final = 100
CURSOR_CHARACTERS_MAX: Final = 4000
"""The longest sort key (`lms.text`), in JSON and base64, has some 3,700."""


class PageQuery(Request, frozen=True, kw_only=True):
    """Which piece of a list."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS_DEFAULT
    """At most so many items."""
    cursor: Annotated[str, Meta(min_length=1, max_length=CURSOR_CHARACTERS_MAX)] | None = None
    """`meta.next` of the page before; without it the list begins."""


async def fetch_page(
    transaction: Transaction,
    statement: Select[Any] | Prepared,
    order: Sequence[Column[Any]],
    page: PageQuery,
    *,
    descending: bool = False,
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, and the cursor of the next one or None; raises ProblemError (`bad_cursor`).

    The statement must select the columns of `order`.
    """
    values: dict[str, Any] = {_ROWS: page.limit + 1}
    if page.cursor is not None:
        values |= {_after(index): value for index, value in enumerate(_read(page.cursor, order))}
    goes_on = page.cursor is not None
    if isinstance(statement, Prepared):
        whole = _cached_page(statement.statement, tuple(order), descending=descending, goes_on=goes_on)
        rows = await transaction.rows(Prepared(whole, {**values, **statement.values}))
    else:
        whole = _page(statement, order, descending=descending, goes_on=goes_on)
        rows = (await transaction.execute(whole, values)).all()
    if len(rows) <= page.limit:
        return rows, None
    rows = rows[: page.limit]
    return rows, _write([rows[-1]._mapping[column] for column in order])


def _page(statement: Any, order: Sequence[Column[Any]], *, descending: bool, goes_on: bool) -> Select[Any]:
    ends = tuple_(*order)
    if goes_on:
        after = tuple_(*(bindparam(_after(index), type_=column.type) for index, column in enumerate(order)))
        statement = statement.where(ends < after if descending else ends > after)
    ordered = statement.order_by(*(column.desc() if descending else column.asc() for column in order))
    return ordered.limit(bindparam(_ROWS, type_=Integer))  # type: ignore[no-any-return]


_cached_page: Final = cache(_page)
"""Of statements that are built once: so that their pages are, too."""
_ROWS: Final = "page_rows"


def _after(index: int) -> str:
    return f"page_after_{index}"


def aware(moment: datetime, field: str) -> datetime:
    """Return a time of a query; raises ProblemError (`bad_field`) for one that does not say its zone."""
    if moment.tzinfo is None:
        raise bad_field(field, moment.isoformat(), _ZONED, "zone")
    return moment


def _write(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _read(cursor: str, order: Sequence[Column[Any]]) -> list[Any]:
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(content, type=list[Any])
        if len(values) != len(order):
            raise ProblemError(BAD_CURSOR, field="cursor", rule="form")
        return [msgspec.convert(value, _kind(column)) for value, column in zip(values, order, strict=True)]
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise ProblemError(BAD_CURSOR, field="cursor", rule="form") from None


def _kind(column: Column[Any]) -> Any:
    match column.type:
        case Id():
            return UUID
        case Time():
            return datetime
        case Exact():
            return Decimal
        case Choice():
            return column.type.choices
        case other:
            return other.python_type
