"""The audit log's chain: parallel writers, and what was changed or taken away behind the service's back."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import DBAPIError

from lms.audit.retention import AuditRetention, erase_from_log
from lms.audit.tables import audit_log
from tests.support.lms import School


def tamper(school: School, folder: Path, statement: str) -> None:
    """Run a statement as somebody who has the whole database in hands."""
    settings = school.parts.settings.database
    if settings.url is None:
        with sqlite3.connect(folder / "lms.sqlite") as lite:
            for name in ("audit_log_no_update", "audit_log_no_delete"):
                lite.execute(f"DROP TRIGGER IF EXISTS {name}")
            lite.execute(statement)
        lite.close()
        return
    with psycopg.connect(settings.url.replace("halqa_owner", "postgres")) as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger is asked
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET action = 'user.innocent' WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 6", 6),
        ("UPDATE audit_log SET new = '{}' WHERE seq = 4", 4),
        ("UPDATE audit_log SET new = NULL WHERE seq = 4", 4),
        ("UPDATE audit_log SET address = '10.0.0.1', origin_salt = NULL WHERE seq = 5", 5),
    ],
)
async def test_tampering_shows(school: School, tmp_path: Path, statement: str, broken: int) -> None:
    await asyncio.gather(*(school.post("/users", {"name": f"N{n}"}, as_=school.admin) for n in range(6)))
    before = (await school.get("/audit/check", as_=school.owner)).data
    assert (before["entries"], before["whole"]) == (6, True)
    if school.parts.settings.database.url is None:
        return  # its triggers are checked in test_database.py; the chain is the same code
    tamper(school, tmp_path, statement)
    after = (await school.get("/audit/check", as_=school.owner)).data
    assert (after["whole"], after["first_broken"]) == (False, broken)


async def entries(school: School, *conditions: ColumnElement[bool]) -> Any:
    async with school.database.read(school.org_id) as transaction:
        own = audit_log.c.org_id == school.org_id
        return await transaction.rows(select(audit_log).where(own, *conditions).order_by(audit_log.c.seq))


async def test_what_is_personal_can_be_taken_out_and_the_chain_holds(school: School, tmp_path: Path) -> None:
    await school.parts.relay.close()  # a slow disk is to be this test's alone
    await school.parts.schedule.close()
    made = (await school.post("/users", {"name": "Muna Secret"}, as_=school.admin)).data
    changed = await school.patch(f"/users/{made['id']}", {"name": "Muna S"}, as_=school.admin, version=made["version"])
    other = await school.post("/users", {"name": "Other"}, as_=school.admin)
    assert (changed.status, other.status) == (200, 201)
    async with school.database.write_all() as transaction:
        assert await erase_from_log(transaction, school.org_id, UUID(made["id"])) == 2
        assert await erase_from_log(transaction, school.org_id, school.admin.id) == 3
    check = (await school.get("/audit/check", as_=school.owner)).data
    assert (check["entries"], check["erased"], check["whole"]) == (3, 3, True)
    rows = await entries(school)
    assert [(row.old, row.new is None, row.user_agent) for row in rows] == [
        (None, True, None), (None, True, None), (None, False, None)
    ]  # fmt: skip
    assert "Secret" not in str(rows)
    assert [row.action for row in rows] == ["user.create", "user.update", "user.create"]
    if school.parts.settings.database.url is not None:
        for changed_later, broken in (("action = 'user.innocent' WHERE seq = 3", 3), ("new = '{}' WHERE seq = 2", 2)):
            tamper(school, tmp_path, f"UPDATE audit_log SET {changed_later}")
            check = (await school.get("/audit/check", as_=school.owner)).data
            assert (check["whole"], check["first_broken"]) == (False, broken)


async def test_nothing_else_of_an_entry_can_be_changed_even_by_the_service(school: School) -> None:
    await school.post("/users", {"name": "Muna"}, as_=school.admin)
    for values in ({"action": "user.innocent"}, {"hash": b""}, {"content_hash": None}, {"entity_id": None}):
        with pytest.raises(DBAPIError, match="append only|permission denied"):
            async with school.database.write_all() as transaction:
                await transaction.execute(update(audit_log).values(**values))


async def test_old_entries_go_and_the_chain_begins_later(school: School) -> None:
    """Only as far as the school says, and only what is old."""
    await school.parts.schedule.close()
    retention = AuditRetention(school.database)
    for name in ("A", "B"):
        await school.post("/users", {"name": name}, as_=school.admin)
    school.clock.turn(timedelta(days=100))
    owner = replace(school.owner, token=school.token(school.owner.id))
    await school.post("/users", {"name": "C"}, as_=owner)
    assert await retention.run() == 0
    version = (await school.get("/organization", as_=owner)).data["version"]
    settings = {"settings": {"keep_audit_days": 90}}
    assert (await school.patch("/organization", settings, as_=owner, version=version)).status == 200
    assert await retention.run() == 2
    assert await retention.run() == 0
    check = (await school.get("/audit/check", as_=owner)).data
    assert (check["entries"], check["removed"], check["whole"]) == (3, 2, True)
    assert [row.action for row in await entries(school)] == ["user.create", "organization.update", "audit.forget"]
    assert (await school.get("/audit", as_=owner)).data[0]["new"] == {"up_to": 2}
    for statement in (audit_log.delete(), audit_log.delete().where(audit_log.c.seq == 3)):
        with pytest.raises(DBAPIError, match="append only"):
            async with school.database.write_all() as transaction:
                await transaction.execute(statement)
