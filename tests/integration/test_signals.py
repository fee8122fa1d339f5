"""What signals do to `halqa media`: SIGTERM drains, a second one ends at once, SIGHUP reads the certificate again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from control_api.invitations import Invitation, Role
from control_api.run import SAME_WISH_S
from tests.integration.test_media_server import write_certificate
from tests.integration.test_up import ANY_PORTS, children_of, running, until
from tests.support.media_process import END_S, MediaProcess, media_process

JOIN = {"type": "join", "id": 1, "slots": []}  # without an offer: somebody who only talks


@asynccontextmanager
async def in_class(server: MediaProcess) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    token = Invitation("algebra", "t1", Role.TEACHER, time.time() + 60).token(server.key)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(server.url) as http,
        http.ws_connect("/v1/rooms/algebra/ws", headers=headers) as websocket,
    ):
        await websocket.send_json(JOIN)
        await message(websocket, "joined")
        yield websocket


async def message(websocket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, object]:
    """Return the next message of a kind."""
    async with asyncio.timeout(END_S):
        while True:
            frame = await websocket.receive_str()
            if (told := json.loads(frame))["type"] == kind:
                assert isinstance(told, dict)
                return told


async def ended(server: MediaProcess) -> int:
    return await asyncio.wait_for(server.process.wait(), END_S)


async def test_sigterm_waits_for_a_class(tmp_path: Path) -> None:
    async with media_process(tmp_path, "--drain-timeout-s", "300") as server, in_class(server) as websocket:
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGTERM)  # as systemd and a parent do, one right after the other
        assert (await message(websocket, "draining"))["ends_at"]
        async with aiohttp.ClientSession(server.url) as http, http.get("/readyz") as answer:
            assert (answer.status, (await answer.json())["because"]) == (503, ["draining"])
        await asyncio.sleep(2 * SAME_WISH_S)
        assert server.process.returncode is None
        await websocket.send_json({"type": "leave"})
        assert await ended(server) == 0


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    async with media_process(tmp_path, "--drain-timeout-s", "300") as server, in_class(server) as websocket:
        server.process.send_signal(signal.SIGTERM)
        await message(websocket, "draining")
        await asyncio.sleep(2 * SAME_WISH_S)
        server.process.send_signal(signal.SIGTERM)
        assert await ended(server) == 0


async def test_a_drain_ends_with_its_time(tmp_path: Path) -> None:
    async with media_process(tmp_path, "--drain-timeout-s", "0.5") as server, in_class(server) as websocket:
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_S):
            while (await websocket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert websocket.close_code == 4010
        assert await ended(server) == 0


def test_sighup_reads_the_certificate_again(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    flags = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    with running("up", *ANY_PORTS, *flags, folder=tmp_path) as program:
        port = int(program.read_until(r"https://localhost:(\d+)/class")[1])
        before = serial_number(port, certificate)
        write_certificate(tmp_path)
        (child,) = children_of(program.process.pid)
        os.kill(child, signal.SIGHUP)
        until(lambda: serial_number(port, certificate) not in {None, before})
        assert program.stop() == 0


def serial_number(port: int, certificate: Path) -> str | None:
    """Return the serial number of the certificate that the server shows; None while that is not the file's."""
    trust = ssl.create_default_context(cafile=certificate)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), END_S) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            shown = secured.getpeercert()
    except ssl.SSLError:
        return None
    return str(shown["serialNumber"]) if shown else None
