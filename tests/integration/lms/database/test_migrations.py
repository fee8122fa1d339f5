"""Migrations of all modules: they make what `tables.py` declares, and go back to nothing and forward again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, create_engine, inspect, make_url, text

from lms.database.draft import import_tables
from lms.database.migrate import downgrade, migrations, upgrade
from lms.database.tables import APPEND_ONLY, METADATA
from tests.support.postgresql import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """A database without tables."""
    if request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / "empty.sqlite"))
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = cluster.create()
    yield make_url(cluster.url(name)).set(drivername="postgresql+psycopg")
    cluster.drop(name)


def test_forward_and_back_and_forward(empty_url: URL) -> None:
    import_tables()
    upgrade(empty_url)
    upgrade(empty_url)  # nothing to do
    assert differences(empty_url) == []
    downgrade(empty_url)
    assert tables_of(empty_url) <= {"alembic_version"}
    upgrade(empty_url)
    assert differences(empty_url) == []


def test_who_opens_it_next_need_not_turn_on_the_log(tmp_path: Path) -> None:
    """Connections that do so at the same time are refused one another: the first start failed, now and then."""
    file = tmp_path / "lms.sqlite"
    upgrade(URL.create("sqlite+aiosqlite", database=str(file)))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_every_module_has_one_line_of_migrations() -> None:
    script = migrations()
    labels = {next(iter(script.get_revision(head).branch_labels)) for head in script.get_heads()}
    assert len(labels) == len(script.get_heads())
    for revision in script.walk_revisions():
        folder = Path(revision.path).parent.parent.name
        assert revision.revision.startswith(f"{folder}_"), revision.path


def test_append_only_tables_are_protected(empty_url: URL) -> None:
    import_tables()
    upgrade(empty_url)
    wanted = {table.name for table in METADATA.tables.values() if table.info[APPEND_ONLY]}
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        if empty_url.drivername == "sqlite":
            found = connection.execute(text("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"))
        else:
            found = connection.execute(
                text(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                    "AND relname <> 'alembic_version' AND NOT has_table_privilege('halqa_lms', oid, 'UPDATE') "
                    "AND NOT has_table_privilege('halqa_lms_service', oid, 'UPDATE')"
                )
            )
        assert set(found.scalars()) == wanted
    engine.dispose()


def differences(url: URL) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), METADATA)
        columns = {
            (table, column["name"], column["nullable"])
            for table in inspect(connection).get_table_names()
            if table != "alembic_version"
            for column in inspect(connection).get_columns(table)
        }
    engine.dispose()
    declared = {(each.name, column.name, column.nullable) for each in METADATA.tables.values() for column in each.c}
    return [*found, *sorted(columns ^ declared)]


def tables_of(url: URL) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    return names
