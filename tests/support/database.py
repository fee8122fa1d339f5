"""The LMS's database on both engines: fixtures, each test with one that has all tables and no rows."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from lms.database.database import Database
from lms.database.migrate import upgrade
from lms.database.settings import DatabaseSettings
from tests.support.postgresql import Cluster, running_cluster

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Cluster]:
    """One PostgreSQL for all tests; started when the first one needs it."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Cluster) -> str:
    """The name of a database that has all tables, and no rows between tests."""
    name = postgresql_cluster.create()
    upgrade(make_url(postgresql_cluster.url(name)).set(drivername="postgresql+psycopg"))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that has all tables."""
    path = tmp_path_factory.mktemp("template") / "lms.sqlite"
    upgrade(URL.create("sqlite", database=str(path)))
    return path


@pytest.fixture(params=ENGINES)
def database_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """Settings of a fresh database with all tables; with SQLite it is in `tmp_path`."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "lms.sqlite")
        yield DatabaseSettings(readers=2)
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = request.getfixturevalue("postgresql_template")
    yield DatabaseSettings(url=cluster.url(name), connections=5)
    cluster.empty(name)


@pytest.fixture
async def database(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database with all tables and no rows; its clock is the computer's."""
    opened = await Database.open(database_settings, tmp_path, migrate=False)
    yield opened
    await opened.close()
