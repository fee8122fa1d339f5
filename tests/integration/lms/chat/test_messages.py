"""Messages over HTTP: numbered without holes, sent once however often, changed and deleted for everybody."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from lms.access.roles import Role
from tests.integration.lms.classes.test_courses import enrol, make_course
from tests.support.lms import Person, School


async def open_room(school: School, as_: Person, kind: str = "course", of: object = None) -> dict[str, Any]:
    body = {"kind": kind} | ({} if of is None else {"of": str(of)})
    answer = await school.post("/rooms", body, as_=as_)
    assert answer.status == 200, answer.body
    return dict(answer.data)


async def send(school: School, as_: Person, room_id: str, body: str, **fields: object) -> dict[str, Any]:
    asked = {"body": body, "client_id": str(uuid4()), **fields}
    answer = await school.post(f"/rooms/{room_id}/messages", asked, as_=as_)
    assert answer.status == 201, answer.body
    return dict(answer.data["message"])


async def course_room(school: School, *students: Person) -> str:
    course_id = await make_course(school)
    await enrol(school, course_id, *(students or (school.student,)))
    return str((await open_room(school, school.teacher, "course", course_id))["id"])


async def test_a_message_from_sending_to_deletion(school: School) -> None:
    room = await course_room(school)
    path = f"/rooms/{room}/messages"
    first = await send(school, school.teacher, room, "Welcome", client_at="2026-11-23T07:00:00Z")
    assert (first["seq"], first["sender_name"], first["edits"]) == (1, school.teacher.name, 0)
    reply = await send(school, school.student, room, "شكرا يا أستاذ", reply_to=first["id"])
    assert (reply["seq"], reply["reply_to"]) == (2, first["id"])

    one = f"{path}/{first['id']}"
    assert (await school.patch(one, {"body": "Hello"}, as_=school.student)).status == 403
    edited = await school.patch(one, {"body": "Hello", "edits": 0}, as_=school.teacher)
    assert (edited.data["body"], edited.data["edits"], edited.data["change"]) == ("Hello", 1, 3)
    late = await school.patch(one, {"body": "Hi", "edits": 0}, as_=school.teacher)
    assert (late.status, late.code, late.error["details"]["more"]["message"]["body"]) == (
        409, "message_conflict", "Hello",
    )  # fmt: skip

    for _ in range(2):  # the second changes nothing
        liked = await school.put(f"{one}/reactions/👍", as_=school.student)
        assert liked.data["reactions"] == [{"emoji": "👍", "count": 1, "user_ids": [str(school.student.id)]}]
        assert liked.data["change"] == 4
    assert (await school.delete(f"{one}/reactions/👍", as_=school.student)).data["reactions"] == []
    assert (await school.put(f"{one}/pin", as_=school.student)).status == 403
    assert (await school.put(f"{one}/pin", as_=school.teacher)).data["pinned_by"] == str(school.teacher.id)
    assert [each["id"] for each in (await school.get(f"/rooms/{room}/pins", as_=school.student)).data] == [first["id"]]

    assert (await school.delete(one, as_=school.student)).status == 403
    gone = await school.delete(one, as_=school.teacher)
    assert (gone.data["body"], gone.data["pinned_at"], gone.data["seq"]) == ("", None, 1)
    assert (await school.patch(one, {"body": "x"}, as_=school.teacher)).code == "message_deleted"
    moderated = await school.delete(f"{path}/{reply['id']}", as_=school.teacher)
    assert moderated.data["deleted_by"] == str(school.teacher.id)
    read = await school.get(path, as_=school.student)
    assert [(each["seq"], each["body"]) for each in read.data] == [(1, ""), (2, "")]
    changed = await school.get(path, as_=school.student, changed_after=3)
    assert [each["seq"] for each in changed.data] == [1, 2]


async def test_a_message_is_there_once(school: School) -> None:
    room = await course_room(school)
    path, asked = f"/rooms/{room}/messages", {"body": "Hello", "client_id": "device-1/0001"}
    answers = await asyncio.gather(*(school.post(path, asked, as_=school.student) for _ in range(8)))
    assert sorted(each.status for each in answers) == [200] * 7 + [201]
    assert {each.data["message"]["seq"] for each in answers} == {1}
    other = await school.post(path, {**asked, "body": "Bye"}, as_=school.student)
    assert (other.status, other.code) == (409, "client_id_reused")
    assert (await school.post(path, asked, as_=school.teacher)).status == 201  # somebody else's name for theirs


async def test_15_many_senders_and_no_hole(school: School) -> None:
    people = [school.student, *[await school.person(Role.STUDENT) for _ in range(5)]]
    room = await course_room(school, *people)

    async def chat(person: Person, number: int) -> None:
        for each in range(6):
            sent = await send(school, person, room, f"{number}.{each}")
            if each % 3 == 0:
                again = {"body": sent["body"], "client_id": sent["client_id"]}
                answer = await school.post(f"/rooms/{room}/messages", again, as_=person)
                assert (answer.status, answer.data["duplicate"]) == (200, True)

    await asyncio.gather(*(chat(person, number) for number, person in enumerate(people)))
    read = (await school.get(f"/rooms/{room}/messages", as_=school.teacher, after=0, limit=100)).data
    assert [each["seq"] for each in read] == list(range(1, 37))
    assert [each["change"] for each in read] == list(range(1, 37))
    assert len({each["client_id"] for each in read}) == 36
    for number in range(6):  # each sender's own order holds
        own = [each["body"] for each in read if each["body"].startswith(f"{number}.")]
        assert own == [f"{number}.{each}" for each in range(6)]


async def test_unread_and_read(school: School) -> None:
    room = await course_room(school)
    for text in ("one", "two", "three"):
        await send(school, school.teacher, room, text)
    [found] = (await school.get("/rooms", as_=school.student)).data
    assert (found["unread"], found["last_message"]["body"], found["standing"]) == (3, "three", "write")
    assert (await school.get(f"/rooms/{room}", as_=school.teacher)).data["unread"] == 0  # one's own
    mark = await school.put(f"/rooms/{room}/read", {"seq": 2}, as_=school.student)
    assert (mark.data["seq"], mark.data["unread"]) == (2, 1)
    back = await school.put(f"/rooms/{room}/read", {"seq": 1}, as_=school.student)
    assert back.data["seq"] == 2
    far = await school.put(f"/rooms/{room}/read", {"seq": 99}, as_=school.student)
    assert (far.data["seq"], far.data["unread"]) == (3, 0)


async def test_bad_input_is_named(school: School) -> None:
    room = await course_room(school)
    path = f"/rooms/{room}/messages"
    for body, field, rule in (
        ({"client_id": "12345678"}, "body", "required"),
        ({"body": " \n", "client_id": "12345678"}, "body", "pattern"),
        ({"body": "x" * 4001, "client_id": "12345678"}, "body", "length"),
        ({"body": "x", "client_id": "short"}, "client_id", "length"),
        ({"body": "x", "client_id": "12345678", "to": "all"}, "to", "unknown"),
    ):
        answer = await school.post(path, body, as_=school.student)
        assert (answer.status, answer.code) == (400, "bad_field"), answer.body
        assert (answer.error["details"]["field"], answer.error["details"]["rule"]) == (field, rule)
    arabic = await school.post(path, {"body": "", "client_id": "12345678"}, as_=school.student, language="ar")
    assert "المتوقع" in arabic.error["message"]
    both = await school.get(path, as_=school.student, after=1, before=2)
    assert both.error["details"]["field"] == "before"
    unknown = {"body": "x", "client_id": "12345678", "reply_to": str(uuid4())}
    assert (await school.post(path, unknown, as_=school.student)).status == 404
