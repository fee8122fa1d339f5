"""Grades are written against the version that they replace, and nothing that they were is lost."""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from lms.access.roles import Role
from lms.audit.tables import audit_log
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.tables import course
from lms.grades.tables import grade, grade_history, grade_item
from lms.outbox.tables import outbox
from tests.integration.lms.grading import Course, enrol, make_course
from tests.support.lms import School


async def history_of(made: Course, item: dict[str, Any], index: int = 0) -> list[dict[str, Any]]:
    path = f"/grade-items/{item['id']}/grades/{made.students[index].id}/history"
    history: list[dict[str, Any]] = (await made.school.get(path, as_=made.teacher)).data
    return history


async def test_a_grade_and_its_history(school: School) -> None:
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    first = await made.grade(item, muna, "7.5", feedback="أحسنت")
    assert (first.status, first.data["points"], first.data["version"]) == (200, "7.5", 1)
    assert first.headers["ETag"] == '"1"'
    second = await made.grade(item, muna, "8.0001", version=1, reason="counted again")
    assert (second.data["version"], second.data["feedback"], second.data["graded_by"]) == (
        2,
        "أحسنت",
        str(made.teacher.id),
    )
    same = await made.grade(item, muna, "8.0001", version=2)
    assert (same.status, same.data["version"]) == (200, 2)
    changes = await history_of(made, item)
    assert [(each["version"], each["old_points"], each["new_points"], each["reason"]) for each in changes] == [
        (2, "7.5", "8.0001", "counted again"),
        (1, None, "7.5", None),
    ]


async def test_what_somebody_else_wrote_is_not_lost(school: School) -> None:
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    await made.grade(item, muna, "7")
    for version in (0, 2, 17):
        late = await made.grade(item, muna, "9", version=version)
        assert (late.status, late.code) == (409, "version_conflict")
        current = late.error["details"]["more"]
        assert (current["current"], current["grade"]["points"], current["grade"]["state"]) == (1, "7", "graded")
    unversioned = await school.put(
        f"/grade-items/{item['id']}/grades/{muna.id}", {"state": "excused"}, as_=made.teacher
    )
    assert (unversioned.status, unversioned.code) == (428, "version_required")
    assert len(await history_of(made, item)) == 1


@pytest.mark.parametrize("before", [0, 1])
async def test_16_two_teachers_race(school: School, before: int) -> None:
    """One wins, one gets 409, and the history is complete: invariant 16."""
    made = await make_course(school)
    other = await school.person(Role.TEACHER)
    await enrol(school, made.id, other, CourseRole.TEACHER)
    item, muna = await made.item(), made.students[0]
    if before:
        await made.grade(item, muna, "1")
    path = f"/grade-items/{item['id']}/grades/{muna.id}"
    for round_number in range(3):
        version = before + round_number
        answers = await asyncio.gather(
            *(
                school.put(path, {"state": "graded", "points": points}, as_=who, version=version)
                for who, points in ((made.teacher, f"{2 * round_number + 2}"), (other, f"{2 * round_number + 3}"))
            )
        )
        assert sorted(each.status for each in answers) == [200, 409]
        (won,) = (each.data for each in answers if each.status == 200)
        (lost,) = (each.error for each in answers if each.status == 409)
        assert lost["details"]["more"]["grade"]["points"] == won["points"]
        assert (await school.get(path, as_=made.teacher)).data == won
    changes = (await history_of(made, item))[::-1]
    assert [each["version"] for each in changes] == list(range(1, before + 4))
    for earlier, later in itertools.pairwise(changes):
        assert (later["old_points"], later["old_state"]) == (earlier["new_points"], earlier["new_state"])


async def test_two_teachers_enter_a_whole_class_from_both_ends(school: School) -> None:
    """Nobody waits for ever, each student has the grade of one of the two, and both are told which."""
    made = await make_course(school, students=8)
    item = await made.item()
    path = f"/grade-items/{item['id']}/grades"
    for version in range(3):
        entries = [
            {"user_id": str(each.id), "version": version, "state": "graded", "points": f"{version}.1"}
            for each in made.students
        ]
        others = [each | {"points": f"{version}.2"} for each in entries[::-1]]
        one, two = await asyncio.gather(
            *(school.put(path, {"grades": each}, as_=made.teacher) for each in (entries, others))
        )
        assert (one.status, two.status) == (200, 200)
        for first, second in zip(one.data, two.data[::-1], strict=True):
            assert {first["outcome"], second["outcome"]} == {"written", "conflict"}
            assert first["grade"] == second["grade"]
            assert first["grade"]["version"] == version + 1
    assert [each["version"] for each in await history_of(made, item)] == [3, 2, 1]


