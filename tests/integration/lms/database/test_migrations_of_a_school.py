"""Migrations back and forth with a school in the tables: nothing of what has a place before and after is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import URL, create_engine, make_url, text, update

from benchmarks.school.furnish import SchoolSize, furnish
from lms.database.database import Database
from lms.database.migrate import downgrade, migrations, upgrade
from lms.database.settings import DatabaseSettings
from lms.organizations.host_store import claim
from lms.organizations.tables import org_host
from lms.text import sort_key
from tests.integration.lms.database.test_migrations import differences, tables_of
from tests.support.postgresql import Cluster

Content = dict[str, list[dict[str, Any]]]
"""Rows by table, in an order of their own."""

MADE_ANEW: Final = {"sort_key", "search_key"}
"""Columns that a migration writes by what stands beside them."""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Iterator[DatabaseSettings]:
    """A database of its own: its tables come and go."""
    if request.param == "sqlite":
        yield DatabaseSettings()
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = cluster.create()
    yield DatabaseSettings(url=cluster.url(name))
    cluster.drop(name)


async def test_each_step_back_and_forth_keeps_a_school(settings: DatabaseSettings, tmp_path: Path) -> None:
    database = await Database.open(settings, tmp_path)
    try:
        org_id = await furnish(database, SchoolSize(courses=1, people=4), "no hash: nobody logs in")
        await claim_hosts(database, org_id)
    finally:
        await database.close()
    url = URL.create("sqlite", database=str(tmp_path / "lms.sqlite"))
    if settings.url is not None:
        url = make_url(settings.url).set(drivername="postgresql+psycopg")
    spell_names_otherwise(url)
    whole = read(url)
    assert {"app_user", "grade_history", "attendance_event", "audit_log"} <= whole.keys()
    assert (len(whole["app_user"]), len(whole["org_host"])) == (5, 2)
    script = migrations()
    later = [each for each in script.walk_revisions() if not each.branch_labels or each.down_revision is not None]
    for label in sorted({label for each in later for label in each.branch_labels}):  # all but the first of a module
        downgrade(url, f"{label}@-1")
    between = read(url)
    upgrade(url)
    now = read(url)
    assert {"organization", "org_host", "audit_log", "grade_history"} <= between.keys()
    for name, rows in between.items():
        columns = rows[0].keys() - MADE_ANEW if rows else set()
        assert only(rows, columns) == only(whole[name], columns) == only(now[name], columns), name
    assert {row["proven_at"] for row in whole["org_host"]} != {None}
    assert {row["proven_at"] for row in now["org_host"]} == {None}  # had no place meanwhile
    assert {row["sort_key"] for row in now["app_user"]} == {sort_key("الصف ٢")}  # made anew on the way
    assert differences(url) == []
    downgrade(url)  # with all that is in them
    assert tables_of(url) <= {"alembic_version"}
    upgrade(url)
    assert differences(url) == []
    assert not any(read(url).values())


async def claim_hosts(database: Database, org_id: UUID) -> None:
    """Have a school claim two hosts, of which one has a proof in DNS that went missing."""
    async with database.write_all() as transaction:
        await claim(transaction, org_id, "school.example.org", 2, verified=True)
        await claim(transaction, org_id, "other.example.org", 2, verified=False)
        proof = {"proven_at": transaction.now, "missing_since": transaction.now, "warned_at": transaction.now}
        await transaction.execute(update(org_host).where(org_host.c.host == "school.example.org").values(proof))


def spell_names_otherwise(url: URL) -> None:
    """Give everybody a name whose key an earlier version made."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if url.drivername != "sqlite":
            connection.execute(text("SET LOCAL ROLE halqa_lms_service"))
        connection.execute(text("UPDATE app_user SET display_name = 'الصف ٢', sort_key = 'الصف ٢'"))
    engine.dispose()


def only(rows: list[dict[str, Any]], columns: set[str]) -> list[str]:
    """Return what rows have in these columns, in an order that does not depend on others."""
    return sorted(repr([row[column] for column in sorted(columns)]) for row in rows)


def read(url: URL) -> Content:
    """Return everything that is in the tables, as the database itself sees it."""
    engine = create_engine(url)
    content: Content = {}
    try:
        with engine.connect() as connection:
            if url.drivername != "sqlite":
                connection.execute(text("SET ROLE halqa_lms_service"))  # row-level security binds the owner, too
            for name in sorted(tables_of(url) - {"alembic_version"}):
                rows = connection.execute(text(f'SELECT * FROM "{name}"')).mappings()
                content[name] = sorted(map(dict, rows), key=repr)
    finally:
        engine.dispose()
    return content
