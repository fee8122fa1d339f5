"""A school that sits still: many participants of whom nobody says anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from benchmarks.joins.client import Client
from benchmarks.joins.rush import CLASS_SIZE
from benchmarks.joins.server import Server

JOINING_AT_ONCE: Final = 50
SETTLE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Of the server's process: cores used while nobody said anything, memory of one participant."""

    participants: int
    seconds: float
    server_cores: float
    bytes_per_participant: int


async def measure_idle(server: Server, participants: int, seconds: float) -> Idle:
    """Let participants join in classes of thirty, then watch the server."""
    empty_bytes = server.memory_bytes
    gate = asyncio.Semaphore(JOINING_AT_ONCE)

    async def join(index: int) -> asyncio.Task[None]:
        async with gate:
            client = await Client.connect(server, f"class-{index // CLASS_SIZE}", f"student-{index}")
            return asyncio.create_task(client.read_on())

    readers = await asyncio.gather(*(join(index) for index in range(participants)))
    await asyncio.sleep(SETTLE_S)
    cpu_s, full_bytes = server.cpu_s, server.memory_bytes
    await asyncio.sleep(seconds)
    spent_s = server.cpu_s - cpu_s
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return Idle(
        participants=participants,
        seconds=seconds,
        server_cores=round(spent_s / seconds, 4),
        bytes_per_participant=(full_bytes - empty_bytes) // participants,
    )
