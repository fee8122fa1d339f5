"""The audit log's chain: parallel writers, and what was changed or taken away behind the service's back."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import psycopg
import pytest

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
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET action = 'user.innocent' WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 6", 6),
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
