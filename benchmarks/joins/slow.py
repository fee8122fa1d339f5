"""Clients that stop reading: the server closes them, keeps its memory, and nobody beside them notices."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.fanout.report import percentile
from benchmarks.joins.client import JOIN, Client
from benchmarks.joins.server import Server

ROOM: Final = "chat"
SPEAKERS: Final = 12
MESSAGES_PER_S: Final = 10  # of one speaker, each of two units: a participant may spend fifty a second
BODY: Final = "x" * 3_000  # a long answer
WATCH_EVERY_S: Final = 0.25
BUFFER_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Slow:
    """What clients that do not read cost."""

    clients: int
    closed: int
    messages: int
    growth_max_bytes: int
    growth_end_bytes: int
    reader_latency_p99_ms: float
    reader_latency_max_ms: float


async def measure_slow(server: Server, clients: int, seconds: float) -> Slow:
    """Let speakers chat without pause into a room where one reads and all the others do not."""
    deaf = [await _join_deaf(server, f"deaf-{index}") for index in range(clients)]
    reader = await Client.connect(server, ROOM, "reader")
    speakers = [await Client.connect(server, ROOM, f"speaker-{index}") for index in range(SPEAKERS)]
    late_ms: list[float] = []
    listening = [asyncio.create_task(_listen(reader, late_ms))]
    listening += [asyncio.create_task(speaker.read_on()) for speaker in speakers]
    before_bytes, peak_bytes = server.memory_bytes, 0
    deadline = time.monotonic() + seconds
    speaking = [asyncio.create_task(_speak(speaker, deadline)) for speaker in speakers]
    while time.monotonic() < deadline:
        peak_bytes = max(peak_bytes, server.memory_bytes)
        await asyncio.sleep(WATCH_EVERY_S)
    sent = sum(await asyncio.gather(*speaking))
    closed = clients + 1 + SPEAKERS - int(await server.gauge("halqa_websockets"))
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    end_bytes = server.memory_bytes
    for writer in deaf:
        writer.transport.abort()
    return Slow(
        clients=clients,
        closed=closed,
        messages=sent,
        growth_max_bytes=max(0, peak_bytes - before_bytes),
        growth_end_bytes=max(0, end_bytes - before_bytes),
        reader_latency_p99_ms=round(percentile(late_ms, 0.99), 1),
        reader_latency_max_ms=round(max(late_ms, default=0.0), 1),
    )


async def _join_deaf(server: Server, identity: str) -> asyncio.StreamWriter:
    """Join over a bare socket with the smallest receive buffer, and read no more than that it worked."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=opened, limit=BUFFER_BYTES)
    lines = (
        f"GET /v1/rooms/{ROOM}/ws HTTP/1.1",
        f"Host: {host}:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
        f"Authorization: Bearer {server.token(ROOM, identity)}",
    )
    writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head, head
    mask = bytes(4)  # RFC 6455 section 5.3 asks for one; nobody is between us
    writer.write(bytes([0x81, 0x80 | len(JOIN)]) + mask + JOIN.encode())
    await reader.readuntil(b'"joined"')
    return writer


async def _speak(speaker: Client, deadline: float) -> int:
    """Send messages that say when they were sent; return how many."""
    count = 0
    while time.monotonic() < deadline:
        body = {"sent": time.monotonic(), "text": BODY}
        await speaker.websocket.send_str(json.dumps({"type": "send", "id": 10 + count, "topic": "chat", "body": body}))
        count += 1
        await asyncio.sleep(1 / MESSAGES_PER_S)
    return count


async def _listen(reader: Client, late_ms: list[float]) -> None:
    message: dict[str, Any] | None
    while (message := await reader.read()) is not None:
        if message["type"] == "message":
            late_ms.append((time.monotonic() - message["body"]["sent"]) * 1000)
