"""What breaks and comes back, by script: nothing told twice, nothing lost, and an end where there is one."""

from __future__ import annotations

import json
import time

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import LOCAL_ID, FakeServer, make_participant, make_token, make_track
from tests.e2e.web.sdk_page import SdkError, SdkPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def sdk(server: FakeServer, peer: MediaPeer, page: Page) -> SdkPage:
    sdk = SdkPage(page, server)
    await sdk.open()
    server.participants = [make_participant("p-omar", "Omar", make_track("t1", "camera"))]
    await sdk.connect(name="Lina", slots={"audio": 1, "video": 1, "screen": 1})
    await sdk.event("state", "event.state === 'connected'")
    return sdk


async def test_a_cut_connection_is_resumed_and_what_was_missed_is_told_once(sdk: SdkPage) -> None:
    server = sdk.server
    await server.send("hands", raised=["p-omar"])
    await sdk.event("hands")
    server.miss("participant", participant=make_participant("p-salma", "Salma"))
    server.miss("left", participant="p-omar", reason="left")
    server.missed.insert(0, {"type": "message", "seq": 1, "topic": "chat", "body": "heard before"})
    server.drop()
    assert (await sdk.event("reconnected"))["rejoined"] is False
    resume = await server.hears("resume")
    assert (resume["token"], resume["seq"]) == ("r1", 2)
    assert "offer" not in resume  # media goes on
    assert await sdk.run("return [...room.participants.values()].map(({ name }) => name)") == ["Salma"]
    assert [event["now"] for event in await sdk.events("hands")] == [["p-omar"], []]
    assert await sdk.events("message") == []
    assert [event["state"] for event in await sdk.events("state")][-2:] == ["reconnecting", "connected"]
    assert await sdk.run("return room.seq") == 4

    server.drop()  # the token of the last resumption is good for the next
    assert (await server.hears("resume", lambda message: message["seq"] == 4))["token"] == "r1+"


async def test_what_is_asked_meanwhile_waits(sdk: SdkPage) -> None:
    await sdk.run("room.simulate('signal-lost', { seconds: 0.5 }); await room.raiseHand(true)")
    order = [message["type"] for message in sdk.server.heard if message["type"] in ("resume", "hand")]
    assert order == ["resume", "hand"]


async def test_a_message_without_an_answer_is_not_sent_twice(sdk: SdkPage) -> None:
    server = sdk.server

    def lose(_message: object) -> None:
        server.drop()

    server.replies["send"] = lose
    server.miss("message", topic="chat", body="hello", participant=LOCAL_ID)
    message = await sdk.run("const { body, seq } = await room.send('hello'); return { body, seq }")
    assert message == {"body": "hello", "seq": 2}
    assert len(server.all_heard("send")) == 1


async def test_a_message_that_never_arrived_is_sent_again(sdk: SdkPage) -> None:
    server = sdk.server

    def lose_first(_message: object) -> dict[str, object] | None:
        if len(server.all_heard("send")) > 1:
            return {"type": "done", "seq": 2}
        server.drop()
        return None

    server.replies["send"] = lose_first
    await sdk.run("await room.send('hello')")
    assert len(server.all_heard("send")) == 2


async def test_a_place_that_is_gone_is_taken_anew(sdk: SdkPage, peer: MediaPeer) -> None:
    server = sdk.server
    await sdk.run("await room.publishCamera(); await room.publishMicrophone(); await room.mute('microphone', true)")
    await sdk.run("await room.view([{ mid: '5', track: 't1', height: 360 }])")
    await sdk.run("window.first = room.slots[0].mediaTrack")
    server.replies["resume"] = lambda _: {"type": "error", "code": "cannot_resume", "message": "gone"}
    server.participants = [make_participant("p-salma", "Salma")]
    server.drop()
    assert (await sdk.event("reconnected"))["rejoined"] is True
    assert len(server.all_heard("join")) == 2
    published = await server.hears("publish", lambda message: message.get("muted") is True)
    assert published["source"] == "microphone"
    assert [message["source"] for message in server.all_heard("publish")].count("camera") == 2
    view = await server.hears("view", lambda message: message["slots"][0]["track"] == "auto")
    assert view["slots"] == [{"mid": "5", "track": "auto", "height": 360}]  # track t1 is not there any more
    assert await sdk.run("return first !== room.slots[0].mediaTrack")
    assert [event["who"] for event in await sdk.events("participant-joined")] == ["Salma"]
    left = await sdk.events("participant-left")
    assert [(event["who"], event["reason"]) for event in left] == [("Omar", "missed")]
    before = await peer.frames_from("1")
    await sdk.page.wait_for_timeout(500)
    assert await peer.frames_from("1") > before


async def test_a_server_that_restarts_is_waited_for(sdk: SdkPage) -> None:
    server = sdk.server
    server.refusal = web.json_response({"error": {"code": "shutting_down", "message": "no"}}, status=503)
    await server.close(4010)
    await sdk.event("reconnecting")
    await sdk.page.wait_for_timeout(700)
    server.refusal = None
    assert (await sdk.event("reconnected"))["rejoined"] is True
    assert server.all_heard("resume") == []  # the room is gone with the server


