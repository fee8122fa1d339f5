"""`halqa lms` as a process of its own that can be killed and started again on the same port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import aiohttp

from lms.access.access_tokens import Claims, sign

START_S: Final = 150.0
END_S: Final = 15.0
PATIENCE_S: Final = 5.0
AGAIN_S: Final = 0.05
SECRET: Final = "x" * 48
"""Signs tokens: tests make their own."""
GENEROUS: Final = (
    "rate_limits.api_per_minute=1000000",
    "rate_limits.chat_per_minute=1000000",
    "rate_limits.live_per_minute=1000000",
    "rate_limits.organization_per_minute=10000000",
)


@dataclass(slots=True)
class LmsProcess:
    """A service that runs, or was killed."""

    command: list[str]
    url: str
    log: Path
    process: Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HALQA_")}
        with self.log.open("ab") as file:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdout=file, stderr=file, env=environment
            )
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as http:
            while True:
                assert self.process.returncode is None, self.log.read_text()
                try:
                    async with http.get(f"{self.url}/health") as answer:
                        assert answer.status == 200
                        return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Have it die at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def end(self) -> None:
        """Stop it, if it runs."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), END_S)
        except TimeoutError:
            await self.kill()


class Asking:
    """People of one organization, who ask a service that may be dead; use as an asynchronous context manager."""

    def __init__(self, url: str, org_id: UUID) -> None:
        self._url, self._org_id = url, org_id
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def ask(self, method: str, path: str, person: UUID, **request: Any) -> tuple[int, Any] | None:
        """Ask once; return status and data, or the error. None where nobody knows what became of it."""
        token = sign(Claims(self._org_id, person, 1), SECRET, now=datetime.now(UTC), lifetime_s=3600)
        headers = {"Authorization": f"Bearer {token}", **request.pop("headers", {})}
        try:
            async with self._http.request(method, f"{self._url}/api/v1{path}", headers=headers, **request) as answer:
                body = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            await asyncio.sleep(AGAIN_S)
            return None
        if answer.status >= 500:
            assert answer.status == 503, f"{method} {path}: {answer.status} {body}"
            await asyncio.sleep(AGAIN_S)
            return None
        return answer.status, body["data"] if body["success"] else body["error"]

    async def surely(self, method: str, path: str, person: UUID, **request: Any) -> Any:
        """Ask until somebody answers, and return the data."""
        async with asyncio.timeout(START_S):
            while (answer := await self.ask(method, path, person, **request)) is None:
                pass
        assert answer[0] < 300, f"{method} {path}: {answer}"
        return answer[1]


@asynccontextmanager
async def lms_process(data: Path, *settings: str) -> AsyncIterator[LmsProcess]:
    """Run a service with these settings, PATH=VALUE; it is stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    chosen = (f"tokens.secrets={SECRET}", *GENEROUS, *settings)
    flags = [part for setting in chosen for part in ("--set", setting)]
    command = [sys.executable, "-P", "-m", "halqa", "lms", "--data", str(data), "--port", str(port), *flags]
    service = LmsProcess(command, f"http://127.0.0.1:{port}", data.with_suffix(".log"))
    try:
        await service.start()
        yield service
    finally:
        await service.end()
