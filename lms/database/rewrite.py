"""What a migration does with rows that are there: it sees all of them, and makes their keys anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from lms.database.database import ROLE_OF_SERVICE

ROWS_AT_ONCE: Final = 1000
"""Kept in memory; a school year of chat has some millions."""


@contextmanager
def all_rows() -> Iterator[sa.Connection]:
    """See and change the rows of all organizations: row-level security binds the owner of the tables, too."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        yield connection
        return
    connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE_OF_SERVICE}")
    yield connection
    connection.exec_driver_sql("RESET ROLE")  # not after an error: nothing can be said in a transaction that failed


def make_keys_anew(
    table: str, text: str, key: str, make: Callable[[str], str], keys: tuple[str, ...], *, empty_too: bool = False
) -> None:
    """Set the column `key` of every row to what `make` returns for `text`.

    Rows without a key keep none, unless `empty_too`: the column is new. `keys` are the table's primary key.
    """
    rows = sa.table(table, *(sa.column(name) for name in (*keys, text, key)))
    order = [rows.c[name] for name in keys]
    last: sa.Row[Any] | None = None
    with all_rows() as connection:
        while True:
            statement = sa.select(rows).order_by(*order).limit(ROWS_AT_ONCE)
            if last is not None:
                behind = sa.tuple_(*(sa.literal(last[i]) for i in range(len(keys))))
                statement = statement.where(sa.tuple_(*order) > behind)
            found = connection.execute(statement).all()
            for row in found:
                made = make(row._mapping[text])
                if row._mapping[key] != made and (empty_too or row._mapping[key] != ""):
                    own = [rows.c[name] == row._mapping[name] for name in keys]
                    connection.execute(sa.update(rows).where(*own).values({key: made}))
            if len(found) < ROWS_AT_ONCE:
                return
            last = found[-1]
