"""Notifications, and what the WebSocket tells of classes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from lms.classes.runs import end_run, start_run
from lms.classes.status import ClassStatus
from lms.classes.store import find_class
from lms.classes.tables import RunEnd, class_run, live_class
from lms.notifications.classes import ClassNews
from lms.outbox.send import Outbox
from tests.integration.lms.classes.test_courses import enrol, make_course
from tests.support.lms import School
from tests.support.lms_live import listening


async def plan(school: School, **fields: Any) -> dict[str, Any]:
    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    starts = school.clock.now() + timedelta(minutes=30)
    body = {
        "title": "الجبر", "course_id": course_id, "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=1)).isoformat(), **fields,
    }  # fmt: skip
    answer = await school.post("/live-classes", body, as_=school.teacher)
    assert answer.status == 201, answer.body
    return dict(answer.data)


async def test_a_class_that_starts_soon_is_told_once(school: School) -> None:
    planned = await plan(school)
    news = ClassNews(school.parts)
    assert await news.tell_starting() == 0
    school.clock.turn(timedelta(minutes=21))
    async with listening(school, school.student) as student:
        assert await news.tell_starting() == 2  # the teacher and the student
        told = await student.until("class:starting")
        assert (told["class_id"], told["title"]) == (planned["id"], "الجبر")
        new = (await student.until("notification:new"))["notification"]
        assert new["kind"] == "class.starting"
        assert await news.tell_starting() == 0
        [listed] = (await school.get("/notifications", as_=school.student, unread="true")).data
        assert listed == new
        assert "الجبر" in listed["texts"]["en"]
        assert "تبدأ" in listed["texts"]["ar"]
        async with listening(school, school.student) as phone:
            await phone.ask("notification:read", notification_id=listed["id"])
            assert (await student.until("notification:read"))["unread"] == 0
    assert (await school.get("/notifications", as_=school.student, unread="true")).data == []
    foreign = await school.patch(f"/notifications/{listed['id']}/read", as_=school.teacher)
    assert foreign.status == 404
    assert (await school.post("/notifications/read-all", as_=school.teacher)).data["unread"] == 0


async def test_invitations_changes_and_cancellation_are_told(school: School) -> None:
    planned = await plan(school)
    path = f"/live-classes/{planned['id']}"
    async with listening(school, school.student) as student:
        invited = await school.post(f"{path}/invite", {"user_ids": [str(school.student.id)]}, as_=school.teacher)
        assert invited.status == 200, invited.body
        await student.until("class:invited")
        changed = await school.patch(path, {"title": "Algebra"}, as_=school.teacher, version=int(planned["version"]))
        assert changed.status == 200, changed.body
        assert (await student.until("class:changed"))["title"] == "Algebra"
        cancelled = await school.post(f"{path}/cancel", {"reason": "ill"}, as_=school.teacher)
        assert cancelled.status == 200, cancelled.body
        await student.until("class:cancelled")
    kinds = [each["kind"] for each in (await school.get("/notifications", as_=school.student)).data]
    assert kinds == ["class.cancelled", "class.changed", "class.invited"]


async def test_a_run_has_a_room_and_says_when_it_began_and_ended(school: School) -> None:
    planned = await plan(school)
    outbox: Outbox = school.parts.outbox
    run_id = school.parts.ids.new()
    async with listening(school, school.student) as student:
        async with school.database.write(school.org_id) as transaction:
            held = await find_class(transaction, UUID(planned["id"]))
            assert held is not None
            await transaction.execute(
                update(live_class).where(live_class.c.id == held.id).values(status=ClassStatus.LIVE)
            )
            await start_run(
                transaction, outbox, held, run_id=run_id, room=f"al-noor.{run_id}", started_by=school.teacher.id
            )
        started = await student.until("class:started")
        room = started["room_id"]
        await student.ask("community:join", room_id=room)
        await student.say(room, "Good morning")
        async with school.database.write(school.org_id) as transaction:
            run = await transaction.one(select(class_run).where(class_run.c.id == run_id))
            await end_run(transaction, outbox, run, RunEnd.ENDED)
        await student.until("class:ended")
        read = (await school.get(f"/rooms/{room}/messages", as_=school.student)).data
        assert [(each["kind"], each["body"]) for each in read] == [
            ("system", "class.started"), ("text", "Good morning"), ("system", "class.ended"),
        ]  # fmt: skip
        late = await school.post(f"/rooms/{room}/messages", {"body": "x", "client_id": "12345678"}, as_=school.student)
        assert late.code == "room_over"
