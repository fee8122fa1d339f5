"""Statements that go by libpq: several in a trip, what is asked ahead, what fails, and connections that are lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, Select, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lms.database import wire
from lms.database.database import Database
from lms.database.prepared import prepared
from lms.database.settings import DatabaseSettings
from lms.organizations.tables import branch, organization
from tests.integration.lms.database.test_database import IDS, add_branch, make

BACKEND = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def only_postgresql(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("libpq is PostgreSQL's")


@prepared
def _named(org_id: Any, name: Any) -> Select[Any]:
    return select(branch.c.id, branch.c.name).where(branch.c.org_id == org_id, branch.c.name == name)


@prepared
def _rename(of_org: Any, branch_id: Any, new: Any) -> Executable:
    return update(branch).where(branch.c.org_id == of_org, branch.c.id == branch_id).values(name=new)


@prepared
def _every() -> Select[Any]:
    return select(branch.c.id)


@prepared
def _divided(by: Any) -> Select[Any]:
    return select(literal(1) / by).select_from(organization)


@prepared
def _slept() -> Select[Any]:
    return select(func.pg_sleep(30)).select_from(organization)


async def test_what_is_asked_ahead_is_known_until_something_is_written(database: Database) -> None:
    org_id = await make(database, "ahead")
    branch_id = await add_branch(database, org_id, name="old")
    async with database.write(org_id) as transaction:
        transaction.ahead(_named(org_id, "old"), _named(org_id, "new"))
        assert len(await transaction.rows(_every())) == 1
        await add_branch(database, org_id, name="new")  # by another: what was asked ahead was asked before
        assert await transaction.rows(_named(org_id, "new")) == []
        await transaction.later(_rename(org_id, branch_id, "newer"))
        assert [row.name for row in await transaction.rows(_named(org_id, "newer"))] == ["newer"]
        assert len(await transaction.rows(_named(org_id, "new"))) == 1
    async with database.read(org_id) as transaction:
        assert await transaction.rows(_named(org_id, "old")) == []


async def test_what_fails_later_undoes_all(database: Database) -> None:
    org_id = await make(database, "later")
    branch_id = await add_branch(database, org_id, name="as it was")
    other_id = await add_branch(database, org_id, slug="taken")

    @prepared
    def take(of_org: Any, which: Any) -> Executable:
        return update(branch).where(branch.c.org_id == of_org, branch.c.id == which).values(slug="taken")

    with pytest.raises(IntegrityError):
        async with database.write(org_id) as transaction:
            await transaction.later(_rename(org_id, other_id, "never"))
            await transaction.later(take(org_id, branch_id))
    async with database.read(org_id) as transaction:
        assert await transaction.rows(_named(org_id, "never")) == []


async def test_who_goes_on_after_a_failure_does_not_commit(database: Database) -> None:
    org_id = await make(database, "failed")
    branch_id = await add_branch(database, org_id, name="as it was")
    with pytest.raises(DBAPIError, match="nobody said so"):
        async with database.write(org_id) as transaction:
            await transaction.run(_rename(org_id, branch_id, "never"))
            with pytest.raises(DBAPIError, match="division by zero"):
                await transaction.rows(_divided(0))
    async with database.read(org_id) as transaction:
        assert [row.name for row in await transaction.rows(_named(org_id, "as it was"))] == ["as it was"]


async def test_both_ways_are_one_transaction(database: Database) -> None:
    org_id = await make(database, "ways")
    async with database.write(org_id) as transaction:
        values = {"slug": "x", "name": "made up", "settings": {}, "version": 1, "created_at": transaction.now}
        await transaction.execute(insert(branch).values(org_id=org_id, id=IDS.new(), **values))
        [row] = await transaction.rows(_named(org_id, "made up"))
        await transaction.later(_rename(org_id, row.id, "prepared"))
        found = (await transaction.execute(select(branch.c.name))).scalars().all()
        assert found == ["prepared"]


async def test_more_statements_than_a_connection_keeps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PREPARED_MAX", 3)

    def numbered(number: int) -> Any:
        return prepared(lambda org_id: select(literal(number)).where(organization.c.id == org_id))

    org_id = await make(database, "many")
    asked = [numbered(number) for number in range(8)]
    async with database.read(org_id) as transaction:
        for _ in range(2):
            transaction.ahead(*(each(org_id) for each in asked[4:]))
            assert [await transaction.value(each(org_id)) for each in asked] == list(range(8))
        assert await transaction.value(select(func.count()).select_from(text("pg_prepared_statements"))) <= 3 + 1


async def terminate(database: Database, pid: int) -> None:
    """End a backend, and wait until it is gone."""
    async with database._readers.connect() as connection:
        await connection.execute(text(f"SELECT pg_terminate_backend({pid})"))
        left = text(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")
        while (await connection.execute(left)).scalar():
            await asyncio.sleep(0.02)


async def test_a_connection_that_was_closed_at_rest_is_passed_over(database: Database) -> None:
    org_id = await make(database, "closed")
    async with database.read(org_id) as transaction:
        pid = await transaction.value(text(BACKEND))
    await terminate(database, pid)
    async with database.write(org_id) as transaction:
        assert await transaction.rows(_every()) == []
        assert await transaction.value(text(BACKEND)) != pid


async def test_a_connection_that_breaks_is_told_and_replaced(database: Database) -> None:
    org_id = await make(database, "broken")
    with pytest.raises(OperationalError):
        async with database.write(org_id) as transaction:
            branch_id = await add_branch(database, org_id)
            await transaction.run(_rename(org_id, branch_id, "never"))
            pid = await transaction.value(text(BACKEND))
            await terminate(database, pid)
            await transaction.rows(_every())
    assert database.connections[0] == 0
    async with database.read(org_id) as transaction:
        assert await transaction.rows(_named(org_id, "never")) == []


async def test_who_is_cancelled_leaves_nothing_behind(database: Database) -> None:
    org_id = await make(database, "cancelled")

    async def wait() -> None:
        async with database.read(org_id) as transaction:
            await transaction.rows(_slept())

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert database.connections[0] == 0
    async with database.read(org_id) as transaction:
        assert await transaction.rows(_every()) == []


async def test_who_waits_too_long_for_a_connection_is_refused(database: Database, tmp_path: Path) -> None:
    url = database.url.render_as_string(hide_password=False)
    few = await Database.open(DatabaseSettings(url=url, connections=1, wait_s=0.2), tmp_path, migrate=False)
    org_id = await make(few, "few")
    try:
        async with few.read(org_id) as transaction:
            assert await transaction.rows(_every()) == []
            with pytest.raises(PoolTimeoutError):
                async with few.read(org_id):
                    pass
        async with few.read(org_id) as transaction:
            assert await transaction.rows(_every()) == []
    finally:
        await few.close()
