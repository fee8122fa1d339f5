"""How tables are declared: one metadata for all modules, and tenant tables with composite keys.

    course = tenant_table(
        "course",
        Column("title", TEXT, nullable=False),
        *choice("status", CourseStatus),
        *reference("teacher_id", "app_user", nullable=True),
        UniqueConstraint("org_id", "slug"),
    )

A tenant table has `org_id` in its key and in every reference, so that a row of one school cannot point to another's,
even where a query forgot its filter; in PostgreSQL row-level security hides those rows, too.
"""

from __future__ import annotations

import enum
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.sql.schema import SchemaItem

from lms.database.types import Choice, Id

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

TENANT: Final = "tenant"
"""In a table's `info`: which column says whose a row is, None if it is nobody's."""
APPEND_ONLY: Final = "append_only"


def tenant_table(name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",), append_only: bool = False) -> Table:
    """Return a table of which every row belongs to one organization.

    Its primary key is `org_id` and `key`; with the default, a column `id` is made. Other keys are columns of `items`.
    `append_only`: rows can be neither changed nor deleted.
    """
    own: list[SchemaItem] = [Column("org_id", Id, ForeignKey("organization.id"), nullable=False)]
    if key == ("id",):
        own.append(Column("id", Id, nullable=False))
    return Table(
        name,
        METADATA,
        *own,
        *items,
        PrimaryKeyConstraint("org_id", *key),
        info={TENANT: "org_id", APPEND_ONLY: append_only},
        sqlite_strict=True,
    )


def service_table(name: str, *items: SchemaItem, org_column: str | None = None, append_only: bool = False) -> Table:
    """Return a table of the whole service; organizations see of it only rows that have them in `org_column`."""
    return Table(name, METADATA, *items, info={TENANT: org_column, APPEND_ONLY: append_only}, sqlite_strict=True)


def reference(column: str, target: str, *, nullable: bool = False, on_delete: str | None = None) -> tuple[Any, ...]:
    """Return a column with the id of a row of another tenant table, and the foreign key that keeps to the tenant."""
    key = ForeignKeyConstraint(["org_id", column], [f"{target}.org_id", f"{target}.id"], ondelete=on_delete)
    return Column(column, Id, nullable=nullable), key


def choice(column: str, choices: type[enum.Enum], *, nullable: bool = False, **arguments: Any) -> tuple[Any, ...]:
    """Return a column with a value of an enum, and the check that holds it to the values."""
    listed = ", ".join(f"'{each.value}'" for each in choices)
    check = CheckConstraint(f"{column} IN ({listed})", name=column)
    return Column(column, Choice(choices), nullable=nullable, **arguments), check
