"""Migrations back and forth with a school in the tables: nothing of what has a place before and after is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from benchmarks.school.furnish import SchoolSize, furnish
from lms.database.database import Database
from lms.database.migrate import downgrade, migrations, upgrade
from lms.database.settings import DatabaseSettings
from lms.text import sort_key
from tests.integration.lms.database.test_migrations import differences, tables_of
from tests.support.postgresql import Cluster

Content = dict[str, list[tuple[Any, ...]]]


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
        await furnish(database, SchoolSize(courses=1, people=4), "no hash: nobody logs in")
    finally:
        await database.close()
    url = URL.create("sqlite", database=str(tmp_path / "lms.sqlite"))
    if settings.url is not None:
        url = make_url(settings.url).set(drivername="postgresql+psycopg")
    spell_names_otherwise(url)
    whole = read(url)
    assert {"app_user", "grade_history", "attendance_event", "audit_log"} <= whole.keys()
    assert len(whole["app_user"]) == 5
    script = migrations()
    later = [each for each in script.walk_revisions() if not each.branch_labels or each.down_revision is not None]
    for label in sorted({label for each in later for label in each.branch_labels}):  # all but the first of a module
        downgrade(url, f"{label}@-1")
    between = tables_of(url)
    upgrade(url)
    now = read(url)
    kept = [name for name in whole if name in between]
    assert {name: len(now[name]) for name in kept} == {name: len(whole[name]) for name in kept}
    names = [row for row in read(url)["app_user"] if "الصف ٢" in row]
    assert len(names) == 5
    assert all(sort_key("الصف ٢") in row for row in names)  # made anew on the way
    assert differences(url) == []
    downgrade(url)  # with all that is in them
    assert tables_of(url) <= {"alembic_version"}
    upgrade(url)
    assert differences(url) == []
    assert not any(read(url).values())


def spell_names_otherwise(url: URL) -> None:
    """Give everybody a name whose key an earlier version made."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if url.drivername != "sqlite":
            connection.execute(text("SET LOCAL ROLE halqa_lms_service"))
        connection.execute(text("UPDATE app_user SET display_name = 'الصف ٢', sort_key = 'الصف ٢'"))
    engine.dispose()


def read(url: URL) -> Content:
    """Return everything that is in the tables, as the database itself sees it."""
    engine = create_engine(url)
    content: Content = {}
    try:
        with engine.connect() as connection:
            if url.drivername != "sqlite":
                connection.execute(text("SET ROLE halqa_lms_service"))  # row-level security binds the owner, too
            for name in sorted(tables_of(url) - {"alembic_version"}):
                content[name] = [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
    finally:
        engine.dispose()
    return content
