"""POST /api/v1/sync: queues of devices that were offline; sent twice, nothing is done twice."""

from __future__ import annotations

from typing import Any

from tests.integration.lms.chat.test_messages import course_room, send
from tests.support.lms import Person, School


async def sync(school: School, as_: Person, *operations: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    answer = await school.post("/sync", {"device_id": "phone-1", "operations": list(operations)}, as_=as_, **fields)
    assert answer.status == 200, answer.body
    return list(answer.data["results"])


def queued(number: int, kind: str, **body: Any) -> dict[str, Any]:
    return {"id": f"op-{number}", "kind": kind, "body": body}


async def test_a_queue_is_done_once(school: School) -> None:
    room = await course_room(school)
    first = await send(school, school.teacher, room, "Hello")
    one = {"room_id": room, "message_id": first["id"]}
    queue = [
        queued(1, "chat.send", room_id=room, body="offline 1", client_id="phone-1/0001"),
        queued(2, "chat.send", room_id=room, body="offline 2", client_id="phone-1/0002",
               client_at="2026-11-23T07:30:00Z"),
        queued(3, "chat.react", **one, emoji="👍"),
        queued(4, "chat.read", room_id=room, seq=3),
        queued(5, "chat.delete", **one),
        queued(6, "chat.send", room_id=room, body=" ", client_id="phone-1/0003"),
        queued(7, "chat.shout", room_id=room),
        queued(8, "chat.send", room_id=room, body="offline 3", client_id="phone-1/0004"),
    ]  # fmt: skip
    results = await sync(school, school.student, *queue)
    outcomes = ["applied"] * 4 + ["rejected"] * 3 + ["applied"]
    assert [each["outcome"] for each in results] == outcomes
    assert [each["id"] for each in results] == [f"op-{number}" for number in range(1, 9)]
    assert results[5]["error"]["details"] == {
        "field": "body.body", "value": " ", "rule": "pattern", "expected": results[5]["error"]["details"]["expected"],
    }  # fmt: skip
    again = await sync(school, school.student, *queue)
    assert [each["outcome"] for each in again] == [
        "duplicate" if outcome == "applied" else outcome for outcome in outcomes
    ]
    assert [each.get("result") for each in again] == [each.get("result") for each in results]
    read = (await school.get(f"/rooms/{room}/messages", as_=school.student)).data
    assert [(each["seq"], each["body"]) for each in read] == [
        (1, "Hello"), (2, "offline 1"), (3, "offline 2"), (4, "offline 3"),
    ]  # fmt: skip


async def test_what_was_sent_already_by_another_way_is_there_once(school: School) -> None:
    room = await course_room(school)
    sent = await send(school, school.student, room, "sent, and no answer came", client_id="phone-1/0001")
    queue = queued(1, "chat.send", room_id=room, body="sent, and no answer came", client_id="phone-1/0001")
    [result] = await sync(school, school.student, queue)
    assert (result["outcome"], result["result"]["message_id"]) == ("applied", sent["id"])
    assert len((await school.get(f"/rooms/{room}/messages", as_=school.student)).data) == 1


async def test_a_conflict_tells_what_is_there(school: School) -> None:
    room = await course_room(school)
    own = await send(school, school.student, room, "one")
    path = f"/rooms/{room}/messages/{own['id']}"
    await school.patch(path, {"body": "two"}, as_=school.student)
    edit = {"room_id": room, "message_id": own["id"], "body": "three", "edits": 0}
    [result] = await sync(school, school.student, queued(1, "chat.edit", **edit), language="ar")
    assert result["outcome"] == "conflict"
    assert result["error"]["details"]["more"]["message"]["body"] == "two"
    assert "جرى تعديل" in result["error"]["message"]
    [result] = await sync(school, school.student, queued(1, "chat.edit", **{**edit, "edits": 1}))
    assert result["outcome"] == "applied"
    [result] = await sync(school, school.student, queued(1, "chat.delete", room_id=room, message_id=own["id"]))
    assert (result["outcome"], result["error"]["code"]) == ("rejected", "idempotency_key_reused")


async def test_15_what_was_deleted_is_in_no_result(school: School) -> None:
    """Invariant 15: the text of a deleted message is nowhere, and a queue that comes late does not bring it back."""
    room = await course_room(school)
    queue = queued(1, "chat.send", room_id=room, body="secret word", client_id="phone-1/0001")
    [result] = await sync(school, school.student, queue)
    await school.delete(f"/rooms/{room}/messages/{result['result']['message_id']}", as_=school.student)
    answer = await school.post("/sync", {"device_id": "phone-1", "operations": [queue]}, as_=school.student)
    assert b"secret" not in answer.content
    other_device = {"device_id": "laptop", "operations": [queue]}
    answer = await school.post("/sync", other_device, as_=school.student)
    assert answer.data["results"][0]["outcome"] == "applied"
    read = await school.get(f"/rooms/{room}/messages", as_=school.student)
    assert [each["body"] for each in read.data] == [""]


async def test_bad_queues_are_refused_whole(school: School) -> None:
    for body, field in (
        ({"device_id": "x", "operations": []}, "operations"),
        ({"device_id": "x", "operations": [queued(each, "chat.read") for each in range(101)]}, "operations"),
        ({"device_id": "", "operations": [queued(1, "chat.read")]}, "device_id"),
        ({"device_id": "x", "operations": [{"id": "1", "kind": "chat.read"}]}, "operations[0].body"),
    ):
        answer = await school.post("/sync", body, as_=school.student)
        assert (answer.status, answer.error["details"]["field"]) == (400, field), answer.body
