"""Backup and restore on both engines, as the manual says: taken while people write, restored elsewhere, run again."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from benchmarks.postgresql import BINARIES, OWNER, Cluster, running_cluster
from lms.access.settings import TokenSettings
from lms.audit.endpoints import check_chain
from lms.database.backup import back_up
from lms.database.database import Database, database_url
from lms.database.draft import import_tables
from lms.database.settings import DatabaseSettings
from lms.database.tables import METADATA
from lms.errors import LmsError
from lms.people.tables import app_user
from lms.service import SECRET_FILE, LmsService
from lms.settings import HttpSettings, LmsSettings
from tests.support.lms import CHEAP_PASSWORDS, School, running_school

SECRETS = TokenSettings(secrets=("x" * 40,))
WRITERS = 3


@asynccontextmanager
async def people_being_added(school: School) -> AsyncIterator[list[str]]:
    """Yield the codes of people who were added and acknowledged, while more are."""
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def add(number: int) -> None:
        while not enough.is_set():
            answer = await school.post("/users", {"name": f"Writer {number}"}, as_=school.admin)
            assert answer.status == 201
            acknowledged.append(answer.data["code"])

    tasks = [asyncio.create_task(add(number)) for number in range(WRITERS)]
    try:
        async with asyncio.timeout(60):
            while len(acknowledged) < 2 * WRITERS:
                await asyncio.sleep(0.01)
        yield acknowledged
    finally:
        enough.set()
        await asyncio.gather(*tasks)


async def counts_of(database: Database) -> dict[str, int]:
    import_tables()
    async with database.read_all() as transaction:
        return {
            name: await transaction.value(select(func.count()).select_from(table))
            for name, table in METADATA.tables.items()
        }


async def look_over(school: School, restored: LmsSettings, acknowledged: list[str]) -> dict[str, int]:
    """Run a service on what was restored; everything that was acknowledged is there, and the log's chain holds."""
    service = await LmsService.start(restored, clock=school.clock)
    try:
        bearer = {"Authorization": f"Bearer {school.admin.token}"}
        async with school.http.get(f"{service.url}/api/v1/auth/me", headers=bearer) as answer:
            assert (await answer.json())["data"]["code"] == school.admin.code
        async with school.http.post(f"{service.url}/api/v1/users", json={"name": "After"}, headers=bearer) as answer:
            assert answer.status == 201
        async with service.parts.database.read(school.org_id) as transaction:
            codes = await transaction.rows(select(app_user.c.code).where(app_user.c.org_id == school.org_id))
            assert set(acknowledged) <= {row.code for row in codes}
            chain = await check_chain(transaction)
            assert chain.whole
            assert chain.entries >= len(acknowledged)
        return await counts_of(service.parts.database)
    finally:
        await service.close()


def run(*command: str | Path, **options: Any) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
async def test_sqlite(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    data, http = tmp_path / "data", HttpSettings(port=0)
    data.mkdir()
    (tmp_path / "lms.sqlite").rename(data / "lms.sqlite")
    async with running_school(data, database_settings) as school:
        command = [sys.executable, "-P", "-m", "halqa", "lms", "--data", str(data), "backup"]
        async with people_being_added(school) as acknowledged:
            before = list(acknowledged)
            await asyncio.to_thread(run, *command, str(tmp_path / "busy"))
        await school.parts.relay.close()
        present = await counts_of(school.database)
        url = database_url(database_settings, data)
        quiet = tmp_path / "quiet"
        await asyncio.to_thread(back_up, url, data / SECRET_FILE, quiet)
        with closing(sqlite3.connect(quiet / "lms.sqlite")) as copy:
            told = {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in present}
        assert told == present
        # The folder is a data folder: with the secret, logins and links go on.
        for name, expected in (("busy", before), ("quiet", acknowledged)):
            restored = LmsSettings(data=tmp_path / name, http=http, passwords=CHEAP_PASSWORDS)
            await look_over(school, restored, expected)
        with pytest.raises(LmsError, match="is not empty"):
            back_up(url, data / SECRET_FILE, quiet)


@pytest.mark.parametrize("database_settings", ["postgresql"], indirect=True)
async def test_postgresql(database_settings: DatabaseSettings, postgresql_cluster: Cluster, tmp_path: Path) -> None:
    assert database_settings.url is not None
    admin_url = database_settings.url.replace(OWNER, "postgres")
    async with running_school(tmp_path / "data", database_settings, tokens=SECRETS) as school:
        async with people_being_added(school) as acknowledged:
            before = list(acknowledged)
            await asyncio.to_thread(run, BINARIES / "pg_dump", "--file", tmp_path / "dump.sql", admin_url)
        with running_cluster() as other:
            name = await asyncio.to_thread(restore, other, tmp_path / "dump.sql")
            settings = DatabaseSettings(url=other.url(name), connections=5)
            restored = LmsSettings(
                data=tmp_path / "other", database=settings, http=HttpSettings(port=0), tokens=SECRETS,
                passwords=CHEAP_PASSWORDS,
            )  # fmt: skip
            counts = await look_over(school, restored, before)
            assert counts["app_user"] <= len(acknowledged) + WRITERS + len(school.people) * 2 + 1


def restore(cluster: Cluster, dump: Path) -> str:
    """As the manual says: the roles first, then the database with its owner, then the dump."""
    for role in ("halqa_lms", "halqa_lms_service"):
        cluster.run("CREATE ROLE {} NOLOGIN", role)
        cluster.run("GRANT {} TO {}", role, OWNER)
    name = cluster.create()
    options = ("--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--single-transaction")
    run(BINARIES / "psql", *options, "--file", dump, cluster.url(name, "postgres"))
    return name
