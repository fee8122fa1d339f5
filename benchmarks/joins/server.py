"""A media server of the benchmark's own: a process on free ports, asked for its CPU time, memory and metrics."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

import benchmarks
from control_api.keys import open_keys
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, RoomName
from signaling.tokens import make_token

START_S_MAX: Final = 30.0
TOKEN_S: Final = 3600.0
ONE_COMPUTER_IS_A_SCHOOL: Final = (
    "rate_limits.joins_burst=100000",
    "rate_limits.pages_burst=100000",
    "connections.connections_per_address_max=20000",
    "signaling.room.participants_max=20000",
)
"""Limits of one address that a whole school behind it would not reach, but this benchmark may be told to."""


class ServerDidNotStartError(RuntimeError):
    """The server of the benchmark ended before it listened; the message holds what it said."""


class Server:
    """Use as an asynchronous context manager: the process runs inside."""

    def __init__(self, *settings: str, udp_port: int = 0) -> None:
        """`settings` are PATH=VALUE as `halqa media --set` takes them; port 0 is any free one."""
        self._udp_port = udp_port
        self._settings = (*ONE_COMPUTER_IS_A_SCHOOL, *settings)
        self._folder = tempfile.TemporaryDirectory(prefix="halqa-benchmark-")
        self.data = Path(self._folder.name)
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._key = open_keys(self.data).first
        chosen = [part for setting in self._settings for part in ("--set", setting)]
        command = ["media", "--data", str(self.data), "--port", self.url.rpartition(":")[2]]
        command += ["--udp-port", str(self._udp_port), "--media-address", "127.0.0.1", "--log-level", "error", *chosen]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HALQA_")}
        self._said = self.data / "said"  # a pipe that nobody reads would stop the server once it is full
        with self._said.open("wb") as said:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "control_api", *command),
                cwd=Path(benchmarks.__path__[0]).parent,
                stderr=said,
                env=environment,
            )
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            await self._wait_until_it_answers()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._folder.cleanup()

    def token(self, room: str, identity: str) -> str:
        """Return a join token."""
        grants = Grants(RoomName(room), Identity(identity), time.time() + TOKEN_S, publish=ALL_SOURCES)
        return make_token(grants, key_id=self._key.key_id, secret=self._key.secret)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_bytes(self) -> int:
        """What the process has in RAM."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def histogram(self, name: str) -> dict[float, float]:
        """Return a histogram of the metrics: how many samples were at most so long, by bound."""
        return {float(sample.labels["le"]): sample.value for sample in await self._samples(f"{name}_bucket")}

    async def gauge(self, name: str) -> float:
        """Return a value of the metrics, added up over its labels."""
        return sum(sample.value for sample in await self._samples(name))

    async def _samples(self, name: str) -> list[Sample]:
        async with self.http.get(f"{self.url}/metrics", headers={"Accept": "text/plain"}) as answer:
            families = text_string_to_metric_families(await answer.text())
        return [sample for family in families for sample in family.samples if sample.name == name]

    async def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            if self._process.returncode is not None:
                said = self._said.read_text(encoding="utf-8", errors="replace").strip()
                raise ServerDidNotStartError(f"the server did not start: {said}")
            try:
                async with self.http.get(f"{self.url}/livez") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
        raise ServerDidNotStartError(f"the server did not answer at {self.url} within {START_S_MAX:g} s")


def quantile_of(before: dict[float, float], after: dict[float, float], fraction: float) -> float:
    """Return the quantile of what was added to a histogram meanwhile, straight between the bounds of its bucket."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    total = max(counts.values(), default=0.0)
    wanted, lower, below = fraction * total, 0.0, 0.0
    for bound, count in counts.items():
        if count >= wanted and count > below:
            return lower if bound == float("inf") else lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
