"""The WebSocket on real sockets: upgrade, conversation, close codes, hostile clients, and that nothing is left behind.

The media engine is a stand-in that only remembers (other tests bring the real one): here the wire is what counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import pytest
from aiohttp import WSMsgType

from signaling.config import SignalingConfig
from signaling.identifiers import Source
from signaling.protocol import FRAME_BYTES_MAX
from signaling.tokens import LEEWAY_S
from tests.support.signal_service import (
    JOIN,
    KEY,
    PATIENCE_S,
    ROOM,
    Service,
    hear,
    hear_close,
    running,
    say,
    token,
)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as service:
        yield service


async def test_a_class_of_two(service: Service) -> None:
    amal = await service.connect("amal", name="د. أمل")
    await say(amal, JOIN)
    joined = await hear(amal)
    assert (joined["type"], joined["re"], joined["seq"], joined["room"]["name"]) == ("joined", 1, 1, ROOM)
    assert joined["answer"].startswith("v=0\r\n")
    assert [(each["name"], each["id"]) for each in joined["room"]["participants"]] == [
        ("د. أمل", joined["participant"])
    ]
    assert {slot["track"] for slot in (await hear(amal))["slots"]} == {None}

    badr = await service.join("badr")
    assert (await hear(amal))["participant"]["identity"] == "badr"
    assert service.counts == (1, 2, 2)

    await say(amal, {"type": "publish", "id": 2, "mid": "1", "source": "camera"})
    track = (await hear(amal))["track"]
    assert (await hear(badr))["track"] == track
    (slot,) = (await hear(badr))["slots"]
    assert (slot["mid"], slot["track"], slot["participant"]) == ("20", track["id"], joined["participant"])

    nothing = [{"mid": mid, "track": None} for mid in ("20", "21", "22")]
    await say(badr, {"type": "view", "id": 3, "slots": nothing})
    assert await hear(badr) == {
        "type": "slots",
        "re": 3,
        "slots": [{"mid": "20", "track": None, "participant": None, "encoding": None}],
    }
    await say(badr, {"type": "ping", "id": 4, "t": 1.5})
    assert await hear(badr) == {"type": "pong", "re": 4, "t": 1.5}

    await say(amal, {"type": "leave"})
    assert await hear_close(amal) == 1000
    left = await hear(badr)
    assert (left["type"], left["participant"], left["reason"]) == ("left", joined["participant"], "left")
    await badr.close()
    await service.settles()


async def test_browsers_bring_the_token_as_a_subprotocol(service: Service) -> None:
    protocols = ("halqa.v1", f"bearer.{token()}")
    async with service.http.ws_connect(service.address(), protocols=protocols) as websocket:
        assert websocket.protocol == "halqa.v1"
        await say(websocket, JOIN)
        assert (await hear(websocket))["type"] == "joined"


@pytest.mark.parametrize(
    ("make_headers", "room", "status", "code"),
    [
        (dict, ROOM, 401, "no_token"),
        (lambda: {"Authorization": "Basic abc"}, ROOM, 401, "no_token"),
        (lambda: {"Authorization": "Bearer"}, ROOM, 401, "no_token"),
        (lambda: {"Authorization": "Bearer nonsense"}, ROOM, 401, "bad_token"),
        (lambda: {"Authorization": f"Bearer {'x' * 5000}"}, ROOM, 401, "bad_token"),
        (lambda: {"Authorization": f"Bearer {token(lifetime_s=-60)}"}, ROOM, 401, "token_expired"),
        (lambda: {"Authorization": f"Bearer {token()}"}, "algebra", 403, "wrong_room"),
        (lambda: {"Authorization": f"Bearer {token()}"}, "..%2F..", 403, "bad_room_name"),
        (lambda: {"Authorization": f"Bearer {token()}"}, "a" * 200, 403, "bad_room_name"),
        (lambda: {"Sec-WebSocket-Protocol": f"bearer.{token()}"}, ROOM, 400, "bad_subprotocol"),
        (lambda: {"Sec-WebSocket-Protocol": "halqa.v1"}, ROOM, 401, "no_token"),
        (lambda: {"Sec-WebSocket-Protocol": "halqa.v1, bearer.x.y.z"}, ROOM, 401, "bad_token"),
    ],
)
async def test_a_refused_upgrade_says_why(
    service: Service,
    make_headers: Callable[[], dict[str, str]],
    room: str,
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = make_headers()
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = KEY
    for more in ({}, upgrade):
        async with service.http.get(service.address(room), headers=headers | more) as response:
            assert response.status == status
            body = await response.json()
        assert body["error"]["code"] == code
        assert body["error"]["message"]
        assert response.headers["Cache-Control"] == "no-store"
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert not [record for record in caplog.records if "bearer" in record.getMessage().lower()]
    await service.settles()


async def test_a_plain_request_learns_that_all_but_the_upgrade_is_right(service: Service) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    async with service.http.get(service.address(), headers=headers) as response:
        assert response.status == 426
        assert (await response.json())["error"]["code"] == "upgrade_required"
    await service.settles()


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("hello", "bad_message"),
        ('{"type":"destroy"}', "bad_message"),
        ("[" * 100_000, "bad_message"),
        ('{"x":' * 40_000, "bad_message"),
        ('{"type":"ping","t":1}', "not_joined"),
        ('{"type":"publish","id":5,"mid":"1","source":"camera"}', "not_joined"),
        ('{"type":"join","offer":"v=0","slots":[]}', "bad_offer"),
        (JOIN.replace("rtcp-mux", "rtcp-mum"), "bad_offer"),
    ],
    ids=lambda text: text[:30],
)
async def test_what_is_not_a_good_join_is_told_why_and_closed(service: Service, first: str, code: str) -> None:
    websocket = await service.connect()
    await say(websocket, first)
    error = await hear(websocket)
    assert (error["type"], error["code"]) == ("error", code)
    assert await hear_close(websocket) == 4000
    await service.settles()


async def test_a_connection_without_join_is_closed() -> None:
    async with running(SignalingConfig(join_timeout_s=0.05)) as service:
        websocket = await service.connect()
        assert (await hear(websocket))["code"] == "join_timeout"
        assert await hear_close(websocket) == 4003
        await service.settles()


async def test_what_is_not_understood_in_mid_class_changes_nothing(service: Service) -> None:
    amal, badr = await service.join("amal"), await service.join("badr")
    await hear(amal)
    for message, code, re in [
        ("hello", "bad_message", None),
        ('{"type":"destroy","id":7}', "bad_message", 7),
        ('{"type":"leave","id":8,"why":"bored"}', "bad_message", 8),
        ("[" * 200_000, "bad_message", None),
        (JOIN, "already_joined", 1),
        ('{"type":"publish","id":9,"mid":"20","source":"camera"}', "unknown_section", 9),
        ('{"type":"view","id":10,"slots":[{"mid":"1"}]}', "unknown_slot", 10),
    ]:
        await say(amal, message)
        error = await hear(amal)
        assert (error["type"], error["code"], error.get("re")) == ("error", code, re)
    await amal.send_bytes(b'{"type":"leave"}')
    assert "binary" in (await hear(amal))["message"]
    await amal.send_frame(b'{"type":"unpublish","track":"\xff"}', WSMsgType.TEXT)
    assert "UTF-8" in (await hear(amal))["message"]
    await say(badr, {"type": "ping", "t": 1})
    assert (await hear(badr))["type"] == "pong"


async def test_a_grant_that_is_missing(service: Service) -> None:
    amal = await service.join("amal", publish=frozenset({Source.MICROPHONE}))
    await say(amal, {"type": "publish", "id": 2, "mid": "1", "source": "camera"})
    assert (await hear(amal))["code"] == "not_allowed"
    await say(amal, {"type": "publish", "id": 3, "mid": "0", "source": "microphone"})
    assert (await hear(amal))["track"]["source"] == "microphone"


async def test_a_frame_that_is_too_long_closes_with_1009(service: Service) -> None:
    amal, badr = await service.join("amal"), await service.join("badr")
    await hear(amal)
    await amal.send_str("x" * (4 * FRAME_BYTES_MAX))
    assert await hear_close(amal) == 1009
    assert (await hear(badr))["reason"] == "disconnected"
    await service.settles(rooms=1, participants=1, connections=1)


async def test_a_frame_that_claims_to_be_endless_is_cut_at_its_head(service: Service) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    upgrade = (
        f"GET /v1/rooms/{quote(ROOM)}/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nAuthorization: Bearer {token()}\r\n\r\n"
    )
    writer.write(upgrade.encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    text_frame_of_a_tebibyte = b"\x81\xff" + (1 << 40).to_bytes(8) + b"mask"
    writer.write(text_frame_of_a_tebibyte)
    close = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert (close[0], int.from_bytes(close[2:4])) == (0x88, 1009)
    writer.close()
    await writer.wait_closed()
    await service.settles()


async def test_the_same_identity_replaces_the_earlier_connection(service: Service) -> None:
    first, badr = await service.join("amal"), await service.join("badr")
    second = await service.join("amal")
    assert await hear_close(first) == 4004
    assert (await hear(badr))["reason"] == "replaced"
    assert (await hear(badr))["type"] == "participant"
    await say(second, {"type": "ping", "t": 1})
    assert (await hear(second))["type"] == "pong"
    await service.settles(rooms=1, participants=2, connections=2)


async def test_a_token_that_runs_out_in_mid_class(service: Service) -> None:
    amal, badr = await service.join("amal", lifetime_s=1.0 - LEEWAY_S), await service.join("badr")
    assert await hear_close(amal) == 4001
    left = await hear(badr)
    assert (left["type"], left["reason"]) == ("left", "timeout")


async def test_media_that_fails_closes_with_4005(service: Service) -> None:
    amal = await service.join("amal")
    service.engine.routers[0].transports[0].listener.on_closed("DTLS handshake timed out")
    assert await hear_close(amal) == 4005
    await service.settles()
