"""`halqa media` as a process of its own, its log in a file: what must not be in the test's own process."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from control_api.keys import ApiKey, open_keys

START_S: Final = 30.0
END_S: Final = 15.0


@dataclass(slots=True)
class MediaProcess:
    """A server that runs."""

    process: Process
    url: str
    data: Path
    log: Path

    @property
    def key(self) -> ApiKey:
        return open_keys(self.data).first

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of HTTP."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def memory_bytes(self) -> int:
        """Return how much of its memory is in RAM."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    async def metric(self, name: str) -> float:
        """Return one value of /metrics, added up over its labels."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{re.escape(name)}[ {{]", line)]
        assert values, f"no metric {name}"
        return sum(values)


@asynccontextmanager
async def media_process(folder: Path, *flags: str) -> AsyncIterator[MediaProcess]:
    """Run a server with these flags; it is stopped, or killed, at the end."""
    data, log = folder / "data", folder / "server.log"
    port = _free_port()
    command = ["-m", "control_api", "media", "--data", str(data), "--port", str(port), "--workers", "1"]
    command += ["--media-address", "127.0.0.1", "--udp-port", "0", "--log-format", "json", *flags]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HALQA_")}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", *command, stderr=file, env=environment)
    server = MediaProcess(process, f"http://127.0.0.1:{port}", data, log)
    try:
        await _wait_until_it_answers(server)
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _wait_until_it_answers(server: MediaProcess) -> None:
    async with asyncio.timeout(START_S), aiohttp.ClientSession() as http:
        while True:
            assert server.process.returncode is None, server.log.read_text()
            try:
                async with http.get(f"{server.url}/livez") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
