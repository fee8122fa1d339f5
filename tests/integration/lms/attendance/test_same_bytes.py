"""The same events make the same reports on SQLite and on PostgreSQL, byte for byte.

HALQA_TEST_LESSONS is how many lessons are made up; each is another one.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from lms.access.roles import Role
from lms.database.settings import DatabaseSettings
from tests.support.lms import School, running_school
from tests.support.lms_attendance import hold_class
from tests.support.postgresql import Cluster
from tests.unit.lms.attendance.lesson import KINDS, play

LESSONS: Final = int(os.environ.get("HALQA_TEST_LESSONS", "1"))
ID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAMES = ("Zaid", "آمنة", "=SUM(A1:A9)", "Ångström")


async def reports_of(school: School, number: int) -> dict[str, bytes]:
    """Hold a class and return everything that can be asked about it."""
    chance = random.Random(5 + number)
    students = [await school.person(Role.STUDENT, name=name) for name in NAMES]
    parts, teacher = school.parts, school.teacher
    ids = [each.id for each in students]
    held = await hold_class(school.database, parts.ids, parts.outbox, school.org_id, "al-noor", ids, teacher.id)
    script = [(chance.choice(KINDS), chance.randrange(4), chance.randrange(90_000) / 1000) for _ in range(40)]
    server = play([("join", 0, 1.0), ("join", 1, 5.5), *script])
    server.join("guest")
    server.wait(20)
    await held.keep(held.told(server))
    await held.end(server.now)
    await held.settle()
    path = f"/live-classes/{held.class_id}/attendance"
    decided = {"user_id": str(ids[2]), "status": "present", "reason": "كانت في القاعة"}
    assert (await school.post(f"{path}/override", decided, as_=teacher)).status == 200
    reports = {}
    for language in ("en", "ar"):
        for each in (".csv", ".xlsx"):
            answer = await school.get(path + each, as_=teacher, language=language)
            assert answer.status == 200
            reports[f"sheet-{language}{each}"] = answer.content
            course = await school.get(f"/courses/{held.course_id}/attendance{each}", as_=teacher, language=language)
            reports[f"course-{language}{each}"] = course.content
    for name, address in (
        ("sheet", path),
        ("person", f"{path}/{ids[2]}"),
        ("course", f"/courses/{held.course_id}/attendance"),
        ("overview", f"/users/{ids[0]}/attendance"),
    ):
        answer = await school.get(address, as_=school.admin)
        reports[name] = without_ids(answer.content.replace(answer.meta["request_id"].encode(), b""))
    return reports | await grades_of(school, f"/courses/{held.course_id}", ids)


async def grades_of(school: School, path: str, students: list[UUID]) -> dict[str, bytes]:
    """Grade by hand and by attendance, and return the gradebook in every form."""
    teacher = school.teacher
    for name, kind in (("واجبات", "manual"), ("Attendance", "attendance")):
        made = await school.post(f"{path}/grade-categories", {"name": name, "weight": "33.3333"}, as_=teacher)
        asked = {"category_id": made.data["id"], "title": name, "max_points": "9.5", "kind": kind, "hidden": False}
        item = await school.post(f"{path}/grade-items", asked, as_=teacher)
        assert item.status == 201, item.body
        if kind == "manual":
            grade = f"/grade-items/{item.data['id']}/grades/{students[1]}"
            given = {"state": "graded", "points": "3.1415", "feedback": "=ممتاز"}
            assert (await school.put(grade, given, as_=teacher, version=0)).status == 200
    book = await school.get(f"{path}/gradebook", as_=teacher)
    files = {
        language: await school.get(f"{path}/gradebook.csv", as_=teacher, language=language) for language in ("en", "ar")
    }
    return {
        "gradebook": without_ids(book.content.replace(book.meta["request_id"].encode(), b"")),
        **{f"gradebook-{language}": answer.content for language, answer in files.items()},
    }


def without_ids(content: bytes) -> bytes:
    """Put the place of its first mention for each id: jobs in the background draw ids, too, whenever they run."""
    seen: dict[bytes, int] = {}
    return ID.sub(lambda match: b"id-%d" % seen.setdefault(match[0], len(seen)), content)


@pytest.mark.timeout(120 + 5 * LESSONS)
async def test_13_both_databases_return_the_same_bytes(
    tmp_path: Path,
    postgresql_cluster: Cluster,
    postgresql_template: str,
    sqlite_template: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "sqlite").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "sqlite" / "lms.sqlite")
    on_postgresql = DatabaseSettings(url=postgresql_cluster.url(postgresql_template), connections=5)
    made = []
    try:
        for name, settings in (("sqlite", DatabaseSettings(readers=2)), ("postgresql", on_postgresql)):
            monkeypatch.setattr("lms.ids.secrets.randbits", random.Random(1).getrandbits)  # the same ids twice
            async with running_school(tmp_path / name, settings) as school:
                assert school.database.is_postgresql == (name == "postgresql")
                made.append([await reports_of(school, number) for number in range(LESSONS)])
    finally:
        postgresql_cluster.empty(postgresql_template)
    for one, other in zip(*made, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name] == other[name], name
            assert len(one[name]) > 100
