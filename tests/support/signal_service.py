"""A signalling server on a real port with an engine that only remembers, and WebSocket clients of it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import WSMsgType, web

from signaling.config import SignalingConfig
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, RoomName
from signaling.keys import StaticKeys
from signaling.limits import RoomSettings
from signaling.tokens import make_token
from signaling.websocket import SignalingServer
from tests.unit.signaling.fake_engine import FakeEngine
from tests.unit.signaling.offers import sdk_offer
from tests.unit.signaling.stage import join_request

SECRET = b"0123456789abcdef0123456789abcdef"
PATIENCE_S = 5.0
ROOM = "صف-الجبر_7"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 section 1.3

WebSocket = aiohttp.ClientWebSocketResponse


def token(identity: str = "amal", *, room: str = ROOM, lifetime_s: float = 3600.0, **grants: Any) -> str:
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
    """Run a server; one whose `config` does not say otherwise drops empty rooms at once, so that tests see them go."""
    config = config or SignalingConfig()
    if config.room.empty_timeout_s == RoomSettings().empty_timeout_s:
        config = replace(config, room=replace(config.room, empty_timeout_s=0.0))
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
