"""How connections end and begin again: breaks, resumption, slow and chatty clients, and the end of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from media.rtp.parameters import Mid
from signaling.config import SignalingConfig
from signaling.identifiers import Door, Role
from signaling.limits import RoomSettings
from tests.support.signal_service import (
    JOIN,
    PATIENCE_S,
    ROOM,
    Service,
    WebSocket,
    hear,
    hear_close,
    running,
    say,
    token,
)
from tests.unit.signaling.offers import sdk_offer


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as service:
        yield service


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_closes_is_gone(service: Service, code: int) -> None:
    amal, badr = await service.join("amal"), await service.join("badr")
    await amal.close(code=code)
    assert (await hear(badr))["reason"] == ("left" if code == 1000 else "disconnected")
    await service.settles(rooms=1, participants=1, connections=1)


@pytest.mark.parametrize("end", ["abort", "close"])
@pytest.mark.parametrize("window_s", [0.0, 0.1])
async def test_a_connection_that_breaks_is_waited_for(window_s: float, end: str) -> None:
    async with running(SignalingConfig(room=RoomSettings(resume_window_s=window_s))) as service:
        amal, badr = await service.join("amal"), await service.join("badr")
        await break_off(amal, end)
        if window_s:
            assert (await hear(badr))["suspended"]
            assert service.counts == (1, 2, 1)
        left = await hear(badr)
        assert (left["type"], left["reason"]) == ("left", "disconnected")
        await amal.close()


async def break_off(websocket: WebSocket, end: str = "abort") -> None:
    """End the connection by RST, or FIN without a close frame."""
    connection = websocket._response.connection
    assert connection is not None
    assert connection.transport is not None
    getattr(connection.transport, end)()


async def test_who_comes_back_is_the_same_and_has_missed_nothing(service: Service) -> None:
    amal, badr = await service.connect("amal"), await service.join("badr")
    await say(amal, JOIN)
    joined = await hear(amal)
    await hear(amal)
    assert (await hear(badr))["type"] == "participant"
    await say(amal, {"type": "publish", "id": 2, "mid": "1", "source": "camera"})
    last = (await hear(amal))["seq"]
    await break_off(amal)
    while (news := await hear(badr))["type"] != "presence":
        pass
    assert news["suspended"]
    await say(badr, {"type": "send", "body": "Where is she?"})
    assert (await hear(badr))["type"] == "message"

    again = await service.connect("amal")
    await say(
        again, {"type": "resume", "id": 1, "token": joined["resume"], "seq": last, "offer": sdk_offer(ufrag="wxyz")}
    )
    resumed = await hear(again)
    assert (resumed["type"], resumed["participant"], resumed["seq"]) == ("resumed", joined["participant"], last)
    assert "a=ice-ufrag:ufrag1" in resumed["answer"]
    missed = [await hear(again) for _ in range(5)]
    assert [each["type"] for each in missed] == ["presence", "message", "presence", "layers", "slots"]
    assert missed[1]["body"] == "Where is she?"
    assert [each["seq"] for each in missed[:3]] == [last + 1, last + 2, last + 3]
    assert not (await hear(badr))["suspended"]
    await say(again, {"type": "ping", "t": 1})
    assert (await hear(again))["type"] == "pong"
    assert service.counts == (1, 2, 2)
    assert not service.engine.routers[0].transports[0].closed


async def test_who_comes_back_before_the_server_noticed_takes_over(service: Service) -> None:
    amal = await service.connect("amal")
    await say(amal, JOIN)
    joined = await hear(amal)
    again = await service.connect("amal")
    await say(again, {"type": "resume", "token": joined["resume"], "seq": joined["seq"]})
    assert (await hear(again))["type"] == "resumed"
    assert await hear_close(amal) == 4008
    await say(again, {"type": "ping", "t": 1})
    assert [(await hear(again))["type"] for _ in range(2)] == ["slots", "pong"]
    await service.settles(rooms=1, participants=1, connections=1)


async def test_who_cannot_resume_may_join_on_the_same_connection(service: Service) -> None:
    amal = await service.connect("amal")
    await say(amal, JOIN)
    joined = await hear(amal)
    for identity, token_ in [("amal", "nonsense"), ("amal", f"{joined['participant']}.x"), ("badr", joined["resume"])]:
        other = await service.connect(identity)
        await say(other, {"type": "resume", "id": 7, "token": token_, "seq": 1})
        error = await hear(other)
        assert (error["type"], error["code"], error["re"]) == ("error", "cannot_resume", 7)
        await other.close()
    elsewhere = await service.connect("chen")
    await say(elsewhere, {"type": "resume", "token": joined["resume"], "seq": 1})
    assert (await hear(elsewhere))["code"] == "cannot_resume"
    await say(elsewhere, JOIN)
    assert (await hear(elsewhere))["type"] == "joined"


async def test_who_waits_is_admitted_over_the_wire() -> None:
    config = SignalingConfig(room=RoomSettings(door=Door.WAITING))
    async with running(config) as service:
        dana = await service.connect("dana")
        await say(dana, JOIN)
        assert (await hear(dana))["type"] == "waiting"
        teacher = await service.connect("teacher", role=Role.TEACHER, moderate=True)
        await say(teacher, JOIN)
        (visitor,) = (await hear(teacher))["room"]["waiting"]
        await hear(teacher)
        await say(teacher, {"type": "admit", "id": 3, "participant": visitor["id"]})
        assert (await hear(dana))["re"] == 1
        assert [(await hear(teacher))["type"] for _ in range(3)] == ["knock_over", "participant", "done"]
        await say(teacher, {"type": "remove", "id": 4, "participant": visitor["id"], "reason": "Go.", "ban": True})
        assert await hear_close(dana) == 4006
        again = await service.connect("dana")
        await say(again, JOIN)
        assert (await hear(again))["code"] == "banned"
        assert await hear_close(again) == 4000
        await say(teacher, {"type": "end"})
        assert await hear_close(teacher) == 4011
        await service.settles()


async def test_an_empty_room_is_kept_for_a_while() -> None:
    async with running(SignalingConfig(room=RoomSettings(empty_timeout_s=0.2))) as service:
        amal = await service.join("amal")
        await amal.close()
        await service.settles(rooms=1)
        badr = await service.join("badr")
        await asyncio.sleep(0.3)
        assert service.counts == (1, 1, 1)
        await badr.close()
        await service.settles()


async def test_the_observer_hears_what_happens_with_its_time() -> None:
    facts: list[str] = []

    class Observer:
        def __getattr__(self, name: str) -> Callable[[Any], None]:
            def take(fact: Any) -> None:
                who = getattr(fact, "who", fact)
                assert who.room == ROOM
                assert abs(who.wallclock.timestamp() - time.time()) < PATIENCE_S
                facts.append(name)
                raise RuntimeError("an observer that fails harms nobody")

            return take

    async with running(observer=Observer()) as service:
        amal = await service.join("amal")
        await say(amal, {"type": "publish", "mid": "1", "source": "camera"})
        track = (await hear(amal))["track"]["id"]
        await say(amal, {"type": "unpublish", "track": track})
        await amal.close()
        await service.settles()
    expected = ["room_started", "participant_joined", "track_published", "track_unpublished", "participant_left"]
    assert facts == [*expected, "room_ended"]


async def test_a_client_that_falls_silent_is_gone() -> None:
    config = SignalingConfig(heartbeat_s=0.2, room=RoomSettings(resume_window_s=0))
    async with running(config) as service:
        badr = await service.join("badr")
        headers = {"Authorization": f"Bearer {token('amal')}"}
        deaf = await service.http.ws_connect(service.address(), headers=headers, autoping=False)
        await say(deaf, JOIN)
        heard = [await hear(badr), await hear(badr)]
        assert [message["type"] for message in heard] == ["participant", "left"]
        assert heard[1]["reason"] == "timeout"
        await deaf.close()


async def test_a_silence_is_on_record_from_the_last_sign_of_life() -> None:
    breaks: asyncio.Queue[tuple[float | None, float]] = asyncio.Queue()

    class Observer:
        def __getattr__(self, name: str) -> Callable[[Any], None]:
            def take(fact: Any) -> None:
                if name == "participant_suspended":
                    breaks.put_nowait((fact.silent_s, time.monotonic()))

            return take

    heartbeat_s = 0.8
    async with running(SignalingConfig(heartbeat_s=heartbeat_s), observer=Observer()) as service:
        headers = {"Authorization": f"Bearer {token('amal')}"}
        deaf = await service.http.ws_connect(service.address(), headers=headers, autoping=False)
        await say(deaf, JOIN)
        await asyncio.sleep(heartbeat_s / 4)
        pong_at = time.monotonic()
        await deaf.pong()  # nobody asked (RFC 6455 section 5.5.3), but a sign of life it is
        silent_s, noticed_at = await asyncio.wait_for(breaks.get(), PATIENCE_S)
        assert silent_s is not None
        assert silent_s > heartbeat_s  # and half of it
        assert pong_at <= noticed_at - silent_s < pong_at + PATIENCE_S / 2
        await deaf.close()
        for end in ("abort", "close"):
            other = await service.join("badr")
            await break_off(other, end)
            silent_s, _ = await asyncio.wait_for(breaks.get(), PATIENCE_S)
            assert silent_s is None, end


async def test_pings_of_a_client_are_answered(service: Service) -> None:
    headers = {"Authorization": f"Bearer {token('amal')}"}
    amal = await service.http.ws_connect(service.address(), headers=headers, autoping=False)
    await amal.ping(b"are you there?")
    message = await amal.receive(PATIENCE_S)
    assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"are you there?")
    await amal.close()


async def test_a_slow_reader_is_closed_and_nobody_else_notices() -> None:
    config = SignalingConfig(
        queued_messages_max=100, close_timeout_s=0.2, requests_per_s=1e9, room=RoomSettings(resume_window_s=0)
    )
    async with running(config) as service:
        badr = await service.join("badr")
        slow = await service.join("slow")  # and never reads again
        assert (await hear(badr))["type"] == "participant"
        await say(badr, {"type": "publish", "mid": "1", "source": "camera"})
        track = (await hear(badr))["track"]["id"]
        longest_s = 0.0
        for number in range(20_000):
            before = time.monotonic()
            await say(badr, {"type": "mute", "track": track, "muted": number % 2 == 0})
            heard = await hear(badr)
            longest_s = max(longest_s, time.monotonic() - before)
            if heard["type"] == "left":
                break
        assert (heard["type"], heard["reason"]) == ("left", "disconnected")
        assert longest_s < 1.0
        await service.settles(rooms=1, participants=1, connections=1)
        await slow.close()


async def test_a_slow_reader_that_wakes_up_finds_the_reason() -> None:
    config = SignalingConfig(queued_messages_max=5, close_timeout_s=PATIENCE_S)
    async with running(config) as service:
        slow = await service.join("slow")
        for _ in range(20):  # the server reads them all before it writes a word
            await say(slow, {"type": "ping", "t": 1})
        assert await hear_close(slow) == 1008


async def test_a_client_that_talks_too_much_is_read_slowly() -> None:
    async with running(SignalingConfig(requests_per_s=100, requests_burst=10)) as service:
        amal, badr = await service.join("amal"), await service.join("badr")
        await hear(amal)
        before = time.monotonic()
        for number in range(30):
            await say(amal, {"type": "ping", "t": number})
        await say(badr, {"type": "ping", "t": 0})
        await hear(badr)
        assert time.monotonic() - before < 0.25
        for _ in range(30):
            await hear(amal)
        assert 0.15 < time.monotonic() - before < 2.0


async def test_a_chatterbox_that_is_held_back_is_closed_at_once_all_the_same() -> None:
    async with running(SignalingConfig(requests_per_s=0.01, requests_burst=10)) as service:
        amal = await service.join("amal")
        for number in range(30):
            await say(amal, {"type": "ping", "t": number})
        service.engine.routers[0].transports[0].listener.on_closed("consent expired")
        assert await hear_close(amal) == 4005
        await service.settles()


async def test_shutting_down_closes_everybody_and_refuses_newcomers() -> None:
    async with running() as service:
        amal, waiting = await service.join("amal"), await service.connect("badr")
        closing = asyncio.create_task(service.signaling.close())
        assert await hear_close(amal) == 4010
        assert await hear_close(waiting) == 4010
        await closing
        assert service.counts == (0, 0, 0)
        headers = {"Authorization": f"Bearer {token()}"}
        async with service.http.get(service.address(), headers=headers) as response:
            assert response.status == 503


async def test_shutting_down_does_not_wait_for_who_does_not_listen() -> None:
    async with running(SignalingConfig(close_timeout_s=0.1)) as service:
        deaf = await service.join("deaf")
        before = time.monotonic()
        await service.signaling.close()
        assert time.monotonic() - before < 1.0
        await deaf.close()


async def test_a_bug_ends_one_connection_with_1011(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    amal, badr = await service.join("amal"), await service.join("badr")
    await hear(amal)
    service.engine.routers[0].transports[0].producers[Mid("1")].closed = True  # what a broken engine would do
    await say(amal, {"type": "publish", "id": 2, "mid": "1", "source": "camera"})
    assert await hear_close(amal) == 1011
    assert "connection failed" in caplog.text
    assert (await hear(badr))["type"] == "left"
    await service.settles(rooms=1, participants=1, connections=1)


async def test_rooms_come_and_go(service: Service) -> None:
    for _ in range(20):
        people = [await service.join(identity) for identity in ("amal", "badr")]
        for websocket in people:
            await websocket.close()
        await service.settles()
    assert len(service.engine.routers) == 20


async def test_a_draining_server_makes_no_new_rooms_and_ends_in_time() -> None:
    async with running() as service:
        amal = await service.join("amal")
        service.signaling.drain(None)
        assert service.signaling.draining
        assert await hear(amal) == {"type": "draining", "ends_at": None}
        refused = await service.http.get(
            service.address("another"), headers={"Authorization": f"Bearer {token(room='another')}"}
        )
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert (await refused.json())["error"]["code"] == "draining"
        badr = await service.join("badr")
        assert (await hear(badr))["type"] == "draining"
        assert (await hear(amal))["type"] == "participant"
        again = await service.join("amal")
        assert await hear_close(amal) == 4004
        assert (await hear(again))["type"] == "draining"
        service.signaling.drain(datetime.now(UTC) + timedelta(seconds=0.1))
        assert (await hear(again))["ends_at"].endswith("Z")
        async with asyncio.timeout(PATIENCE_S):
            await service.signaling.empty()
        assert (await hear_close(again), await hear_close(badr)) == (4010, 4010)


async def test_a_draining_server_is_empty_when_the_last_one_leaves() -> None:
    async with running(SignalingConfig(room=RoomSettings(empty_timeout_s=60.0))) as service:
        amal = await service.join("amal")
        empty = asyncio.create_task(service.signaling.empty())
        service.signaling.drain(None)
        await asyncio.sleep(0)
        assert not empty.done()
        await amal.close()
        async with asyncio.timeout(PATIENCE_S):
            await empty
        with pytest.raises(ValueError, match="zone"):
            service.signaling.drain(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
