"""Keeping order over HTTP: mutes, bans, locks, reports, clearing, files, search, and how long things are kept."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

from sqlalchemy import func, select

from lms.access.roles import Role
from lms.chat.retention import ChatRetention
from lms.chat.tables import chat_message
from tests.integration.lms.chat.test_messages import course_room, open_room, send
from tests.support.lms import School
from tests.support.lms_live import listening


async def test_mutes_bans_and_locks(school: School) -> None:
    room = await course_room(school)
    path, student = f"/rooms/{room}", school.student
    until = (school.clock.now() + timedelta(hours=1)).isoformat()
    mute = f"{path}/mutes/{student.id}"
    assert (await school.put(mute, {"until": until}, as_=student)).status == 400  # oneself
    assert (await school.put(f"{path}/mutes/{school.teacher.id}", {"until": until}, as_=student)).status == 403
    past = await school.put(mute, {"until": "2020-01-01T00:00:00Z"}, as_=school.teacher)
    assert (past.status, past.error["details"]["field"]) == (400, "until")
    assert (await school.put(mute, {"until": until, "reason": "Spam"}, as_=school.teacher)).status == 204
    refused = await school.post(f"{path}/messages", {"body": "x", "client_id": "12345678"}, as_=student)
    assert (refused.status, refused.code) == (403, "muted")
    assert (await school.get(f"{path}/messages", as_=student)).status == 200
    listed = (await school.get(f"{path}/members", as_=school.teacher)).data
    assert {each["user_id"]: each["muted_until"] is not None for each in listed} == {
        str(student.id): True, str(school.teacher.id): False,
    }  # fmt: skip
    school.clock.turn(3601)
    await send(school, student, room, "again")

    assert (await school.patch(path, {"locked": True}, as_=student)).status == 403
    assert (await school.patch(path, {"locked": True}, as_=school.teacher)).data["locked"]
    refused = await school.post(f"{path}/messages", {"body": "x", "client_id": "12345678"}, as_=student)
    assert refused.code == "room_locked"
    await send(school, school.teacher, room, "quiet, please")
    await school.patch(path, {"locked": False}, as_=school.teacher)

    async with listening(school, student, room) as client:
        assert (await school.put(f"{path}/bans/{student.id}", {}, as_=school.teacher)).status == 204
        assert (await client.until("community:left"))["reason"] == "banned"
    async with listening(school, student, after={room: 0}) as client:
        assert (await client.until("community:left"))["reason"] == "removed"
    assert (await school.get(f"{path}/messages", as_=student)).code == "banned"
    assert (await school.delete(f"{path}/bans/{student.id}", as_=school.teacher)).status == 204
    assert (await school.get(f"{path}/messages", as_=student)).status == 200
    assert (await school.put(f"{path}/bans/{school.owner.id}", {}, as_=school.teacher)).status == 403
    seen = await school.get("/audit", as_=school.owner, limit=100)
    assert {"chat.mute", "chat.ban", "chat.unban", "chat.room"} <= {each["action"] for each in seen.data}


async def test_of_two_people_each_may_keep_the_other_from_writing(school: School) -> None:
    await course_room(school)
    room = (await open_room(school, school.student, "direct", school.teacher.id))["id"]
    assert (await open_room(school, school.teacher, "direct", school.student.id))["id"] == room
    await school.put(f"/rooms/{room}/bans/{school.student.id}", {}, as_=school.teacher)
    refused = await school.post(f"/rooms/{room}/messages", {"body": "x", "client_id": "12345678"}, as_=school.student)
    assert refused.code == "banned"
    assert (await school.get(f"/rooms/{room}/messages", as_=school.student)).status == 200
    assert (await school.get(f"/rooms/{room}", as_=school.owner)).status == 404


async def test_a_report_keeps_what_it_is_about(school: School) -> None:
    room = await course_room(school)
    bad = await send(school, school.student, room, "You are all stupid")
    other = await school.person(Role.TEACHER)
    path = f"/rooms/{room}/messages/{bad['id']}"
    assert (await school.post(f"{path}/report", {"reason": "harassment"}, as_=school.student)).status == 403
    made = await school.post(f"{path}/report", {"reason": "harassment", "note": "again"}, as_=school.teacher)
    assert made.status == 201
    [told] = (await school.get("/notifications", as_=school.teacher)).data
    assert (told["kind"], told["about"]["report_id"]) == ("chat.reported", made.data["id"])
    twice = await school.post(f"{path}/report", {"reason": "spam"}, as_=school.teacher)
    assert twice.code == "already_reported"
    await school.patch(path, {"body": "You are all clever"}, as_=school.student)
    revisions = (await school.get(f"{path}/revisions", as_=school.teacher)).data
    assert [each["body"] for each in revisions] == ["You are all stupid"]
    await school.delete(path, as_=school.student)
    assert (await school.get(f"{path}/revisions", as_=school.teacher)).data == []
    [report] = (await school.get("/chat/reports", as_=school.teacher, status="open")).data
    assert (report["body"], report["sender_name"]) == ("You are all stupid", school.student.name)
    assert (await school.get("/chat/reports", as_=other)).data == []
    assert (await school.get("/chat/reports", as_=school.student)).status == 403
    close = f"/chat/reports/{report['id']}/close"
    assert (await school.post(close, {"status": "resolved"}, as_=other)).status == 404
    closed = await school.post(close, {"status": "resolved", "answer": "Talked to them"}, as_=school.owner)
    assert (closed.data["status"], closed.data["closed_by"]) == ("resolved", str(school.owner.id))
    assert (await school.post(close, {"status": "dismissed"}, as_=school.teacher)).code == "report_closed"


async def test_a_room_that_is_cleared(school: School) -> None:
    room = await course_room(school)
    first = await send(school, school.student, room, "secret word")
    await send(school, school.teacher, room, "answer")
    assert (await school.post(f"/rooms/{room}/clear", as_=school.student)).status == 403
    async with listening(school, school.student, room) as client:
        cleared = await school.post(f"/rooms/{room}/clear", as_=school.teacher)
        assert cleared.data["messages"] == 2
        told = await client.until("community:room")
        assert (told["cleared_seq"], told["change"]) == (2, 3)
    async with listening(school, school.student, after={room: 2}) as client:
        assert (await client.until("community:room"))["cleared_seq"] == 2
    read = (await school.get(f"/rooms/{room}/messages", as_=school.student)).data
    assert [each["body"] for each in read] == ["", ""]
    again = {"body": "secret word", "client_id": first["client_id"]}  # a device that was offline meanwhile
    sent = await school.post(f"/rooms/{room}/messages", again, as_=school.student)
    assert (sent.status, sent.data["message"]["body"]) == (200, "")
    assert (await send(school, school.student, room, "new"))["seq"] == 3
    assert (await school.get("/chat/search", as_=school.student, q="secret")).data == []
    assert (await school.get(f"/rooms/{room}", as_=school.teacher)).data["unread"] == 1


async def test_a_file_in_which_nothing_is_a_formula(school: School) -> None:
    room = await course_room(school)
    await send(school, school.student, room, '=HYPERLINK("http://evil")')
    gone = await send(school, school.student, room, "gone")
    await send(school, school.student, room, "سطر\nآخر")
    await school.delete(f"/rooms/{room}/messages/{gone['id']}", as_=school.student)
    assert (await school.get(f"/rooms/{room}/export", as_=school.student)).status == 403
    answer = await school.get(f"/rooms/{room}/export", as_=school.teacher)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["body"] for row in rows] == ['\'=HYPERLINK("http://evil")', "", "سطر\nآخر"]
    whole = json.loads((await school.get(f"/rooms/{room}/export", as_=school.teacher, format="json")).content)
    assert [each["seq"] for each in whole["messages"]] == [1, 2, 3]


async def test_words_are_found_however_they_are_written(school: School) -> None:
    room = await course_room(school)
    found = await send(school, school.teacher, room, "الإمتحانُ يومَ الأحد")
    await send(school, school.teacher, room, "100% sure_of it")
    for asked in ("الامتحان", "الأحد", "إمتحان"):
        answer = await school.get("/chat/search", as_=school.student, q=asked)
        assert [each["id"] for each in answer.data] == [found["id"]], asked
    assert len((await school.get("/chat/search", as_=school.student, q="100%")).data) == 1
    assert (await school.get("/chat/search", as_=school.student, q="sureXof")).data == []
    stranger = await school.person(Role.STUDENT)
    assert (await school.get("/chat/search", as_=stranger, q="sure")).data == []
    assert (await school.get("/chat/search", as_=stranger, q="sure", room_id=room)).status == 404


async def test_what_is_old_goes(school: School) -> None:
    room = await course_room(school)
    kept = await course_room(school)
    for each in (room, kept):
        await send(school, school.teacher, each, "old")
    await school.patch(f"/rooms/{room}", {"retention_days": 5}, as_=school.teacher)
    retention = ChatRetention(school.database, school.parts.live)
    school.clock.turn(timedelta(days=6))
    await send(school, school.teacher, room, "new")
    async with listening(school, school.student, room) as client:
        assert await retention.run() == 1
        assert (await client.until("community:room"))["cleared_seq"] == 1
    assert await retention.run() == 0
    read = (await school.get(f"/rooms/{room}/messages", as_=school.teacher)).data
    assert [(each["seq"], each["body"]) for each in read] == [(2, "new")]
    async with school.database.read(school.org_id) as transaction:
        assert await transaction.value(select(func.count()).select_from(chat_message)) == 2
