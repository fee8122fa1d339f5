"""The database on both engines: values, tenants that cannot meet, rows that cannot change, one process on SQLite."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from lms.access.roles import Role
from lms.audit.tables import ActorKind, audit_log
from lms.database.database import Database
from lms.database.draft import import_tables
from lms.database.settings import DatabaseSettings
from lms.database.tables import METADATA, TENANT
from lms.database.types import Exact, Flag, Id, Json, Time
from lms.errors import StartError
from lms.ids import Ids
from lms.organizations.tables import OrganizationStatus, Plan, branch, organization
from lms.people.tables import UserStatus, app_user, membership

IDS = Ids()


async def make(database: Database, slug: str) -> UUID:
    org_id = IDS.new()
    values: dict[str, Any] = {"slug": slug, "name": slug, "plan": Plan.FREE, "status": OrganizationStatus.ACTIVE}
    values |= {"time_zone": "UTC", "language": "en", "settings": {}, "quota": {}, "version": 1}
    async with database.write_all() as transaction:
        await transaction.execute(insert(organization).values(id=org_id, created_at=transaction.now, **values))
    return org_id


async def add_branch(database: Database, org_id: UUID, *, of: UUID | None = None, **more: Any) -> UUID:
    branch_id = IDS.new()
    async with database.write(org_id) as transaction:
        values = {"slug": f"b-{branch_id}", "name": "B", "settings": {}, "version": 1, "created_at": transaction.now}
        await transaction.execute(insert(branch).values(org_id=of or org_id, id=branch_id, **(values | more)))
    return branch_id


async def test_values_come_back_as_they_were(database: Database) -> None:
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
    values: list[tuple[Any, Any]] = [
        (Id(), UUID(int=1)),
        (Time(), moment),
        (Time(), datetime(1, 1, 1, tzinfo=UTC)),
        (Exact(9, 4), Decimal("12345.6789")),
        (Exact(9, 4), Decimal("-0.0001")),
        (Exact(5, 2), Decimal("100.00")),
        (Flag(), True),
        (Json(), {"b": [1, 2.5, None, "منى"], "a": {"": False}}),
        (Json(), []),
    ]
    async with database.read_all() as transaction:
        for kind, value in values:
            found = await transaction.value(select(literal(value, kind)))
            assert (found, str(found)) == (value, str(value)) or (kind.__class__ is Json and found == value)
            assert await transaction.value(select(literal(None, kind))) is None


async def test_flags_in_conditions(database: Database) -> None:
    yes, no = literal(True, Flag()), literal(False, Flag())
    async with database.read_all() as transaction:
        for condition in (yes.is_(True), no.is_(False), no.is_not(True), yes.is_not(None)):
            assert await transaction.value(select(func.count()).where(condition)) == 1


async def test_ids_and_texts_sort_alike(database: Database) -> None:
    org_id = await make(database, "sorting")
    slugs = ["Z", "a", "é", "ا", "ب", "_", "10", "9"]
    made = [await add_branch(database, org_id, slug=slug) for slug in slugs]
    async with database.read(org_id) as transaction:
        by_slug = [row.slug for row in await transaction.rows(select(branch.c.slug).order_by(branch.c.slug))]
        by_id = [row.id for row in await transaction.rows(select(branch.c.id).order_by(branch.c.id))]
    assert by_slug == sorted(slugs)
    assert by_id == made


async def test_what_raises_was_never_written(database: Database) -> None:
    org_id = await make(database, "undone")
    woken = []
    with pytest.raises(ZeroDivisionError):
        async with database.write(org_id) as transaction:
            transaction.after_commit.append(lambda: woken.append(1))
            values = {"slug": "x", "name": "x", "settings": {}, "version": 1, "created_at": transaction.now}
            await transaction.execute(insert(branch).values(org_id=org_id, id=IDS.new(), **values))
            raise ZeroDivisionError
    async with database.read(org_id) as transaction:
        assert await transaction.value(select(func.count()).select_from(branch)) == 0
    assert not woken


async def test_readers_cannot_write(database: Database) -> None:
    org_id = await make(database, "reading")
    with pytest.raises(DBAPIError):
        async with database.read(org_id) as transaction:
            await transaction.execute(update(organization).values(name="x"))


async def test_14_no_row_points_into_another_organization(database: Database) -> None:
    """Invariant 14: composite keys hold even where row-level security does not look."""
    ours, theirs = await make(database, "ours"), await make(database, "theirs")
    their_branch = await add_branch(database, theirs)
    user_id = IDS.new()
    with pytest.raises(IntegrityError):
        async with database.write_all() as transaction:
            person = {"code": "X", "display_name": "x", "sort_key": "x", "status": UserStatus.ACTIVE}
            person |= {"token_version": 1, "version": 1, "created_at": transaction.now}
            await transaction.execute(insert(app_user).values(org_id=ours, id=user_id, **person))
            role = {"role": Role.STUDENT, "branch_id": their_branch, "branch_key": "b"}
            await transaction.execute(
                insert(membership).values(org_id=ours, user_id=user_id, created_at=transaction.now, **role)
            )


async def test_14_a_query_without_its_filter_sees_one_organization(database: Database) -> None:
    """Invariant 14: row-level security, by statements that forgot `org_id`; SQLite has none, and is told so."""
    if not database.is_postgresql:
        pytest.skip("row-level security is PostgreSQL's")
    ours, theirs = await make(database, "ours"), await make(database, "theirs")
    for org_id in (ours, theirs, theirs):
        await add_branch(database, org_id)
    async with database.read(ours) as transaction:
        assert await transaction.value(select(func.count()).select_from(branch)) == 1
        assert [row.slug for row in await transaction.rows(select(organization.c.slug))] == ["ours"]
    async with database.read_all() as transaction:
        assert await transaction.value(select(func.count()).select_from(branch)) == 3
    async with database.write(ours) as transaction:
        assert (await transaction.execute(update(branch).values(name="changed"))).rowcount == 1
    with pytest.raises(DBAPIError, match="row-level security"):
        await add_branch(database, ours, of=theirs)
    async with database._readers.connect() as connection:
        await connection.execute(text("RESET ROLE; RESET app.org"))  # nobody took on a role, though it owns the tables
        assert (await connection.execute(text("SELECT count(*) FROM branch"))).scalar() == 0
        await connection.execute(text("SET ROLE halqa_lms"))  # the role, but no organization
        assert (await connection.execute(text("SELECT count(*) FROM branch"))).scalar() == 0
        await connection.invalidate()  # it is not as the database left it


async def test_connections_change_hands_between_organizations(database: Database) -> None:
    """Many at once over few connections, reading and writing: each sees what is theirs, and readers write nothing."""
    made = [await make(database, slug) for slug in ("one", "two", "three")]
    for count, org_id in enumerate(made, start=1):
        for _ in range(count):
            await add_branch(database, org_id)

    async def look(number: int) -> None:
        which = number % 4
        if which == 3:
            async with database.read_all() as transaction:
                assert await transaction.value(select(func.count()).select_from(organization)) == 3
            return
        org_id = made[which]
        async with database.write(org_id) if number % 5 == 0 else database.read(org_id) as transaction:
            found = await transaction.rows(select(branch.c.org_id).where(branch.c.org_id == org_id))
            assert len(found) == which + 1
            if database.is_postgresql:
                assert len(await transaction.rows(select(branch.c.id))) == which + 1

    await asyncio.gather(*(look(number) for number in range(100)))
    async with database.read(made[0]) as transaction:
        with pytest.raises(DBAPIError):
            await transaction.execute(update(branch).values(name="changed"))


async def test_every_table_is_bound_by_row_level_security(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("row-level security is PostgreSQL's")
    async with database._readers.connect() as connection:
        bare = await connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                "AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> 'alembic_version'"
            )
        )
        assert bare.scalars().all() == []


async def test_the_audit_log_can_only_grow(database: Database) -> None:
    org_id = await make(database, "audited")
    async with database.write(org_id) as transaction:
        entry = {"actor_kind": ActorKind.SERVICE, "action": "a", "entity": "e", "at": transaction.now}
        await transaction.execute(insert(audit_log).values(org_id=org_id, seq=1, previous_hash=b"", hash=b"", **entry))
    for statement in (update(audit_log).values(action="b"), audit_log.delete()):
        for of in (org_id, None):
            with pytest.raises(DBAPIError, match="append only|permission denied"):
                async with database.write_all() if of is None else database.write(of) as transaction:
                    await transaction.execute(statement)


def test_every_tenant_table_has_its_tenant_in_every_key() -> None:
    import_tables()
    for table in METADATA.tables.values():
        if table.info[TENANT] != "org_id" or table.name == "org_host":
            continue
        assert table.primary_key.columns.keys()[0] == "org_id", table.name
        for key in table.foreign_key_constraints:
            target = key.referred_table
            assert target.name == "organization" or "org_id" in key.column_keys, f"{table.name}: {key.column_keys}"


async def test_a_second_process_on_sqlite_is_refused(tmp_path: Path) -> None:
    first = await Database.open(DatabaseSettings(), tmp_path)
    try:
        with pytest.raises(StartError, match=r"in use by another process \(\d+\)"):
            await Database.open(DatabaseSettings(), tmp_path)
    finally:
        await first.close()
    again = await Database.open(DatabaseSettings(), tmp_path)
    await again.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
async def test_addresses_of_other_databases_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(StartError, match=r"database\.url"):
        await Database.open(DatabaseSettings(url=url), tmp_path)
