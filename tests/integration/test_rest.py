"""The control API of a whole server, by its own client: rooms, people in them, tokens, and what the people are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from control_api.client import (
    BadRequestError,
    ConflictError,
    ControlClient,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)
from control_api.contract import (
    Admit,
    BitrateLimits,
    ChangePermissions,
    ChangeRoom,
    ControlRecording,
    CreateKey,
    CreateRoom,
    CreateToken,
    Door,
    EndRoomQuery,
    EventQuery,
    Move,
    Mute,
    ParticipantQuery,
    Presence,
    RemoveQuery,
    Role,
    RoomDefinition,
    RoomLimits,
    RoomQuery,
    Scope,
    SendMessage,
    Source,
)
from tests.support.control_service import ControlService, running

ROOM = "صف-الجبر_7"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ControlService]:
    async with running(tmp_path) as service:
        yield service


@pytest.fixture
async def control(service: ControlService) -> ControlClient:
    return service.control


async def test_room_exists_before_anybody_joins_and_until_it_is_ended(service: ControlService) -> None:
    control = service.control
    limits = RoomLimits(participants_max=1, bitrates=BitrateLimits(camera_bps=900_000))
    made = await control.put_room(ROOM, RoomDefinition(limits=limits, metadata={"course": 7}))
    assert (made.name, made.begun, made.participants, made.limits.participants_max) == (ROOM, False, 0, 1)
    assert (made.limits.bitrates.camera_bps, made.limits.bitrates.screen_bps) == (900_000, 8_000_000)
    assert (await control.get_room(ROOM)).metadata == {"course": 7}

    teacher = await service.join(ROOM, "t1", Role.TEACHER)
    late = await service.connect(ROOM, "s1")
    await late.say(type="join", id=1, slots=[])
    assert (await late.hear("error"))["code"] == "room_full"
    inside = await control.get_room(ROOM)
    assert (inside.begun, inside.participants, inside.metadata) == (True, 1, {"course": 7})

    await control.end_room(ROOM, EndRoomQuery(reason="time is up", closed_s=60))
    assert (await teacher.hear("ended"))["message"] == "time is up"
    assert await teacher.hear_close() == 4011
    with pytest.raises(NotFoundError) as refused:
        await control.get_room(ROOM)
    assert refused.value.code == "no_such_room"
    back = await service.connect(ROOM, "t1", Role.TEACHER)
    await back.say(type="join", id=1, slots=[])
    assert (await back.hear("error"))["code"] == "room_locked"
    assert (await control.put_room(ROOM)).limits.participants_max == 500
    await service.join(ROOM, "t1", Role.TEACHER)


async def test_room_is_made_once_however_often_it_is_asked_for(control: ControlClient) -> None:
    first = await control.create_room(CreateRoom(metadata={"n": 1}), idempotency_key="once")
    again = await control.create_room(CreateRoom(metadata={"n": 1}), idempotency_key="once")
    assert first == again
    with pytest.raises(BadRequestError) as refused:
        await control.create_room(CreateRoom(metadata={"n": 2}), idempotency_key="once")
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    with pytest.raises(ConflictError) as taken:
        await control.create_room(CreateRoom(name=first.name))
    assert (taken.value.code, taken.value.error.field) == ("room_exists", "name")
    assert await control.put_room("b") == await control.put_room("b")


async def test_rooms_are_listed_in_pages(service: ControlService) -> None:
    control = service.control
    for number in range(5):
        await control.put_room(f"algebra-{number}")
    await service.join("music", "m1")
    page = await control.list_rooms(RoomQuery(limit=2))
    assert ([room.name for room in page.rooms], page.next) == (["algebra-0", "algebra-1"], "algebra-1")
    names = [room.name async for room in control.all_rooms()]
    assert names == [f"algebra-{number}" for number in range(5)] + ["music"]
    assert [room.name async for room in control.all_rooms(prefix="algebra-3")] == ["algebra-3"]


async def test_change_of_a_room_reaches_those_inside(service: ControlService) -> None:
    control = service.control
    teacher = await service.join("algebra", "t1", Role.TEACHER)
    changed = await control.change_room("algebra", ChangeRoom(door=Door.WAITING, limits=RoomLimits(waiting_max=1)))
    assert (changed.door, changed.limits.waiting_max, changed.created_at) == (Door.WAITING, 1, None)
    assert (await teacher.hear("room"))["door"] == "waiting"
    await teacher.say(type="lock", id=2, door="open")
    await teacher.hear("done")
    changed = await control.change_room("algebra", ChangeRoom(metadata={"a": [1]}))
    assert (changed.door, changed.limits.waiting_max, changed.metadata) == (Door.OPEN, 1, {"a": [1]})


async def test_who_waits_is_admitted(service: ControlService) -> None:
    control = service.control
    await control.put_room("algebra", RoomDefinition(door=Door.WAITING))
    student, other = await service.connect("algebra", "s1"), await service.connect("algebra", "s2")
    for each in (student, other):
        await each.say(type="join", id=1, slots=[])
        each.id = (await each.hear("waiting"))["participant"]
    waiting = await control.list_participants("algebra", ParticipantQuery(presence=Presence.WAITING))
    assert [each.identity for each in waiting.participants] == ["s1", "s2"]
    assert (await control.get_participant("algebra", student.id)).presence is Presence.WAITING
    with pytest.raises(ConflictError):
        await control.mute_participant("algebra", student.id)
    assert (await control.admit("algebra", Admit(participant=student.id))).participants == (student.id,)
    await student.hear("joined")
    assert (await control.admit("algebra")).participants == (other.id,)
    await other.hear("joined")
    with pytest.raises(NotFoundError):
        await control.admit("algebra", Admit(participant="nobody"))


async def test_decisions_about_people(service: ControlService) -> None:
    control = service.control
    teacher, track = await service.publish("algebra", "t1")
    student = await service.join("algebra", "s1", publish=(Source.CAMERA,))
    assert [each.id for each in (await control.list_tracks("algebra")).tracks] == [track]
    assert (await control.mute_track("algebra", track)).muted
    assert (await student.hear("track"))["track"]["state"] == "muted"
    await teacher.say(type="mute", id=3, track=track, muted=False)
    while (await student.hear("track"))["track"]["state"] != "live":
        pass
    muted = await control.mute_participant("algebra", teacher.id, Mute(source=Source.MICROPHONE))
    assert [each.muted for each in muted.tracks] == [True]
    await control.mute_everybody("algebra")

    now = await control.change_permissions("algebra", student.id, ChangePermissions(publish=(), send=False))
    assert (now.publish, now.send, now.subscribe) == ((), False, True)
    assert (await student.hear("permissions"))["permissions"]["send"] is False

    found = await control.list_participants("algebra", ParticipantQuery(identity="s1"))
    assert [(each.id, each.role, each.presence) for each in found.participants] == [
        (student.id, Role.STUDENT, Presence.PRESENT)
    ]
    await control.remove_participant("algebra", student.id, RemoveQuery(reason="later", ban=True))
    assert (await student.hear("ended")) == {"type": "ended", "reason": "banned", "message": "later"}
    assert await student.hear_close() == 4006
    with pytest.raises(NotFoundError):
        await control.get_participant("algebra", student.id)


async def test_hidden_people_are_told_of_and_can_be_put_out(service: ControlService) -> None:
    hidden = await service.join("algebra", "inspector", Role.OBSERVER, hidden=True)
    [found] = (await service.control.list_participants("algebra")).participants
    assert (found.id, found.hidden) == (hidden.id, True)
    await service.control.remove_participant("algebra", hidden.id)
    await hidden.hear("ended")


async def test_participants_come_in_pages(service: ControlService) -> None:
    for number in range(5):
        await service.join("algebra", f"s{number}")
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await service.control.list_participants("algebra", ParticipantQuery(limit=2, after=after))
        seen += [each.identity for each in page.participants]
        if (after := page.next) is None:
            break
    assert seen == [f"s{number}" for number in range(5)]


async def test_somebody_is_moved_to_another_room(service: ControlService) -> None:
    control = service.control
    student = await service.join("algebra", "s1", name="Maryam", publish=(Source.CAMERA,))
    await control.move_participant("algebra", student.id, Move(room="group 1".replace(" ", "-")))
    moved = await student.hear("moved")
    assert moved["url"] == "../group-1/ws"
    assert await student.hear_close() == 4009
    websocket = await service.connect_with("group-1", moved["token"])
    await websocket.send_str('{"type": "join", "id": 1, "slots": []}')
    async with asyncio.timeout(10):
        joined = await websocket.receive_json()
    assert joined["room"]["participants"][0]["name"] == "Maryam"
    assert joined["permissions"]["publish"] == ["camera"]


async def test_messages_reach_whom_they_are_for(service: ControlService) -> None:
    control = service.control
    await control.put_room("algebra")
    await control.send_message("algebra", SendMessage(body="nobody hears"))
    teacher, student = await service.join("algebra", "t1", Role.TEACHER), await service.join("algebra", "s1")
    await control.send_message("algebra", SendMessage(body={"text": "for teachers"}, roles=(Role.TEACHER,)))
    await control.send_message("algebra", SendMessage(body="for all", topic="notice"))
    assert (await teacher.hear("message"))["body"] == {"text": "for teachers"}
    heard = await student.hear("message")
    assert (heard["body"], heard["topic"], heard.get("participant")) == ("for all", "notice", None)
    with pytest.raises(NotFoundError):
        await control.send_message("algebra", SendMessage(body=1, participants=("nobody",)))
    with pytest.raises(BadRequestError) as refused:
        await control.send_message("algebra", SendMessage(body="x" * 20_000))
    assert refused.value.code == "too_large"


async def test_recording_needs_a_recorder(service: ControlService) -> None:
    await service.join("algebra", "t1", Role.TEACHER)
    with pytest.raises(ConflictError) as refused:
        await service.control.control_recording("algebra", ControlRecording(action="start"))
    assert refused.value.code == "recording_unavailable"


async def test_token_is_never_wider_than_its_key(service: ControlService) -> None:
    control = service.control
    wanted = CreateKey(name="kiosk", scopes=(Scope.TOKENS_CREATE,), rooms="school-a.*")
    made = await control.create_key(wanted)
    async with ControlClient(service.url, made.key.id, made.secret) as kiosk:
        token = await kiosk.create_token(CreateToken(room="school-a.1", identity="s1", ttl_s=60))
        assert token.room == "school-a.1"
        for forbidden in (
            CreateToken(room="school-a.1", identity="t1", role=Role.TEACHER),
            CreateToken(room="school-a.1", identity="s1", moderate=True),
            CreateToken(room="school-b.1", identity="s1"),
        ):
            with pytest.raises(ForbiddenError):
                await kiosk.create_token(forbidden)
        for asked in (kiosk.list_rooms(), kiosk.put_room("school-a.1"), kiosk.list_keys()):
            with pytest.raises(ForbiddenError) as refused:
                await asked
            assert refused.value.code == "missing_scope"
    websocket = await service.connect_with("school-a.1", token.token)
    await websocket.close()


async def test_key_for_some_rooms_sees_no_others(service: ControlService) -> None:
    await service.control.put_room("school-a.1")
    await service.control.put_room("school-b.1")
    wanted = CreateKey(name="lms", scopes=(Scope.ROOMS_READ, Scope.ROOMS_WRITE), rooms="school-a.*")
    made = await service.control.create_key(wanted)
    async with ControlClient(service.url, made.key.id, made.secret) as control:
        assert [room.name async for room in control.all_rooms()] == ["school-a.1"]
        for asked in (control.get_room("school-b.1"), control.create_room(CreateRoom(name="school-c.1"))):
            with pytest.raises(ForbiddenError) as refused:
                await asked
            assert refused.value.code == "room_not_allowed"


async def test_wrong_key_is_nobody(service: ControlService) -> None:
    async with ControlClient(service.url, "key-1", "wrong") as nobody:
        with pytest.raises(UnauthorizedError):
            await nobody.list_rooms()


async def test_feed_is_an_iterator(service: ControlService) -> None:
    control = service.control
    start = (await control.read_events(EventQuery(after="now"))).cursor
    seen: list[str] = []

    async def follow() -> None:
        async for event in control.follow_events(start):
            seen.append(type(event.event).__name__)
            if len(seen) == 4:
                return

    following = asyncio.create_task(follow())
    person = await service.join("algebra", "s1")
    await person.say(type="leave")
    await person.hear_close()
    await control.end_room("algebra")
    async with asyncio.timeout(10):
        await following
    assert seen == ["RoomStarted", "ParticipantJoined", "ParticipantLeft", "RoomEnded"]


BAD: list[tuple[str, bytes, int, str, str | None]] = [
    ("not JSON", b"{", 400, "bad_json", None),
    ("broken UTF-8", b'{"name": "\xff"}', 400, "bad_json", None),
    ("too deep", b'{"metadata": {"a": ' + b"[" * 30 + b"]" * 30 + b"}}", 400, "bad_json", None),
    ("much too deep", b"[" * 50_000, 400, "bad_json", None),
    ("too large", b'{"name": "' + b"a" * 70_000 + b'"}', 413, "too_large", None),
    ("large metadata", b'{"metadata": {"a": "' + b"a" * 20_000 + b'"}}', 413, "too_large", None),
    ("unknown field", b'{"nmae": "a"}', 400, "bad_field", "nmae"),
    ("wrong type", b'{"limits": {"participants_max": "3"}}', 400, "bad_field", "limits.participants_max"),
    ("out of range", b'{"limits": {"participants_max": 0}}', 400, "bad_field", "limits.participants_max"),
    ("unknown choice", b'{"door": "ajar"}', 400, "bad_field", "door"),
    ("no room name", b'{"name": "a/b"}', 400, "bad_field", "name"),
    ("not an object", b"[]", 400, "bad_field", None),
]


async def test_bad_input_is_refused_with_its_place(service: ControlService) -> None:
    headers = {"Content-Type": "application/json", **service.authorization}
    for case, body, status, code, field in BAD:
        async with service.http.post(f"{service.url}/v1/rooms", data=body, headers=headers) as answer:
            error: dict[str, Any] = (await answer.json())["error"]
            assert (answer.status, error["code"], error.get("field")) == (status, code, field), case
    unpacked = {**headers, "Content-Encoding": "gzip"}
    async with service.http.post(f"{service.url}/v1/rooms", data=b'{"name":"a"}', headers=unpacked) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "broken_body")
    assert (await service.control.list_rooms()).rooms == ()


BAD_ADDRESSES = [
    ("GET", "/v1/rooms?limit=0", 400, "bad_field"),
    ("GET", "/v1/rooms?limit=1&limit=2", 400, "bad_field"),
    ("GET", "/v1/rooms?colour=red", 400, "bad_field"),
    ("GET", "/v1/rooms/%2e%2e%2fetc", 400, "bad_field"),
    ("GET", "/v1/rooms/a%ff", 400, "bad_field"),
    ("GET", "/v1/rooms/nowhere/participants?presence=null", 400, "bad_field"),
    ("PATCH", "/v1/rooms", 405, "method_not_allowed"),
    ("GET", "/v1/nothing", 404, "not_found"),
    ("POST", "/v1/rooms", 415, "wrong_content_type"),
]


async def test_bad_addresses(service: ControlService) -> None:
    for method, path, status, code in BAD_ADDRESSES:
        url = URL(service.url + path, encoded=True)
        async with service.http.request(method, url, headers=service.authorization) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (status, code), path


async def test_page_and_document_need_no_key_and_no_script(service: ControlService) -> None:
    async with service.http.get(f"{service.url}/docs/api") as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in page
    assert "http" not in page.replace("WHIP", "").split("<style>")[0]
    document = await service.control.get_document()
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(operations) == len(set(operations))
    for operation in operations:
        assert f'<article id="{operation}"' in page


async def test_created_room_outlives_the_server(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.control.put_room("algebra", RoomDefinition(door=Door.WAITING, metadata={"course": 7}))
        await service.join("algebra", "t1", Role.TEACHER)
    async with running(tmp_path) as service:
        room = await service.control.get_room("algebra")
        assert (room.door, room.metadata, room.begun) == (Door.WAITING, {"course": 7}, False)
        student = await service.connect("algebra", "s1")
        await student.say(type="join", id=1, slots=[])
        await student.hear("waiting")
