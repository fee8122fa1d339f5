"""Row-level security in every table that has a tenant, by statements that forgot their filter; and who is not bound.

Tables come from the metadata: one that is new and has no policy shows one school the rows of two, or none, and fails
here. SQLite has no such security; there the authorization matrix asks by every role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Table, create_engine, delete, func, insert, make_url, select, text, update
from sqlalchemy.exc import ProgrammingError

import lms
from lms.database.database import ROLE_OF_SERVICE, ROLE_OF_TENANT
from lms.database.draft import import_tables
from lms.database.tables import APPEND_ONLY, METADATA, TENANT
from lms.database.types import Choice, Exact, Flag, Id, Json, Time
from tests.support.postgresql import OWNER, Cluster

OURS, THEIRS = uuid4(), uuid4()
MOMENT: Final = datetime(2026, 11, 23, tzinfo=UTC)
SUPERUSER: Final = "postgres"
"""Of the tests' own server; the service never has one."""

WORKERS: Final[dict[str, str]] = {
    "access/endpoints.py": "an organization is found by its name or host before anybody is known",
    "access/password_endpoints.py": "the same, of who forgot a password",
    "attendance/feed_reader.py": "the media server's feed is one for all",
    "attendance/settling.py": "which runs of anybody are due",
    "audit/retention.py": "what is old in anybody's log",
    "chat/retention.py": "what is old in anybody's rooms",
    "classes/calendars.py": "a calendar's secret says whose it is",
    "classes/retention.py": "what is old of anybody",
    "classes/told.py": "which classes of anybody go on for too long",
    "demo/fill.py": "makes a school",
    "demo/teaching.py": "tells what a media server would",
    "notifications/classes.py": "which classes of anybody begin soon",
    "operation/readings.py": "metrics count all",
    "operator/endpoints.py": "the operator's own, with a token of its own",
    "organizations/host_checks.py": "which hosts of anybody are to be looked at",
    "organizations/hosts.py": "a host is one organization's among all",
    "organizations/make.py": "makes organizations",
    "outbox/relay.py": "which messages of anybody wait",
    "personal/work.py": "which archives of anybody are over",
    "schedule/endpoints.py": "jobs are the service's",
    "schedule/scheduler.py": "the same",
    "webhooks/deliver.py": "whose deliveries wait",
}
"""Who sees all schools, and why: by `read_all` or `write_all`, in the role of the service."""

import_tables()
TENANT_TABLES: Final = [each for each in METADATA.tables.values() if each.info[TENANT] is not None]


@pytest.fixture(scope="module")
def connection(postgresql_cluster: Cluster, postgresql_template: str) -> Iterator[Connection]:
    """A transaction in which every table has one row of ours and one of theirs; nothing of it stays.

    A superuser wrote the rows, without asking policies, references and checks.
    """
    url = make_url(postgresql_cluster.url(postgresql_template, SUPERUSER)).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as opened:
        opened.execute(text("SET LOCAL session_replication_role = replica"))
        checks = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
        for table, name in opened.execute(text(f"{checks} AND connamespace = 'public'::regnamespace")).all():
            opened.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
        for table in TENANT_TABLES:
            for org_id in (OURS, THEIRS):
                opened.execute(insert(table).values(row_of(table, org_id)))
        yield opened
        opened.rollback()
    engine.dispose()


def row_of(table: Table, org_id: UUID) -> dict[str, Any]:
    """Return what must be in a row."""
    values = {column.name: value_of(column.type) for column in table.columns if not column.nullable}
    return values | {table.info[TENANT]: org_id}


def value_of(kind: Any) -> Any:
    """Return a value; those of keys are none that was there before."""
    match kind:
        case Id():
            return uuid4()
        case Time():
            return MOMENT
        case Exact():
            return Decimal(1)
        case Flag():
            return True
        case Json():
            return {}
        case Choice():
            return next(iter(kind.choices.__members__.values()))
        case _:
            return {int: 1, bytes: uuid4().bytes, str: f"x-{uuid4()}"}[kind.python_type]


@contextmanager
def acting_as(connection: Connection, role: str, org_id: UUID | None) -> Iterator[None]:
    """Take on a role, for what is undone at the end."""
    with connection.begin_nested() as savepoint:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        connection.execute(text("SELECT set_config('app.org', :org, true)"), {"org": str(org_id or "")})
        yield
        savepoint.rollback()


def refused(connection: Connection, statement: Any) -> str:
    """Return why a statement is refused; it must be."""
    with pytest.raises(ProgrammingError) as raised, connection.begin_nested():
        connection.execute(statement)
    return str(raised.value.orig)


def count(connection: Connection, table: Table) -> int:
    counted = connection.execute(select(func.count()).select_from(table)).scalar()
    assert counted is not None
    return counted


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_14_a_query_without_its_filter_reads_and_writes_one_school(connection: Connection, table: Table) -> None:
    """Invariant 14, for reading, changing, deleting, adding and moving."""
    tenant = table.c[table.info[TENANT]]
    with acting_as(connection, ROLE_OF_TENANT, OURS):
        assert connection.execute(select(tenant)).scalars().all() == [OURS]
        assert "row-level security" in refused(connection, insert(table).values(row_of(table, THEIRS)))
        changing = (update(table).values({tenant.name: tenant}), delete(table))
        if table.info[APPEND_ONLY]:
            assert all("permission denied" in refused(connection, each) for each in changing)
        else:
            assert "row-level security" in refused(connection, update(table).values({tenant.name: THEIRS}))
            for statement in changing:
                with connection.begin_nested() as savepoint:
                    assert connection.execute(statement).rowcount == 1
                    savepoint.rollback()
    for role in (ROLE_OF_TENANT, OWNER):  # nobody's, and the owner of the tables has taken on no role
        with acting_as(connection, role, None):
            assert count(connection, table) == 0
    with acting_as(connection, ROLE_OF_SERVICE, None):
        assert count(connection, table) == 2


@pytest.mark.parametrize("name", sorted(each.name for each in METADATA.tables.values() if each.info[TENANT] is None))
def test_tables_of_the_service_are_closed_to_schools(connection: Connection, name: str) -> None:
    with acting_as(connection, ROLE_OF_TENANT, OURS):
        assert "permission denied" in refused(connection, select(METADATA.tables[name]))


def test_nobody_else_is_let_past(connection: Connection) -> None:
    """Two policies there are, each for its role; no role goes past them but the superuser of the tests."""
    policies = connection.execute(text("SELECT DISTINCT policyname, roles::text FROM pg_policies")).all()
    assert {tuple(each) for each in policies} == {
        ("own_rows", f"{{{ROLE_OF_TENANT}}}"),
        ("everything", f"{{{ROLE_OF_SERVICE}}}"),
    }
    past = "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolname NOT LIKE 'pg\\_%'"
    assert connection.execute(text(past)).scalars().all() == [SUPERUSER]


def test_who_sees_all_schools_is_named() -> None:
    """Whoever takes on the role of the service stands in the table above, with a reason."""
    folder = Path(lms.__file__).parent
    asking = re.compile(r"\.(?:read|write)_all\b")
    files = [each for each in folder.rglob("*.py") if asking.search(each.read_text(encoding="utf-8"))]
    assert {str(each.relative_to(folder)) for each in files} == WORKERS.keys()
