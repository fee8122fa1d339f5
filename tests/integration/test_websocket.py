"""The WebSocket on real sockets: upgrade, conversation, close codes, hostile clients, and that nothing is left behind.

The media engine is a stand-in that only remembers (other tests bring the real one): here the wire is what counts.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from media.rtp.parameters import Mid
from signaling.config import SignalingConfig
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Door, Identity, Role, RoomName, Source
from signaling.keys import StaticKeys
from signaling.limits import RoomSettings
from signaling.protocol import FRAME_BYTES_MAX
from signaling.tokens import LEEWAY_S, make_token
from signaling.websocket import SignalingServer
from tests.unit.signaling.fake_engine import FakeEngine
from tests.unit.signaling.offers import sdk_offer
from tests.unit.signaling.stage import join_request

SECRET = b"0123456789abcdef0123456789abcdef"
PATIENCE_S = 5.0
ROOM = "صف-الجبر_7"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 section 1.3

WebSocket = aiohttp.ClientWebSocketResponse


def token(identity: str = "amal", *, room: str = ROOM, lifetime_s: float = 60.0, **grants: Any) -> str:
    grants = {"publish": ALL_SOURCES} | grants
    allowed = Grants(RoomName(room), Identity(identity), time.time() + lifetime_s, **grants)
    return make_token(allowed, key_id="school", secret=SECRET)


class Service:
    """A signalling server on a real port, and clients of it."""

    def __init__(self, signaling: SignalingServer, engine: FakeEngine, url: str, http: aiohttp.ClientSession) -> None:
        self.signaling = signaling
        self.engine = engine
        self.url = url
        self.http = http

    def address(self, room: str = ROOM) -> str:
        return f"{self.url}/v1/rooms/{quote(room)}/ws"

    async def connect(self, identity: str = "amal", **grants: Any) -> WebSocket:
        headers = {"Authorization": f"Bearer {token(identity, **grants)}"}
        return await self.http.ws_connect(self.address(), headers=headers, max_msg_size=0)

    async def join(self, identity: str = "amal", **grants: Any) -> WebSocket:
        websocket = await self.connect(identity, **grants)
        await say(websocket, JOIN)
        assert (await hear(websocket))["type"] == "joined"
        assert (await hear(websocket))["type"] == "slots"
        return websocket

    async def settles(self, *, rooms: int = 0, participants: int = 0, connections: int = 0) -> None:
        wanted = (rooms, participants, connections)
        deadline = time.monotonic() + PATIENCE_S
        while self.counts != wanted and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert self.counts == wanted

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.signaling.rooms, self.signaling.participants, self.signaling.connections


JOIN = json.dumps(
    {
        "type": "join",
        "id": 1,
        "offer": sdk_offer(),
        "slots": [{"mid": slot.mid, "kind": slot.kind.value} for slot in join_request().slots],
    }
)


@asynccontextmanager
async def running(config: SignalingConfig | None = None, *, observer: Any = None) -> AsyncIterator[Service]:
    engine = FakeEngine()
    signaling = SignalingServer(engine, StaticKeys({"school": SECRET}), config, observer=observer)
    application = web.Application()
    signaling.add_routes(application)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    listening = small_socket()
    listening.bind(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    host, port = runner.addresses[0][:2]
    connector = aiohttp.TCPConnector(socket_factory=lambda _address: small_socket())
    async with aiohttp.ClientSession(connector=connector) as http:
        try:
            yield Service(signaling, engine, f"http://{host}:{port}", http)
        finally:
            await http.close()  # clients that no longer read would only make the server wait
            await signaling.close()
            await runner.cleanup()
    assert (signaling.rooms, signaling.participants, signaling.connections) == (0, 0, 0)
    assert all(router.closed for router in engine.routers)
    assert all(transport.closed for router in engine.routers for transport in router.transports)


def small_socket() -> socket.socket:
    """Return a TCP socket whose buffers a slow reader fills soon."""
    small = socket.socket()
    small.setblocking(False)
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        small.setsockopt(socket.SOL_SOCKET, buffer, 4096)
    return small


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as service:
        yield service


async def say(websocket: WebSocket, message: str | dict[str, Any]) -> None:
    await websocket.send_str(message if isinstance(message, str) else json.dumps(message))


async def hear(websocket: WebSocket) -> dict[str, Any]:
    """Return the next message."""
    message = await websocket.receive(PATIENCE_S)
    assert message.type is WSMsgType.TEXT, message
    heard: dict[str, Any] = json.loads(message.data)
    return heard


async def hear_close(websocket: WebSocket) -> int | None:
    """Pass over messages until the server closes; return its code."""
    while (await websocket.receive(PATIENCE_S)).type is WSMsgType.TEXT:
        pass
    return websocket.close_code


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
    missed = [await hear(again) for _ in range(4)]
    assert [each["type"] for each in missed] == ["presence", "message", "presence", "slots"]
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
