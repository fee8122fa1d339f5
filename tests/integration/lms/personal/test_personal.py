"""A person's data handed out and erased, on both engines, over everything that a school has of them."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from lms.access.roles import Role
from lms.attendance.outcome import Status
from lms.attendance.tables import attendance_result
from lms.classes.tables import class_run
from lms.courses.rules import CourseRole
from lms.database.tables import METADATA
from lms.personal.registry import HOLDINGS
from tests.integration.lms.grading import Course, enrol, make_course
from tests.support.lms import Person, School

NAME, EMAIL = "Muna Unmistakable", "unmistakable@example.org"


async def person_with_a_life(school: School) -> tuple[Person, Course]:
    """Somebody of whom nearly every table has something. What follows is done when the test says so."""
    await school.parts.relay.close()
    await school.parts.schedule.close()
    made = (
        await school.post(
            "/users", {"name": NAME, "email": EMAIL, "roles": ["student"], "invite": True}, as_=school.admin
        )
    ).data
    course = await make_course(school, students=1)
    async with school.database.read(school.org_id) as transaction:
        person_id = await transaction.value(
            select(METADATA.tables["app_user"].c.id).where(METADATA.tables["app_user"].c.code == made["code"])
        )
    person = Person(person_id, school.org_id, made["code"], NAME, (Role.STUDENT,), school.token(person_id))
    changed = await school.patch(
        f"/users/{person.id}",
        {"status": "active", "given_name": "Unmistakable"},
        as_=school.admin,
        version=made["version"],
    )
    assert changed.status == 200, changed.body
    observer = await school.person(Role.OBSERVER)
    assert (await school.put(f"/users/{person.id}/guardians/{observer.id}", as_=school.admin)).status == 204
    await enrol(school, course.id, person, CourseRole.STUDENT)
    item = await course.item()
    graded = await course.grade(item, person, "9.5", feedback="Unmistakable work", reason="Unmistakable handwriting")
    assert graded.status == 200, graded.body
    start = school.clock.now() + timedelta(hours=1)
    end = start + timedelta(hours=1)
    planned = await school.post(
        "/live-classes",
        {
            "title": "A",
            "course_id": str(course.id),
            "starts_at": start.isoformat(),
            "ends_at": end.isoformat(),
        },
        as_=course.teacher,
    )
    assert planned.status == 201, planned.body
    class_id = planned.data["id"]
    await school.post(f"/live-classes/{class_id}/invite", {"user_ids": [str(person.id)]}, as_=course.teacher)
    assert (await school.post("/calendars", {"name": "Unmistakable"}, as_=person, key="k")).status == 201
    await add_attendance(school, class_id, person)
    decided = {"user_id": str(person.id), "status": "present", "reason": "an Unmistakable voice"}
    excused = {"user_id": str(person.id), "excused": True, "reason": "Unmistakable illness"}
    for deed, body in (("override", decided), ("excuse", excused)):
        done = await school.post(f"/live-classes/{class_id}/attendance/{deed}", body, as_=course.teacher)
        assert done.status == 200, done.body
    room = (await school.post("/rooms", {"kind": "course", "of": str(course.id)}, as_=course.teacher)).data["id"]
    ban = await school.put(f"/rooms/{room}/bans/{person.id}", {"reason": "Unmistakable manners"}, as_=course.teacher)
    assert ban.status == 204, ban.body
    return replace(person, token=school.token(person.id)), course


async def add_attendance(school: School, class_id: str, person: Person) -> None:
    run_id, now = school.parts.ids.new(), school.clock.now()
    run = {"class_id": UUID(class_id), "room": "r", "started_at": now, "started_by": person.id}
    result = {
        "user_id": person.id, "status": Status.LATE, "present_s": 600, "percent": Decimal(50), "joins": 1, "late_s": 60,
        "early_s": 0, "policy_version": 1, "input_hash": "", "computed_at": now,
        "override_note": "Unmistakable excuse",
    }  # fmt: skip
    async with school.database.write(school.org_id) as transaction:
        await transaction.execute(insert(class_run).values(org_id=school.org_id, id=run_id, **run))
        await transaction.execute(insert(attendance_result).values(org_id=school.org_id, run_id=run_id, **result))


async def everything(school: School) -> str:
    """All that all tables hold, as one text."""
    found = []
    async with school.database.read_all() as transaction:
        for table in METADATA.tables.values():
            found += [f"{table.name} {row!r}" for row in await transaction.rows(select(table))]
    return "\n".join(found)


async def test_all_that_is_held_is_handed_out(school: School) -> None:
    person, _ = await person_with_a_life(school)
    asked = await school.post("/auth/me/data-export", as_=person)
    assert (asked.status, asked.data["state"]) == (202, "waiting")
    path = f"/data-requests/{asked.data['id']}"
    assert (await school.get(f"{path}/archive", as_=person)).code == "no_archive"
    await school.parts.relay.run_once()
    told = (await school.get(path, as_=person)).data
    assert (told["state"], told["counts"]["grades"], told["counts"]["account"]) == ("done", 1, 1)
    fetched = await school.get(f"{path}/archive", as_=person)
    assert fetched.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    assert set(files) >= {f"{each.section}.{kind}" for each in HOLDINGS for kind in ("json", "csv")}
    assert json.loads(files["account.json"])[0]["email"] == EMAIL
    (grade,) = json.loads(files["grades.json"])
    assert (grade["points"], grade["item_title"], grade["feedback"]) == ("9.5000", "Quiz", "Unmistakable work")
    assert json.loads(files["enrolments.json"])[0]["course_title"] == "Algebra"
    assert json.loads(files["attendance.json"])[0]["status"] == "late"
    assert [each["action"] for each in json.loads(files["activity_about.json"])][:2] == ["user.create", "user.update"]
    assert "password_hash" not in files["account.json"]
    for other in (school.student, school.teacher, school.manager, school.other.owner):
        assert (await school.get(path, as_=other)).status == 404
        assert (await school.get(f"{path}/archive", as_=other)).status == 404
    assert (await school.get(f"{path}/archive", as_=school.admin)).status == 200
    log = (await school.get("/audit", as_=school.owner, action="person.export_download")).data
    assert [each["actor_id"] for each in log] == [str(school.admin.id), str(person.id)]
    school.clock.turn(timedelta(days=8))
    await school.parts.schedule.run_due()
    later = replace(person, token=school.token(person.id))
    assert (await school.get(path, as_=later)).data["state"] == "expired"
    assert (await school.get(f"{path}/archive", as_=later)).code == "no_archive"


async def test_nothing_is_left_of_who_is_erased(school: School) -> None:
    person, course = await person_with_a_life(school)
    await school.post("/auth/me/data-export", as_=person)
    await school.parts.relay.run_once()
    assert "nmistakable" in (await everything(school)).casefold()
    path = f"/users/{person.id}/erasure"
    wrong = await school.post(path, {"code": "TCH9999"}, as_=school.admin)
    assert (wrong.status, wrong.code) == (422, "wrong_code")
    asked = await school.post(path, {"code": person.code}, as_=school.admin)
    assert asked.status == 202
    assert (await school.get("/auth/me", as_=person)).status == 401  # at once
    await school.parts.relay.run_once()
    assert (await school.get(f"/data-requests/{asked.data['id']}", as_=school.admin)).data["state"] == "done"
    assert "nmistakable" not in (await everything(school)).casefold()
    check = (await school.get("/audit/check", as_=school.owner)).data
    assert check["whole"]
    assert check["erased"] >= 2
    gradebook = await school.get(f"{course.path}/gradebook", as_=course.teacher)
    assert gradebook.status == 200
    async with school.database.read(school.org_id) as transaction:
        for name, count in (("grade", 1), ("attendance_result", 1), ("grade_history", 1), ("attendance_history", 2)):
            table = METADATA.tables[name]
            rows = await transaction.rows(select(table).where(table.c.user_id == person.id))
            assert len(rows) == count, name
            if name.endswith("history"):
                assert all(row.erased_at is not None for row in rows)
    told = (await school.get("/audit", as_=school.owner, action="attendance.override")).data
    assert [(each["actor_id"], each["old"], each["new"]) for each in told] == [(str(course.teacher.id), None, None)]
    topics = [row["topic"] for row in await outbox_of(school)]
    assert "person.erased" in topics
    again = await school.post(path, {"code": person.code}, as_=school.admin)
    assert again.code == "wrong_code"  # the code is gone, too
    assert (await school.get(f"/users/{person.id}", as_=school.admin)).status == 404


async def test_histories_lose_their_texts_once_and_nothing_else(school: School) -> None:
    """The service alone may do it, and says when; neither the rest of a row nor an erased row can be changed."""
    _, course = await person_with_a_life(school)
    histories = [METADATA.tables[name] for name in ("grade_history", "attendance_history")]
    now = school.clock.now()
    refused: list[tuple[UUID | None, dict[str, Any]]] = [
        (None, {"reason": ""}),
        (None, {"reason": "", "erased_at": now, "actor_id": course.students[0].id}),
    ]
    if school.database.is_postgresql:  # SQLite knows no roles
        refused.append((school.org_id, {"reason": "", "erased_at": now}))
    for table in histories:
        for org_id, values in refused:
            with pytest.raises(DBAPIError, match="append only|permission denied"):
                await write(school, org_id, update(table).values(values))
        await write(school, None, update(table).values(reason="", erased_at=now))
        with pytest.raises(DBAPIError, match="append only"):
            await write(school, None, update(table).values(reason="x", erased_at=now))


async def write(school: School, org_id: UUID | None, statement: Any) -> None:
    database = school.database
    async with database.write_all() if org_id is None else database.write(org_id) as transaction:
        await transaction.execute(statement)


async def outbox_of(school: School) -> list[Any]:
    table = METADATA.tables["outbox"]
    async with school.database.read(school.org_id) as transaction:
        return [row._mapping for row in await transaction.rows(select(table).where(table.c.org_id == school.org_id))]


async def test_who_may_erase_whom(school: School) -> None:
    path = f"/users/{school.owner.id}/erasure"
    body = {"code": school.owner.code}
    assert (await school.post(path, body, as_=school.manager)).status == 403
    assert (await school.post(path, body, as_=school.admin)).status == 403  # below
    assert (await school.post(path, body, as_=school.owner)).code == "last_owner"
    assert (await school.post(path, body, as_=school.other.owner)).status == 404
    assert (await school.post(f"/users/{school.student.id}/data-export", as_=school.teacher)).status == 403
    first = await school.post(f"/users/{school.student.id}/data-export", as_=school.admin)
    assert (await school.get("/data-requests", as_=school.admin)).data[0]["id"] == first.data["id"]


async def test_in_arabic(school: School) -> None:
    refused = await school.post(f"/users/{school.student.id}/erasure", {"code": "no"}, as_=school.admin, language="ar")
    assert "رمز هذا الحساب" in refused.error["message"]
