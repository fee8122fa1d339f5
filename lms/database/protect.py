"""What a migration does for a new table besides making it: who may see which rows, and what cannot be undone.

    op.create_table("course", ..., sqlite_strict=True)
    protect("course")
    allow_erasing("grade_history", ("reason",))

In PostgreSQL the transactions of a tenant run in a role that sees the rows of `app.org` alone (row-level security,
forced for the owner of the tables too), those of the service in one that sees all. Append-only tables give neither the
right to change or delete; in SQLite a trigger refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import sqlalchemy as sa
from alembic import op

from lms.database.database import ROLE_OF_SERVICE, ROLE_OF_TENANT

ERASED_AT: Final = "erased_at"
"""Of a row of an append-only table: when its texts were taken out, because somebody was erased."""

_TAKEN_ON: Final = f"current_user = '{ROLE_OF_SERVICE}'"
"""A policy holds for members of its role, too, as the owner of the tables is: they must have taken it on."""
_APPEND_ONLY: Final = "{table} is append only"
_OWN_ROWS: Final = "{column} = nullif(current_setting('app.org', true), '')::uuid"


def protect(table: str, *, org_column: str | None = "org_id", append_only: bool = False) -> None:
    """Give the service's roles what they need of a table that was just made, and no more.

    `org_column` says whose a row is; without one the table is for the service's own role alone.
    """
    if op.get_bind().dialect.name == "postgresql":
        _grant(table, org_column, append_only=append_only)
    elif append_only:
        _refuse(table, "UPDATE")
        _refuse(table, "DELETE")


def allow_erasing(table: str, texts: Sequence[str]) -> None:
    """Let the service take texts out of an append-only table, once a row, if it notes when in `erased_at`."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"GRANT UPDATE ({', '.join((*texts, ERASED_AT))}) ON {table} TO {ROLE_OF_SERVICE}")
        op.execute(
            f"CREATE FUNCTION {table}_no_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF OLD.{ERASED_AT} IS NOT NULL OR NEW.{ERASED_AT} IS NULL THEN "
            f"RAISE EXCEPTION '{_APPEND_ONLY.format(table=table)}'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_no_update()"
        )
        return
    columns = [str(each["name"]) for each in sa.inspect(op.get_bind()).get_columns(table)]
    kept = [f"NEW.{name} IS OLD.{name}" for name in columns if name not in {*texts, ERASED_AT}]
    allowed = " AND ".join((*kept, f"OLD.{ERASED_AT} IS NULL", f"NEW.{ERASED_AT} IS NOT NULL"))
    op.execute(f"DROP TRIGGER {table}_no_update")
    _refuse(table, "UPDATE", unless=allowed)


def forbid_erasing(table: str, texts: Sequence[str]) -> None:
    """Take back what `allow_erasing` allowed."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {table}_no_update ON {table}")
        op.execute(f"DROP FUNCTION {table}_no_update()")
        op.execute(f"REVOKE UPDATE ({', '.join((*texts, ERASED_AT))}) ON {table} FROM {ROLE_OF_SERVICE}")
        return
    op.execute(f"DROP TRIGGER {table}_no_update")
    _refuse(table, "UPDATE")


def _refuse(table: str, change: Literal["UPDATE", "DELETE"], *, unless: str | None = None) -> None:
    """Have SQLite refuse to change or delete rows, but where a condition holds."""
    condition = "" if unless is None else f"WHEN NOT ({unless}) "
    op.execute(
        f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY.format(table=table)}'); END"
    )


def _grant(table: str, org_column: str | None, *, append_only: bool) -> None:
    rights = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    op.execute(f"GRANT {rights} ON {table} TO {ROLE_OF_SERVICE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY everything ON {table} TO {ROLE_OF_SERVICE} USING ({_TAKEN_ON})")
    if org_column is not None:
        own = _OWN_ROWS.format(column=org_column)
        op.execute(f"GRANT {rights} ON {table} TO {ROLE_OF_TENANT}")
        op.execute(f"CREATE POLICY own_rows ON {table} TO {ROLE_OF_TENANT} USING ({own})")


def make_roles() -> None:
    """Make the two roles that transactions take on; raises a RuntimeError that says what the owner must run."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for role in (ROLE_OF_TENANT, ROLE_OF_SERVICE):
        known = connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).first()
        if known is None:
            op.execute(f"CREATE ROLE {role} NOLOGIN")
        # Since PostgreSQL 16 who makes a role may give it away, but not take it on.
        kind = "SET" if (connection.dialect.server_version_info or ()) >= (16,) else "MEMBER"
        member = connection.exec_driver_sql(f"SELECT pg_has_role(current_user, %s, '{kind}')", (role,)).scalar()
        if not member:
            op.execute(f"GRANT {role} TO CURRENT_USER")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE_OF_TENANT}, {ROLE_OF_SERVICE}")
