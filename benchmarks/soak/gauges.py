"""What of a server is watched in a soak: its process from outside, its objects by its own metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load.failures import LoadError
from benchmarks.load.ground import Ground

PREFIX: Final = "halqa_"
OBJECTS: Final = ("routers", "transports", "producers", "consumers", "rooms", "participants")
"""Gauges of /metrics that are nothing when nobody is there."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look."""

    at: float
    rss_bytes: int
    descriptors: int
    threads: int
    objects: dict[str, int]


async def look(ground: Ground, pid: int) -> Sample:
    """Look at a server now; LoadError if it is gone or has no such metrics."""
    process = Path(f"/proc/{pid}")
    assert ground.watched is not None
    try:
        async with ground.http.get(f"{ground.url}/metrics", headers={"Accept": "text/plain"}) as answer:
            answer.raise_for_status()
            families = text_string_to_metric_families(await answer.text())
        descriptors = len(list((process / "fd").iterdir()))
        threads = len(list((process / "task").iterdir()))
    except (aiohttp.ClientError, OSError) as error:
        raise LoadError(f"the server cannot be looked at any more: {error}") from error
    values = {sample.name: sample.value for family in families for sample in family.samples}
    return Sample(
        time.monotonic(),
        ground.watched.memory_bytes(),
        descriptors,
        threads,
        {name: int(values[PREFIX + name]) for name in OBJECTS if PREFIX + name in values},
    )
