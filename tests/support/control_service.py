"""A whole media server with an API key, a client of its control API, and people who join its rooms by WebSocket."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from control_api.app import MediaServer
from control_api.client import ControlClient
from control_api.contract import CreateToken
from control_api.keys import open_keys
from control_api.rate_limits import RateLimitSettings
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from signaling.identifiers import Role
from tests.unit.signaling.offers import sdk_offer

PATIENCE_S = 10.0

_RATES: dict[str, Any] = {
    field.name: 1_000_000 for field in fields(RateLimitSettings) if field.name.endswith(("_burst", "_per_s"))
}
GENEROUS = RateLimitSettings(**_RATES)
"""Tests ask faster than programs do."""


class Person:
    """Somebody in a room, as a WebSocket."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.id = ""
        self.told: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        await self.websocket.send_str(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next message of this type."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.websocket.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, f"{kind} did not come: {message!r} after {self.told}"
                self.told.append(json.loads(message.data))
                if self.told[-1]["type"] == kind:
                    return self.told[-1]

    async def hear_close(self, *, patience_s: float | None = PATIENCE_S) -> int:
        """Pass over messages until the server closes, and return its code."""
        async with asyncio.timeout(patience_s):
            while (message := await self.websocket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        return int(message.data)


class ControlService:
    """The server and how to reach it."""

    def __init__(self, server: MediaServer, control: ControlClient, http: aiohttp.ClientSession, key: str) -> None:
        self.server = server
        self.url = server.url
        self.control = control
        self.http = http
        self.key = key
        """As user and password with a colon between."""
        self._websockets: list[aiohttp.ClientWebSocketResponse] = []

    @property
    def authorization(self) -> dict[str, str]:
        """The header that shows the API key."""
        return {"Authorization": "Basic " + base64.b64encode(self.key.encode()).decode()}

    async def connect(self, room: str, identity: str, role: Role = Role.STUDENT, **grants: Any) -> Person:
        """Open a WebSocket into a room; nobody has joined yet."""
        token = await self.control.create_token(CreateToken(room=room, identity=identity, role=role, **grants))
        return Person(await self.connect_with(room, token.token))

    async def connect_with(self, room: str, token: str) -> aiohttp.ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/v1/rooms/{quote(room, safe='')}/ws"
        websocket = await self.http.ws_connect(address, headers=headers)
        self._websockets.append(websocket)
        return websocket

    async def close(self) -> None:
        """Have everybody leave."""
        for websocket in self._websockets:
            await websocket.close()

    async def join(self, room: str, identity: str, role: Role = Role.STUDENT, **grants: Any) -> Person:
        """Come into a room without media."""
        person = await self.connect(room, identity, role, **grants)
        await person.say(type="join", id=1, slots=[])
        person.id = (await person.hear("joined"))["participant"]
        return person

    async def publish(self, room: str, identity: str, source: str = "microphone") -> tuple[Person, str]:
        """Come into a room and publish; return the id of the track, too. No packet ever flows."""
        person = await self.connect(room, identity, Role.TEACHER)
        await person.say(type="join", id=1, offer=sdk_offer(), slots=[])
        person.id = (await person.hear("joined"))["participant"]
        await person.say(type="publish", id=2, mid="0" if source == "microphone" else "1", source=source)
        return person, (await person.hear("track"))["track"]["id"]


@asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[ControlService]:
    """Run a server in this process."""
    chosen = {"rate_limits": GENEROUS} | settings
    server = await MediaServer.start(
        ServerSettings(
            data=folder,
            http=HttpSettings(port=0),
            media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
            **chosen,
        )
    )
    key = open_keys(folder).first
    secret = key.secret.decode()
    try:
        async with ControlClient(server.url, key.key_id, secret) as control, aiohttp.ClientSession() as http:
            service = ControlService(server, control, http, f"{key.key_id}:{secret}")
            try:
                yield service
            finally:
                await service.close()
    finally:
        await server.close()
