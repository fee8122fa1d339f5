"""What a migration does when a function that keys are made with has changed: makes the keys of all rows anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from lms.database.database import ROLE_OF_SERVICE

ROWS_AT_ONCE: Final = 1000
"""Kept in memory; a school year of chat has some millions."""


def make_keys_anew(
    table: str, text: str, key: str, make: Callable[[str], str], keys: tuple[str, ...], *, empty_too: bool = False
) -> None:
    """Set the column `key` of every row to what `make` returns for `text`.

    Rows without a key keep none, unless `empty_too`: the column is new. `keys` are the table's primary key.
    """
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    rows = sa.table(table, *(sa.column(name) for name in (*keys, text, key)))
    if is_postgresql:  # row-level security binds the owner of the tables, too
        connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE_OF_SERVICE}")
    last: sa.Row[Any] | None = None
    order = [rows.c[name] for name in keys]
    while True:
        statement = sa.select(rows).order_by(*order).limit(ROWS_AT_ONCE)
        if last is not None:
            statement = statement.where(sa.tuple_(*order) > sa.tuple_(*(sa.literal(last[i]) for i in range(len(keys)))))
        found = connection.execute(statement).all()
        for row in found:
            made = make(row._mapping[text])
            if row._mapping[key] != made and (empty_too or row._mapping[key] != ""):
                own = [rows.c[name] == row._mapping[name] for name in keys]
                connection.execute(sa.update(rows).where(*own).values({key: made}))
        if len(found) < ROWS_AT_ONCE:
            break
        last = found[-1]
    if is_postgresql:
        connection.exec_driver_sql("RESET ROLE")
