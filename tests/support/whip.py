"""A media server in this process and clients that speak WHIP and WHEP to it with plain HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from media.net.engine import Engine, EngineConfig
from signaling.config import SignalingConfig
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, RoomName, Source
from signaling.keys import StaticKeys
from signaling.limits import RoomSettings
from signaling.tokens import make_token
from signaling.websocket import SignalingServer
from signaling.whip import WhipServer

SECRET = b"0123456789abcdef0123456789abcdef"
ROOM = "algebra"
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(slots=True)
class Server:
    """A running server with an HTTP client."""

    engine: Engine
    signaling: SignalingServer
    whip: WhipServer
    url: str
    http: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: str | bytes = b"", *, token: str | None = None, **headers: str
    ) -> Answer:
        """Send one request; `headers` are named with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        skipped = ["Content-Type"] if "Content-Type" not in sent else []
        async with self.http.request(
            method, f"{self.url}{path}", data=body, headers=sent, skip_auto_headers=skipped
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def post(self, path: str, offer: str, who: str, **grants: Any) -> Answer:
        return await self.ask("POST", path, offer, token=token(who, **grants), Content_Type=SDP)

    async def patch(self, resource: str, fragment: str, who: str, if_match: str | None) -> Answer:
        condition = {} if if_match is None else {"If_Match": if_match}
        return await self.ask("PATCH", resource, fragment, token=token(who), Content_Type=FRAGMENT, **condition)

    async def delete(self, resource: str, who: str) -> Answer:
        return await self.ask("DELETE", resource, token=token(who))

    def rows(self) -> tuple[int, ...]:
        """Return routers, transports, producers and consumers of the engine."""
        metrics = self.engine.metrics()
        return tuple(int(metrics[name]) for name in ("routers", "transports", "producers", "consumers"))


def token(
    who: str,
    *,
    room: str = ROOM,
    publish: Iterable[Source] = ALL_SOURCES,
    subscribe: bool = True,
    seconds: float = 3600.0,
) -> str:
    grants = Grants(
        RoomName(room), Identity(who), time.time() + seconds, publish=frozenset(publish), subscribe=subscribe
    )
    return make_token(grants, key_id="school", secret=SECRET)


@asynccontextmanager
async def serve(**settings: Any) -> AsyncIterator[Server]:
    """Run a server; `settings` are those of WhipServer. Nothing of the engine may be in use afterwards."""
    engine = await Engine.start(EngineConfig(bind_address="127.0.0.1", workers=1))
    config = SignalingConfig(room=RoomSettings(empty_timeout_s=0.0))
    signaling = SignalingServer(engine, StaticKeys({"school": SECRET}), config)
    whip = WhipServer(signaling, **settings)
    application = web.Application()
    signaling.add_routes(application)
    whip.add_routes(application)
    application.router.add_get("/page", _page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        server = Server(engine, signaling, whip, f"http://{host}:{port}", http)
        try:
            yield server
        finally:
            await signaling.close()
            await runner.cleanup()
            left = server.rows(), whip.streams
            await engine.close()
    assert left == ((0, 0, 0, 0), 0)


@asynccontextmanager
async def program(module: str, *arguments: str) -> AsyncIterator[Process]:
    """Run a module of tests.support; it is killed if it is not at its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.support.{module}", *arguments, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def watch(
    server: Server, who: str, query: str = "", *, viewer: Sequence[str] = ("whip_viewer",), height: int = 0
) -> dict[str, Any]:
    """Return what a viewer, a program of its own, says of what it decoded; `height` is waited for."""
    module, *arguments = viewer
    wanted = [str(height)] if height else []
    async with program(module, *arguments, f"{server.url}/whep/algebra{query}", token(who), *wanted) as process:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    told: dict[str, Any] = json.loads(output)
    return told


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>WHIP</title>", content_type="text/html")