async def test_a_repetition_writes_once(school: School) -> None:
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    path = f"/grade-items/{item['id']}/grades/{muna.id}"
    body = {"state": "graded", "points": "7"}
    answers = [await school.put(path, body, as_=made.teacher, version=0, key="once") for _ in range(2)]
    assert [each.status for each in answers] == [200, 200]
    assert len(await history_of(made, item)) == 1


async def test_many_at_once(school: School) -> None:
    made = await make_course(school, students=4)
    item = await made.item()
    await made.grade(item, made.students[1], "3")
    entries = [
        {"user_id": str(each.id), "version": 0, "state": "graded", "points": str(index)}
        for index, each in enumerate(made.students)
    ]
    entries[3] |= {"state": "missing", "points": None}
    path = f"/grade-items/{item['id']}/grades"
    answer = await school.put(path, {"grades": entries}, as_=made.teacher)
    assert [each["outcome"] for each in answer.data] == ["written", "conflict", "written", "written"]
    assert [each["grade"]["points"] for each in answer.data] == ["0", "3", "2", None]
    listed = await school.get(path, as_=made.teacher, limit=3)
    assert [each["grade"]["version"] for each in listed.data] == [1, 1, 1]
    rest = await school.get(path, as_=made.teacher, limit=3, cursor=listed.meta["next"])
    assert [each["grade"]["state"] for each in rest.data] == ["missing"]


async def test_one_bad_entry_refuses_all(school: School) -> None:
    made = await make_course(school)
    item = await made.item()
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"points": "10.0001"}, "points"),
        ({"points": None}, "points"),
        ({"points": "1.00001"}, "points"),
        ({"points": "NaN"}, "points"),
        ({"points": 7}, "points"),
        ({"state": "excused"}, "points"),
        ({"user_id": str(UUID(int=7))}, "user_id"),
        ({"user_id": str(made.students[0].id)}, "user_id"),
        ({"version": -1}, "version"),
    )
    for change, field in changes:
        entries: list[dict[str, Any]] = [
            {"user_id": str(each.id), "version": 0, "state": "graded", "points": "5"} for each in made.students
        ]
        entries[1] |= change
        answer = await school.put(f"/grade-items/{item['id']}/grades", {"grades": entries}, as_=made.teacher)
        assert (answer.status, answer.error["details"]["field"]) == (400, f"grades[1].{field}"), change
    assert await history_of(made, item) == []


async def test_locked_items(school: School) -> None:
    made = await make_course(school)
    item = await made.item()
    locked = await school.patch(
        f"/grade-items/{item['id']}", {"locked": True}, as_=made.teacher, version=item["version"]
    )
    assert locked.data["locked"]
    answer = await made.grade(item, made.students[0], "5")
    assert (answer.status, answer.code) == (409, "grade_item_locked")


async def test_archived_courses_change_no_more(school: School) -> None:
    made = await make_course(school)
    item = await made.item()
    async with school.database.write(school.org_id) as transaction:
        statement = update(course).where(course.c.org_id == school.org_id, course.c.id == made.id)
        await transaction.execute(statement.values(status=CourseStatus.ARCHIVED))
    answer = await made.grade(item, made.students[0], "5")
    assert (answer.status, answer.code) == (409, "course_archived")
    assert (await school.get(f"{made.path}/grades", as_=made.students[0])).status == 200


async def test_taking_a_grade_back(school: School) -> None:
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    await made.grade(item, muna, "5", feedback="good")
    path = f"/grade-items/{item['id']}/grades/{muna.id}"
    assert (await school.delete(path, as_=made.teacher, version=7)).status == 409
    answer = await school.delete(path, as_=made.teacher, version=1)
    assert (answer.data["state"], answer.data["points"], answer.data["feedback"], answer.data["version"]) == (
        "none",
        None,
        None,
        2,
    )
    assert [each["old_points"] for each in await history_of(made, item)] == ["5", None]


async def test_audit_and_outbox_in_the_same_transaction(school: School) -> None:
    made = await make_course(school)
    item = await made.item()
    await made.grade(item, made.students[0], "5")
    await made.grade(item, made.students[0], "6", version=9)
    async with school.database.read(school.org_id) as transaction:
        noted = await transaction.rows(select(audit_log.c.new).where(audit_log.c.action == "grade.write"))
        told = await transaction.rows(select(outbox.c.payload).where(outbox.c.topic == "grade.updated"))
    muna = str(made.students[0].id)
    assert [row.new for row in noted] == [{muna: {"version": 1, "state": "graded", "points": "5"}}]
    assert [row.payload for row in told] == [
        {"course_id": str(made.id), "item_id": item["id"], "user_ids": [muna], "published": True}
    ]


