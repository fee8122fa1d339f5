"""Recordings: rows that the media server's feed fills, and who sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from control_api.contract import FeedEvent, RecordingStarted, RecordingStopped
from lms.access.roles import Role
from lms.classes.runs import start_run
from lms.classes.store import find_class
from lms.classes.tables import RecordingState, class_run, recording
from lms.classes.told import ClassJobs
from tests.integration.lms.classes.test_codes import make_code, redeem
from tests.integration.lms.classes.test_courses import enrol, make_course
from tests.integration.lms.classes.test_planning import plan
from tests.support.lms import School

AT = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


def told(seq: int, event: RecordingStarted | RecordingStopped) -> FeedEvent:
    at = AT + timedelta(minutes=seq)
    return FeedEvent(cursor=f"5f0c1a9e-{seq}", node="n", boot_id="b", seq=seq, at=at, uptime_s=float(seq), event=event)


async def hold(school: School, class_id: str) -> str:
    """Have a class be held, without a media server; return its room."""
    async with school.database.write(school.org_id) as transaction:
        row = await find_class(transaction, UUID(class_id))
        assert row is not None
        run_id = school.parts.ids.new()
        room = f"al-noor.{run_id.hex}"
        await start_run(transaction, school.parts.outbox, row, run_id=run_id, room=room, started_by=school.teacher.id)
    return room


async def keep(school: School, *events: FeedEvent) -> None:
    jobs = ClassJobs(school.parts, school.parts.media)
    async with school.database.write_all() as transaction:
        await jobs.take_events(transaction, events)


async def test_the_feed_fills_rows_however_often_it_tells(school: School) -> None:
    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    held = await plan(school, course_id=course_id)
    room = await hold(school, held["id"])
    start = told(1, RecordingStarted(room=room, recording="rec-1"))
    stop = told(2, RecordingStopped(room=room, recording="rec-1"))
    lost = told(3, RecordingStopped(room=room, recording="rec-2", failure="the disk is full"))
    foreign = told(4, RecordingStarted(room="somebody-elses", recording="rec-9"))
    await keep(school, start, foreign)
    assert [each["state"] for each in (await school.get("/recordings", as_=school.teacher)).data] == ["recording"]
    for _ in range(2):
        await keep(school, start, stop, lost)
    listed = (await school.get("/recordings", as_=school.teacher, class_id=held["id"])).data
    assert [(each["state"], each["failure"], each["name"]) for each in listed] == [
        ("failed", "the disk is full", "Algebra"),
        ("processing", None, "Algebra"),
    ]
    assert (listed[1]["started_at"], listed[1]["ended_at"]) == ("2026-11-24T09:06:00Z", "2026-11-24T09:07:00Z")
    async with school.database.read(school.org_id) as transaction:
        assert len(await transaction.rows(select(recording.c.id))) == 2
        assert len(await transaction.rows(select(class_run.c.id))) == 1


async def test_who_sees_a_recording(school: School) -> None:
    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    held = await plan(school, course_id=course_id)
    room = await hold(school, held["id"])
    begun, over = RecordingStarted(room=room, recording="r"), RecordingStopped(room=room, recording="r")
    await keep(school, told(1, begun), told(2, over))
    [made] = (await school.get("/recordings", as_=school.teacher)).data
    path = f"/recordings/{made['id']}"
    guest, other_teacher = await school.person(Role.STUDENT), await school.person(Role.TEACHER)
    code = await make_code(school, recording_id=made["id"], kind="unlimited")
    assert (await redeem(school, guest, code))[0] == 200

    early = await school.patch(path, {"state": "published"}, as_=school.teacher, version=made["version"])
    assert early.code == "not_now"
    async with school.database.write(school.org_id) as transaction:
        await transaction.execute(
            update(recording).where(recording.c.org_id == school.org_id).values(state=RecordingState.PROCESSED)
        )
    for person in (school.student, guest):
        assert (await school.get(path, as_=person)).status == 404
        assert (await school.get("/recordings", as_=person)).data == []
    published = await school.patch(path, {"state": "published"}, as_=school.teacher, version=made["version"])
    assert published.data["state"] == "published"
    for person in (school.student, guest, school.admin):
        assert (await school.get(path, as_=person)).data["name"] == "Algebra"
        assert len((await school.get("/recordings", as_=person)).data) == 1
    for stranger in (other_teacher, school.other.owner, await school.person(Role.STUDENT)):
        assert (await school.get(path, as_=stranger)).status == 404
    assert (await school.patch(path, {"name": "x"}, as_=school.student, version=1)).status == 403

    kept = await school.patch(path, {"protected": True}, as_=school.teacher, version=published.meta["version"])
    assert (await school.delete(path, as_=school.teacher, version=kept.meta["version"])).code == "not_now"
    free = await school.patch(path, {"protected": False}, as_=school.teacher, version=kept.meta["version"])
    assert (await school.delete(path, as_=school.teacher, version=free.meta["version"])).status == 204
    assert (await school.get(path, as_=school.teacher)).status == 404
