"""A school whose bell rings: many clients join within some seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.fanout.report import percentile
from benchmarks.joins.client import Client, RefusedError
from benchmarks.joins.server import Server, quantile_of

CLASS_SIZE: Final = 30
LAG: Final = "halqa_event_loop_lag_seconds"


@dataclass(frozen=True, slots=True)
class Rush:
    """Milliseconds from the first byte to `joined`; how late the server's event loop was meanwhile."""

    clients: int
    joined: int
    join_p50_ms: float
    join_p95_ms: float
    join_p99_ms: float
    loop_lag_p99_ms: float
    server_cpu_s: float


async def measure_rush(server: Server, clients: int, seconds: float) -> Rush:
    """Let clients join at even distances, in classes of thirty, each of which reads what it is told."""
    before, cpu_s = await server.histogram(LAG), server.cpu_s
    readers: set[asyncio.Task[None]] = set()
    started = time.monotonic()

    async def join(index: int) -> float | None:
        await asyncio.sleep(max(0.0, started + seconds * index / clients - time.monotonic()))
        asked = time.monotonic()
        try:
            client = await Client.connect(server, f"class-{index // CLASS_SIZE}", f"student-{index}")
        except RefusedError:
            return None
        took = time.monotonic() - asked
        readers.add(asyncio.create_task(client.read_on()))
        return took

    took_s = await asyncio.gather(*(join(index) for index in range(clients)))
    spent_s, after = server.cpu_s - cpu_s, await server.histogram(LAG)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    times = [each * 1000 for each in took_s if each is not None]
    return Rush(
        clients=clients,
        joined=len(times),
        join_p50_ms=round(percentile(times, 0.5), 1),
        join_p95_ms=round(percentile(times, 0.95), 1),
        join_p99_ms=round(percentile(times, 0.99), 1),
        loop_lag_p99_ms=round(quantile_of(before, after, 0.99) * 1000, 1),
        server_cpu_s=round(spent_s, 3),
    )
