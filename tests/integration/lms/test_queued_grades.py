"""Grades from the queues of devices: exact, over the version that was seen, once; what else is there is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from lms.audit.tables import audit_log
from lms.grades.events import UPDATED
from lms.grades.tables import grade_history
from lms.outbox.tables import outbox
from tests.integration.lms.chat.test_sync import queued, sync
from tests.integration.lms.grading import make_course
from tests.support.lms import Person, School


def graded(
    number: int, item: dict[str, Any], student: Person, points: str, version: int, **more: Any
) -> dict[str, Any]:
    asked = {"item_id": item["id"], "user_id": str(student.id), "state": "graded", "points": points}
    return queued(number, "grade.set", **asked, version=version, **more)


async def test_a_queue_of_grades_is_written_once(school: School) -> None:
    course = await make_course(school, students=2)
    item, (one, other) = await course.item(), course.students
    queue = [
        graded(1, item, one, "7.0125", 0, feedback="أحسنت", reason="by hand"),
        graded(2, item, other, "3", 0),
        graded(3, item, one, "9.9999", 1),
        queued(4, "grade.set", item_id=item["id"], user_id=str(other.id), state="excused", version=1),
    ]
    results = await sync(school, course.teacher, *queue)
    assert [each["outcome"] for each in results] == ["applied"] * 4
    assert results[2]["result"] == {
        "item_id": item["id"], "user_id": str(one.id), "state": "graded", "points": "9.9999", "version": 2,
    }  # fmt: skip
    again = await sync(school, course.teacher, *queue)
    assert [each["outcome"] for each in again] == ["duplicate"] * 4
    assert [each["result"] for each in again] == [each["result"] for each in results]
    path = f"/grade-items/{item['id']}/grades"
    first = (await school.get(f"{path}/{one.id}", as_=course.teacher)).data
    assert (first["points"], first["feedback"], first["version"], first["source"]) == ("9.9999", "أحسنت", 2, "manual")
    assert (await school.get(f"{path}/{other.id}", as_=course.teacher)).data["state"] == "excused"
    async with school.database.read(school.org_id) as transaction:
        for table, condition in (
            (grade_history, grade_history.c.actor_id == course.teacher.id),
            (audit_log, audit_log.c.action == "grade.write"),
            (outbox, outbox.c.topic == UPDATED),
        ):
            counted = select(func.count()).select_from(table).where(table.c.org_id == school.org_id, condition)
            assert await transaction.value(counted) == 4, table.name


async def test_who_was_slower_is_told_what_is_there(school: School) -> None:
    course = await make_course(school, students=1)
    item, student = await course.item(), course.students[0]
    assert (await course.grade(item, student, "8", 0)).status == 200
    [result] = await sync(school, course.teacher, graded(1, item, student, "5", 0), language="ar")
    assert (result["outcome"], result["error"]["code"]) == ("conflict", "version_conflict")
    details = result["error"]["details"]
    assert (details["field"], details["more"]["current"]) == ("body.version", 1)
    assert (details["more"]["grade"]["points"], details["more"]["grade"]["version"]) == ("8", 1)
    assert "غيّر شخص آخر" in result["error"]["message"]
    [result] = await sync(school, course.teacher, graded(2, item, student, "5", 1))
    assert (result["outcome"], result["result"]["version"]) == ("applied", 2)


async def test_what_cannot_be_a_grade_is_refused_and_the_rest_is_done(school: School) -> None:
    course = await make_course(school, students=1)
    item, student = await course.item(), course.students[0]
    theirs = await make_course(school.other, students=1)
    foreign = await theirs.item()
    none = queued(8, "grade.set", item_id=item["id"], user_id=str(student.id), state="graded", version=0)
    for operation, code, field in (
        (graded(1, item, student, "10.0001", 0), "bad_field", "body.points"),
        (graded(2, item, student, "1.00001", 0), "bad_field", "body.points"),
        (graded(3, item, student, "-1", 0), "bad_field", "body.points"),
        (graded(4, item, student, "7", 0, bonus=1), "bad_field", "body.bonus"),
        (graded(5, item, course.teacher, "7", 0), "not_found", None),
        (graded(6, foreign, theirs.students[0], "7", 0), "not_found", None),
        (graded(7, item, theirs.students[0], "7", 0), "not_found", None),
        (none, "bad_field", "body.points"),
    ):
        after = graded(100 + int(operation["id"][3:]), item, student, "7", 0)
        refused, done = await sync(school, course.teacher, operation, after)
        assert (refused["outcome"], refused["error"]["code"]) == ("rejected", code), refused
        assert refused["error"]["details"].get("field") == field
        assert done["outcome"] == ("applied" if operation["id"] == "op-1" else "conflict")
    [result] = await sync(school, student, graded(1, item, student, "10", 1))
    assert (result["outcome"], result["error"]["code"]) == ("rejected", "forbidden")
    locked = await school.patch(
        f"/grade-items/{item['id']}", {"locked": True}, as_=course.teacher, version=item["version"]
    )
    assert locked.status == 200
    [result] = await sync(school, course.teacher, graded(200, item, student, "6", 1))
    assert (result["outcome"], result["error"]["code"]) == ("conflict", "grade_item_locked")
