"""Items that follow attendance: filled in when it changes, by what it is worth, and never over what people wrote."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from lms.attendance.outcome import Status
from lms.attendance.tables import attendance_result, attendance_run
from lms.audit.tables import audit_log
from lms.classes.status import ClassStatus
from lms.classes.tables import RunEnd, class_run, live_class
from lms.grades.automatic import ATTENDANCE_UPDATED, AttendanceGrades
from lms.outbox.relay import Message
from tests.integration.lms.grading import Course, make_course
from tests.support.lms import Person, School

HOUR = timedelta(hours=1)


async def hold_class(made: Course, results: dict[UUID, Status]) -> tuple[UUID, UUID]:
    """Keep a class that was held, and who was there; return its id and its run's."""
    school = made.school
    class_id, run_id = school.parts.ids.new(), school.parts.ids.new()
    own = {"org_id": school.org_id}
    async with school.database.write(school.org_id) as transaction:
        start = transaction.now - HOUR
        stamped = {"created_at": start, "updated_at": start}
        held: dict[str, Any] = own | stamped
        held |= {"id": class_id, "course_id": made.id, "host_id": made.teacher.id, "title": "Monday", "description": ""}
        held |= {"starts_at": start, "ends_at": start + HOUR, "time_zone": "UTC", "status": ClassStatus.ENDED}
        held |= {"settings": {}, "locked": False, "invited_only": False, "version": 1}
        await transaction.execute(insert(live_class).values(held))
        run = own | {"id": run_id, "class_id": class_id, "room": str(run_id), "started_at": start}
        run |= {"started_by": made.teacher.id, "ended_at": start + HOUR, "end_reason": RunEnd.ENDED}
        await transaction.execute(insert(class_run).values(run))
        computed = own | {"run_id": run_id, "computed_at": transaction.now, "clock_steps": 0, "losses": 0, "version": 1}
        computed |= {"window_start": start, "window_end": start + HOUR}
        await transaction.execute(insert(attendance_run).values(computed))
        for user_id, status in results.items():
            result = own | {"run_id": run_id, "user_id": user_id, "status": status, "present_s": 0}
            result |= {"percent": Decimal(40), "joins": 1, "late_s": 0, "early_s": 0, "policy_version": 1}
            result |= {"input_hash": "", "computed_at": transaction.now}
            await transaction.execute(insert(attendance_result).values(result))
    return class_id, run_id


async def tell(made: Course, class_id: UUID, run_id: UUID) -> None:
    """Give the message of attendance, as the outbox does."""
    school = made.school
    payload = {
        "run_id": str(run_id),
        "class_id": str(class_id),
        "course_id": str(made.id),
        "user_ids": [str(each.id) for each in made.students],
    }
    message = Message(
        school.org_id, school.parts.ids.new(), ATTENDANCE_UPDATED, str(run_id), payload, school.clock.now()
    )
    await AttendanceGrades(school.database, school.parts.outbox).consume(message)