async def test_a_move_goes_to_the_other_address_with_the_other_token(sdk: SdkPage) -> None:
    token = make_token(name="Lina", moved=True)
    await sdk.server.send("moved", url=f"{sdk.server.room_address}?b", token=token)
    await sdk.server.close(4009)
    await sdk.event("reconnected")
    assert sdk.server.subprotocols == ["halqa.v1", f"bearer.{token}"]


@pytest.mark.parametrize(
    ("close_code", "farewell", "reason"),
    [
        (4006, {"reason": "removed", "message": "Please come back tomorrow."}, "removed"),
        (4006, {"reason": "banned"}, "banned"),
        (4011, {"reason": "duration"}, "duration"),
        (4004, None, "replaced"),
        (4008, None, "replaced"),
        (4001, None, "token_expired"),
    ],
)
async def test_an_end_is_an_end(sdk: SdkPage, close_code: int, farewell: dict[str, str] | None, reason: str) -> None:
    if farewell is not None:
        await sdk.server.send("ended", **farewell)
    await sdk.server.close(close_code)
    closed = await sdk.event("closed")
    assert closed["reason"] == reason
    if farewell is not None and "message" in farewell:
        assert closed["message"] == farewell["message"]
    await sdk.page.wait_for_timeout(400)
    assert len(sdk.server.all_heard("join")) == 1
    assert sdk.server.all_heard("resume") == []


async def test_a_door_that_stays_shut_is_an_end(sdk: SdkPage) -> None:
    sdk.server.refusal = web.json_response({"error": {"code": "bad_token", "message": "no"}}, status=401)
    sdk.server.drop()
    assert (await sdk.event("closed"))["reason"] == "bad_token"


async def test_a_fresh_token_is_asked_for(server: FakeServer, peer: MediaPeer, page: Page) -> None:
    sdk = SdkPage(page, server)
    await sdk.open()
    fresh = make_token(fresh=True)
    await sdk.run(
        "await room.connect(values.address, values.token, { getToken: async () => values.fresh })",
        address=server.room_address,
        token=make_token(),
        fresh=fresh,
    )
    await sdk.event("state", "event.state === 'connected'")
    await server.close(4001)
    await sdk.event("reconnected")
    assert server.subprotocols == ["halqa.v1", f"bearer.{fresh}"]


async def test_a_token_is_renewed_before_it_runs_out(server: FakeServer, peer: MediaPeer, page: Page) -> None:
    sdk = SdkPage(page, server)
    await sdk.open()
    await page.clock.install()
    fresh = make_token(fresh=True)
    await sdk.run(
        "await room.connect(values.address, values.token, { getToken: () => values.fresh })",
        address=server.room_address,
        token=make_token(exp=time.time() + 90),
        fresh=fresh,
    )
    await sdk.event("state", "event.state === 'connected'")
    await page.clock.fast_forward(40_000)
    await server.hears("resume")
    assert server.subprotocols == ["halqa.v1", f"bearer.{fresh}"]


async def test_leaving_while_away(sdk: SdkPage) -> None:
    await sdk.run("room.simulate('signal-lost', { seconds: 60 })")
    await sdk.event("reconnecting")
    with pytest.raises(SdkError, match="closed"):
        await sdk.run("const asked = room.raiseHand(true); room.leave(); await asked")
    assert (await sdk.event("closed"))["reason"] == "left"


async def test_waiting_to_be_let_in_has_no_time_out(server: FakeServer, peer: MediaPeer, page: Page) -> None:
    sdk = SdkPage(page, server)
    await sdk.open()
    await page.clock.install()
    server.replies["join"] = lambda _: {"type": "waiting", "participant": "p-local"}
    await sdk.run(
        "window.joining = room.connect(values.address, values.token)", address=server.room_address, token=make_token()
    )
    await sdk.event("state", "event.state === 'waiting'")
    await page.clock.fast_forward(120_000)
    del server.replies["join"]
    join = server.all_heard("join")[0]
    await server.send_text(json.dumps({**await server._join(join), "re": join["id"]}))
    await sdk.run("await joining")
    await sdk.event("state", "event.state === 'connected'")


async def test_sent_away_while_waiting(server: FakeServer, peer: MediaPeer, page: Page) -> None:
    sdk = SdkPage(page, server)
    await sdk.open()
    server.replies["join"] = lambda _: {"type": "waiting", "participant": "p-local"}
    joining = "window.joining = room.connect(values.address, values.token).catch(({ code }) => code)"
    await sdk.run(joining, address=server.room_address, token=make_token())
    await sdk.event("state", "event.state === 'waiting'")
    await server.send("ended", reason="removed", message="The class is full.")
    await server.close(4006)
    assert await sdk.run("return await joining") == "removed"
    assert (await sdk.event("closed"))["message"] == "The class is full."


async def test_sent_back_one_waits_again(sdk: SdkPage) -> None:
    server = sdk.server
    server.replies["join"] = lambda _: {"type": "waiting", "participant": "p-local"}
    await server.send("ended", reason="sent_back")
    await server.close(4007)
    await sdk.event("state", "event.state === 'waiting'")
    assert await sdk.events("closed") == []