async def test_history_is_append_only(school: School) -> None:
    made = await make_course(school)
    await made.grade(await made.item(), made.students[0], "5")
    for statement in (update(grade_history).values(reason="x"), delete(grade_history)):
        with pytest.raises(DBAPIError):
            async with school.database.write(school.org_id) as transaction:
                await transaction.execute(statement.where(grade_history.c.org_id == school.org_id))


async def test_roles(school: School) -> None:
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    stranger = await school.person(Role.TEACHER)
    assistant = await school.person(Role.TA)
    await enrol(school, made.id, assistant, CourseRole.TA)
    path = f"/grade-items/{item['id']}/grades/{muna.id}"
    body = {"state": "graded", "points": "5"}
    for who, reads, writes in (
        (stranger, 404, 404),
        (assistant, 200, 403),
        (muna, 403, 403),
        (school.manager, 200, 200),
        (made.teacher, 200, 409),
    ):
        assert (await school.get(path, as_=who)).status == reads
        assert (await school.put(path, body, as_=who, version=0)).status == writes


async def test_14_other_organizations(school: School) -> None:
    """Invariant 14: ids of another school are ids of nothing."""
    made = await make_course(school)
    item, muna = await made.item(), made.students[0]
    await made.grade(item, muna, "5")
    foreign = school.other.admin
    category = made.category["id"]
    for method, path in (
        ("GET", f"{made.path}/grade-categories"),
        ("PATCH", f"/grade-categories/{category}"),
        ("DELETE", f"/grade-categories/{category}"),
        ("GET", f"{made.path}/grade-items"),
        ("GET", f"/grade-items/{item['id']}"),
        ("PATCH", f"/grade-items/{item['id']}"),
        ("DELETE", f"/grade-items/{item['id']}"),
        ("POST", f"/grade-items/{item['id']}/publish"),
        ("POST", f"/grade-items/{item['id']}/hide"),
        ("GET", f"/grade-items/{item['id']}/grades"),
        ("GET", f"/grade-items/{item['id']}/grades/{muna.id}"),
        ("DELETE", f"/grade-items/{item['id']}/grades/{muna.id}"),
        ("GET", f"/grade-items/{item['id']}/grades/{muna.id}/history"),
        ("GET", f"{made.path}/gradebook"),
        ("GET", f"{made.path}/gradebook/{muna.id}"),
        ("GET", f"{made.path}/gradebook.csv"),
        ("GET", f"{made.path}/grades?student_id={muna.id}"),
        ("GET", f"/grades?student_id={muna.id}"),
    ):
        json: dict[str, Any] | None = {} if method == "PATCH" else None
        answer = await school.other.request(method, path, json, as_=foreign, version=1)
        assert (answer.status, answer.code) == (404, "not_found"), path
    body = {"state": "graded", "points": "5"}
    path = f"/grade-items/{item['id']}/grades/{muna.id}"
    assert (await school.other.put(path, body, as_=foreign, version=1)).status == 404
    theirs = await make_course(school.other)
    own = await theirs.item()
    answer = await school.other.put(f"/grade-items/{own['id']}/grades/{muna.id}", body, as_=foreign, version=0)
    assert answer.status == 404
    stolen = {"category_id": category, "title": "x", "max_points": "1"}
    assert (await school.other.post(f"{theirs.path}/grade-items", stolen, as_=foreign)).status == 404
    with pytest.raises(DBAPIError):  # and where a query forgot all that, the keys do not fit
        async with school.database.write(school.other.org_id) as transaction:
            row = {
                "org_id": school.other.org_id,
                "item_id": UUID(own["id"]),
                "user_id": muna.id,
                "state": "graded",
                "points": Decimal(1),
                "source": "manual",
                "version": 1,
                "updated_at": transaction.now,
            }
            await transaction.execute(insert(grade), [row])


async def test_row_level_security(school: School) -> None:
    made = await make_course(school)
    await made.grade(await made.item(), made.students[0], "5")
    if not school.database.is_postgresql:
        return
    async with school.database.read(school.other.org_id) as transaction:
        for table in (grade, grade_history, grade_item):
            assert await transaction.rows(select(table)) == []