async def grades_of(made: Course, item: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    listed = await made.school.get(f"/grade-items/{item['id']}/grades", as_=made.teacher)
    return [(each["grade"]["state"], each["grade"]["points"], each["grade"]["version"]) for each in listed.data]


async def judge(made: Course, run_id: UUID, student: Person, status: Status) -> None:
    async with made.school.database.write(made.school.org_id) as transaction:
        await transaction.execute(
            update(attendance_result)
            .where(
                attendance_result.c.org_id == made.school.org_id,
                attendance_result.c.run_id == run_id,
                attendance_result.c.user_id == student.id,
            )
            .values(override_status=status)
        )


async def test_a_class_as_an_item(school: School) -> None:
    made = await make_course(school, students=4)
    statuses = [Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED]
    results = {person.id: status for person, status in zip(made.students, statuses, strict=True)}
    class_id, run_id = await hold_class(made, results)
    item = await made.item("Monday", kind="attendance", class_id=str(class_id))
    expected = [("graded", "10", 1), ("graded", "5", 1), ("graded", "0", 1), ("excused", None, 1)]
    assert await grades_of(made, item) == expected
    await tell(made, class_id, run_id)  # nothing changed, so nothing is written, however often it is told
    assert await grades_of(made, item) == expected

    await made.grade(item, made.students[2], "8", version=1)
    await judge(made, run_id, made.students[1], Status.PRESENT)
    await judge(made, run_id, made.students[2], Status.LATE)
    await tell(made, class_id, run_id)
    assert await grades_of(made, item) == [expected[0], ("graded", "10", 2), ("graded", "8", 2), expected[3]]

    path = f"/grade-items/{item['id']}/grades/{made.students[2].id}"
    released = await school.delete(path, as_=made.teacher, version=2)
    assert (released.data["points"], released.data["source"], released.data["version"]) == ("5", "auto", 3)
    history = (await school.get(f"{path}/history", as_=made.teacher)).data
    assert [(each["new_points"], each["actor_id"] is None) for each in history] == [
        ("5", False),
        ("8", False),
        ("0", True),
    ]
    again = {"category_id": made.category["id"], "title": "Again", "kind": "attendance", "max_points": "1"}
    twice = await school.post(f"{made.path}/grade-items", again | {"class_id": str(class_id)}, as_=made.teacher)
    assert (twice.status, twice.error["details"]["field"]) == (409, "class_id")
    foreign = await school.post(f"{made.path}/grade-items", again | {"class_id": str(made.id)}, as_=made.teacher)
    assert foreign.status == 404
    async with school.database.read(school.org_id) as transaction:
        noted = await transaction.rows(select(audit_log.c.actor_kind).where(audit_log.c.action == "grade.compute"))
    assert len(noted) == 2


async def test_all_classes_as_one_item(school: School) -> None:
    made = await make_course(school)
    muna, other = made.students
    item = await made.item("Attendance", kind="attendance")
    assert await grades_of(made, item) == [("none", None, 0)] * 2
    first = await hold_class(made, {muna.id: Status.PRESENT, other.id: Status.ABSENT})
    await tell(made, *first)
    second = await hold_class(made, {muna.id: Status.LATE, other.id: Status.EXCUSED})
    await tell(made, *second)
    assert await grades_of(made, item) == [("graded", "7.5", 2), ("graded", "0", 1)]
    version = (await school.get(f"/grade-items/{item['id']}", as_=made.teacher)).data["version"]
    shares = {"present": "1", "late": "1", "left_early": "0", "partial": "0", "absent": "0.25"}
    scale = {"basis": "status", "shares": shares}
    changed = await school.patch(f"/grade-items/{item['id']}", {"scale": scale}, as_=made.teacher, version=version)
    assert changed.data["scale"] == scale
    assert await grades_of(made, item) == [("graded", "10", 3), ("graded", "2.5", 2)]
    percent = {"scale": {"basis": "percent"}, "locked": True}
    locked = await school.patch(f"/grade-items/{item['id']}", percent, as_=made.teacher, version=version + 1)
    assert await grades_of(made, item) == [("graded", "10", 3), ("graded", "2.5", 2)]
    address, version = f"/grade-items/{item['id']}", locked.data["version"]
    lower = {"max_points": "5"}
    assert (await school.patch(address, lower, as_=made.teacher, version=version)).status == 400
    await school.patch(address, lower | {"locked": False}, as_=made.teacher, version=version)
    assert await grades_of(made, item) == [("graded", "2", 4), ("graded", "2", 3)]


async def test_attendance_never_wins_against_a_person(school: School) -> None:
    """The service computes while a teacher writes: whatever the order, what the teacher wrote stays."""
    made = await make_course(school)
    muna = made.students[0]
    class_id, run_id = await hold_class(made, {muna.id: Status.ABSENT})
    item = await made.item("Monday", kind="attendance", class_id=str(class_id))
    path, version = f"/grade-items/{item['id']}/grades/{muna.id}", 1
    for status in (Status.LATE, Status.PRESENT, Status.ABSENT):
        await judge(made, run_id, muna, status)
        answer, _ = await asyncio.gather(made.grade(item, muna, "3.5", version=version), tell(made, class_id, run_id))
        if answer.status == 409:  # the service was first; the teacher looks, and writes all the same
            version = answer.error["details"]["more"]["current"]
            answer = await made.grade(item, muna, "3.5", version=version)
        assert answer.status == 200
        await tell(made, class_id, run_id)
        assert (await school.get(path, as_=made.teacher)).data == answer.data
        version = (await school.delete(path, as_=made.teacher, version=answer.data["version"])).data["version"]
