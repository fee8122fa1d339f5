"""Connections that say nothing, or almost nothing: a class goes on, newcomers come in, and the idle are sent away.

HALQA_TEST_SOCKETS=10000 for the proof; its figures are printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from control_api.invitations import Invitation, Role
from tests.support.media_process import MediaProcess, media_process

SOCKETS = int(os.environ.get("HALQA_TEST_SOCKETS", "300"))
HEAD_TIMEOUT_S = 1.0 + SOCKETS / 500  # opening them takes a while
UNHEARD_MAX = SOCKETS // 2
HALVES = (
    b"",
    b"G",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    b"POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 5",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a port that speaks HTTP
)


@asynccontextmanager
async def half_open(address: tuple[str, int], count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open connections, each with a piece of a request."""
    readers: list[asyncio.StreamReader] = []
    writers: list[asyncio.StreamWriter] = []
    try:
        for number in range(count):
            reader, writer = await asyncio.open_connection(*address)
            with contextlib.suppress(ConnectionError):
                writer.write(HALVES[number % len(HALVES)])
            readers.append(reader)
            writers.append(writer)
        yield readers
    finally:
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def join(server: MediaProcess, http: aiohttp.ClientSession, identity: str) -> aiohttp.ClientWebSocketResponse:
    """Join the room without media; return the WebSocket after `joined`."""
    token = Invitation("algebra", identity, Role.TEACHER, time.time() + 600).token(server.key)
    headers = {"Authorization": f"Bearer {token}"}
    websocket = await http.ws_connect(f"{server.url}/v1/rooms/algebra/ws", headers=headers)
    await websocket.send_json({"type": "join", "id": 1})
    assert (await websocket.receive_json(timeout=10))["type"] == "joined"
    return websocket


async def ping(websocket: aiohttp.ClientWebSocketResponse) -> float:
    """Return how long the server took to answer, in seconds."""
    started = time.monotonic()
    await websocket.send_json({"type": "ping", "id": 7, "t": 0})
    while (await websocket.receive_json(timeout=10))["type"] != "pong":
        pass
    return time.monotonic() - started


async def test_half_open_sockets_keep_nobody_out(tmp_path: Path) -> None:
    limits = ("connections.head_timeout_s", HEAD_TIMEOUT_S), ("connections.unheard_max", UNHEARD_MAX)
    flags = [part for name, value in limits for part in ("--set", f"{name}={value}")]
    async with media_process(tmp_path, *flags) as server, aiohttp.ClientSession() as http:
        websocket = await join(server, http, "teacher")
        memory = server.memory_bytes()
        slowest = 0.0
        opened = time.monotonic()
        async with half_open(server.address, SOCKETS) as readers:
            opening_s = time.monotonic() - opened
            held = server.memory_bytes()
            unheard = await server.metric("halqa_http_connections_unheard")
            assert unheard <= UNHEARD_MAX
            for number in range(10):
                slowest = max(slowest, await ping(websocket))
                started = time.monotonic()
                newcomer = await join(server, http, f"student-{number}")
                slowest = max(slowest, time.monotonic() - started)
                await newcomer.close()
            assert slowest < 5
            print(f"{SOCKETS} sockets in {opening_s:.1f} s, {unheard:.0f} kept,", end=" ")
            print(f"{(held - memory) / 1024 / 1024:.1f} MiB, slowest ping or join {slowest * 1e3:.0f} ms")
            async with asyncio.timeout(HEAD_TIMEOUT_S + 15):  # the idle are sent away
                for reader in readers:
                    with contextlib.suppress(ConnectionError):
                        await reader.read()
        assert await server.metric("halqa_http_connections_unheard") <= 1
        assert await ping(websocket) < 5
        await websocket.close()
