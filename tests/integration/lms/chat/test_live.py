"""The WebSocket: who may open it, what is told to whom, what was missed, who is there, and who reads too slowly."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from lms.access.roles import Role
from lms.database.settings import DatabaseSettings
from lms.live.settings import LiveSettings
from tests.integration.lms.chat.test_messages import course_room, open_room, send
from tests.support.lms import TOKEN_S, School, running_school
from tests.support.lms_live import LiveClient, RefusedError, connect, listening


async def test_a_class_hears_what_is_said(school: School) -> None:
    room = await course_room(school)
    async with listening(school, school.teacher, room) as teacher, listening(school, school.student, room) as student:
        said = await teacher.say(room, "Good morning")
        told = await student.until("community:message")
        assert (told["message"], told["change"]) == (said, 1)
        assert (await teacher.until("community:message"))["message"]["id"] == said["id"]  # other tabs show it, too
        await send(school, school.student, room, "by HTTP")
        await teacher.until("community:message", count=2)
        await student.ask("community:react", room_id=room, message_id=said["id"], emoji="❤")
        reaction = await teacher.until("community:reaction", on=True)
        assert (reaction["emoji"], reaction["count"], reaction["change"]) == ("❤", 1, 3)
        await teacher.ask("community:edit", room_id=room, message_id=said["id"], body="Good evening")
        assert (await student.until("community:changed"))["message"]["body"] == "Good evening"
        await teacher.ask("community:delete", room_id=room, message_id=said["id"])
        assert (await student.until("community:changed", count=2))["message"]["body"] == ""
        assert [each["change"] for each in student.told if "change" in each and "message" in each] == [1, 2, 4, 5]
        await student.ask("community:typing", room_id=room)
        assert (await teacher.until("community:typing"))["user_id"] == str(school.student.id)
        assert not student.of("community:typing")
        await student.ask("community:leave", room_id=room)
        assert (await student.until("community:left"))["reason"] == "left"
        await teacher.say(room, "anybody there?")
        await student.ask("ping")
        assert student.bodies() == ["Good morning", "by HTTP"]


async def test_what_was_missed_is_told_again(school: School) -> None:
    room = await course_room(school)
    client = await connect(school, school.student)
    await client.ask("community:join", room_id=room)
    first = await send(school, school.teacher, room, "one")
    await client.until("community:message")
    await client.close()
    for text in ("two", "three"):
        await send(school, school.teacher, room, text)
    await school.patch(f"/rooms/{room}/messages/{first['id']}", {"body": "ONE"}, as_=school.teacher)
    again = await connect(school, school.student, after=client.marks)
    try:
        await again.until("community:changed")
        assert again.bodies() == ["two", "three"]
        assert [each["change"] for each in again.told if "message" in each] == [2, 3, 4]
        await send(school, school.teacher, room, "four")
        await again.until("community:message", count=3)
    finally:
        await again.close()


async def test_too_much_that_was_missed_is_a_gap(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    settings = LiveSettings(replayed_changes=3)
    async with running_school(tmp_path, database_settings, live=settings) as school:
        room = await course_room(school)
        for number in range(6):
            await send(school, school.teacher, room, str(number))
        async with listening(school, school.student, after={room: 1}) as client:
            gap = await client.until("gap")
            assert (gap["after"], gap["change"], client.bodies()) == (4, 6, ["1", "2", "3"])
            read = await school.get(f"/rooms/{room}/messages", as_=school.student, changed_after=gap["after"])
            assert [each["body"] for each in read.data] == ["4", "5"]
            await send(school, school.teacher, room, "6")
            await client.until("community:message", count=4)


async def test_two_people_hear_each_other_without_asking(school: School) -> None:
    await course_room(school)
    async with listening(school, school.teacher) as teacher, listening(school, school.student) as student:
        asked = {"user_id": str(school.teacher.id), "body": "May I ask?", "client_id": str(uuid4())}
        sent = await student.ask("private:message", **asked)
        told = await teacher.until("private:message")
        room = told["room_id"]
        assert (sent["message"]["room_id"], told["message"]["seq"]) == (room, 1)
        assert (await student.ask("private:message", **asked))["duplicate"]
        await teacher.ask("private:message", room_id=room, body="Of course", client_id=str(uuid4()))
        await student.until("private:message", count=2)
        await student.ask("private:read", room_id=room, seq=2)
        assert (await teacher.until("private:read"))["seq"] == 2
        await teacher.ask("private:typing", room_id=room)
        await student.until("private:typing")
    await send(school, school.teacher, room, "while you were away")
    async with listening(school, school.student, after={}) as student:  # it knows no mark of this room
        await student.until("private:message", count=3)
        stranger = await school.person(Role.STUDENT)
        with pytest.raises(RefusedError, match="forbidden"):
            asked = {"user_id": str(stranger.id), "body": "Hi", "client_id": str(uuid4())}
            await student.ask("private:message", **asked)


async def test_who_is_there(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    settings = LiveSettings(offline_after_s=0.2)
    async with running_school(tmp_path, database_settings, live=settings) as school:
        room = await course_room(school)
        async with listening(school, school.teacher, room) as teacher:
            phone = await connect(school, school.student)
            online = await teacher.until("user:online", user_id=str(school.student.id))
            assert online["name"] == school.student.name
            laptop = await connect(school, school.student, status="away")
            await phone.ask("user:status", status="away")
            await teacher.until("user:away")
            await laptop.ask("user:status", status="online")
            await teacher.until("user:online", count=2)
            joined = await teacher.ask("community:join", room_id=room)
            assert str(school.student.id) in joined["present"]
            await phone.close()
            await laptop.close()
            await teacher.until("user:offline")


async def test_who_may_open_it(school: School) -> None:
    address = school.url.replace("http", "ws", 1) + "/api/v1/ws"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await school.http.ws_connect(address, headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403
    plain = await school.get("/ws", as_=school.student)
    assert (plain.status, plain.code) == (426, "upgrade_required")
    cookie = {"Cookie": f"halqa_access={school.student.token}", "Origin": school.url}
    by_cookie = await connect(school, None, headers=cookie)
    assert by_cookie.welcome["user_id"] == str(school.student.id)
    await by_cookie.close()
    refusals: tuple[tuple[dict[str, Any], int, str], ...] = (
        ({"type_": "auth"}, 4401, "not_signed_in"),
        ({"type_": "auth", "token": "x.y.z"}, 4401, "bad_token"),
        ({"type_": "ping"}, 4400, "bad_field"),
        ({"type_": "auth", "token": 7}, 4400, "bad_field"),
    )
    for asked, code, error in refusals:
        client = LiveClient(await school.http.ws_connect(address))
        with pytest.raises(RefusedError, match=error):
            await client.ask(**asked)
        assert await client.closed() == code
        await client.close()


async def test_what_is_wrong_is_refused_and_nothing_else_happens(school: School) -> None:
    room = await course_room(school)
    stranger = await school.person(Role.STUDENT)
    async with listening(school, stranger) as client:
        for type_, fields, code in (
            ("community:join", {"room_id": room}, "not_found"),
            ("community:message", {"room_id": room, "body": "x", "client_id": "12345678"}, "not_found"),
            ("community:join", {"room_id": "x"}, "bad_field"),
            ("community:shout", {}, "bad_field"),
            ("community:join", {"room_id": room, "loud": True}, "bad_field"),
        ):
            with pytest.raises(RefusedError, match=code):
                await client.ask(type_, **fields)
        await client.websocket.send_str("{")
        assert (await client.until("error"))["code"] == "bad_json"
        await client.websocket.send_bytes(b"x")
        assert await client.closed() == 4400


async def test_a_slow_reader_is_closed_and_nobody_else_notices(
    database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    settings = LiveSettings(queued_messages=8)
    async with running_school(tmp_path, database_settings, live=settings) as school:
        room = await course_room(school)
        slow = await connect(school, school.student)
        await slow.ask("community:join", room_id=room)
        [connection] = school.parts.live.hub.connections_of(school.org_id, school.student.id)
        async with listening(school, school.teacher, room) as teacher:
            for _ in range(9):  # at once: nothing of it can be written in between
                connection.send(b'{"type":"flood"}')
            assert connection.is_closing
            await teacher.say(room, "still here")
            await teacher.until("community:message")
            assert await slow.closed() == 4408
        await slow.close()


async def test_too_many_connections_of_one_person(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with running_school(tmp_path, database_settings, live=LiveSettings(connections_per_user=2)) as school:
        clients = [await connect(school, school.student) for _ in range(2)]
        with pytest.raises(RefusedError, match="too_many_connections"):
            await connect(school, school.student)
        await asyncio.gather(*(each.close() for each in clients))


async def test_a_token_that_ran_out_and_an_account_that_was_closed(
    database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with running_school(tmp_path, database_settings, live=LiveSettings(checked_every_s=0.1)) as school:
        room = await course_room(school)
        async with listening(school, school.student, room) as student, listening(school, school.teacher, room) as other:
            await school.delete(f"/users/{school.student.id}", as_=school.owner)
            school.clock.turn(60)  # what was remembered of the account is old
            assert await student.closed() == 4403
            school.clock.turn(TOKEN_S)
            assert await other.closed() == 4403


async def test_staff_have_a_room(school: School) -> None:
    room = (await open_room(school, school.teacher, "staff"))["id"]
    async with listening(school, school.manager, room) as manager:
        await send(school, school.teacher, room, "Tea?")
        await manager.until("community:message")
    assert (await school.post("/rooms", {"kind": "staff"}, as_=school.student)).status == 404
    assert (await school.get(f"/rooms/{room}", as_=school.student)).status == 404
