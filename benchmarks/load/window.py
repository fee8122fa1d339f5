"""A stretch of measuring: what was counted between two moments, and percentiles out of bucket counts."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.load.school import School
from benchmarks.load.watched import CpuTimes
from benchmarks.machine import Disturbance
from media.native.load_incoming import bucket_us

TICK_S: Final = 1.0
DEAD_FRACTION: Final = 0.5
"""Of the members: when so many are gone, the server is."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment."""

    at: float
    counts: dict[str, int]
    latencies: list[int]
    server_cpu: CpuTimes
    generator_cpu_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """Differences between two readings."""

    seconds: float
    counts: dict[str, int]
    latencies: list[int]
    """By bucket of `media.native.load_incoming`."""
    server_cpu: CpuTimes
    generator_cpu_s: float
    disturbance_cores: float
    """Of processes that are neither the server nor this one."""
    viewers: int
    died: str | None = None
    """Why measuring ended early."""
    stolen_cores: float = 0.0
    """Of those of `disturbance_cores`, what the host of this virtual computer took away."""
    p99_ms_by_second: tuple[float, ...] = ()
    """Of latency: a computer that stood still for a moment spoils one of them, a server that is too slow all."""

    @property
    def loss(self) -> float:
        """The part of what viewers should have got that the server lost, even if it was mended by sending it again."""
        lost = max(0, self.counts["lost"])
        return lost / max(1, self.counts["packets"] + lost)

    @property
    def loss_here(self) -> float:
        """The part that our own sockets lost: above nothing, this computer is too slow to measure."""
        lost = max(0, self.counts["lost_here"])
        return lost / max(1, self.counts["packets"] + lost)

    @property
    def server_cpu_s(self) -> float:
        return self.server_cpu.total_s

    @property
    def busy_cores(self) -> float:
        """How many cores everything on this computer used."""
        return (self.server_cpu_s + self.generator_cpu_s) / self.seconds + self.disturbance_cores

    def latency_ms(self, fraction: float) -> float:
        return quantile_us(self.latencies, fraction) / 1000

    @property
    def packets_per_s(self) -> float:
        return self.counts["packets"] / self.seconds

    @property
    def bits_per_s(self) -> float:
        return self.counts["bytes"] * 8 / self.seconds


def quantile_us(buckets: Sequence[int], fraction: float) -> float:
    """Return the quantile of a histogram, straight between the bounds of its bucket; 0 of nothing."""
    wanted, below = fraction * sum(buckets), 0
    for bucket, count in enumerate(buckets):
        if count and below + count >= wanted:
            low, high = bucket_us(bucket), bucket_us(bucket + 1)
            return low + (high - low) * (wanted - below) / count
        below += count
    return 0.0


def read(school: School) -> Reading:
    """Read everything now."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    watched = school.ground.watched
    return Reading(
        time.monotonic(),
        school.plane.totals(),
        school.plane.latencies(),
        CpuTimes() if watched is None else watched.cpu_times(),
        own.ru_utime + own.ru_stime,
    )


def between(
    before: Reading, after: Reading, *, viewers: int, others_cores: float = 0.0, died: str | None = None
) -> Window:
    """Return what happened between two readings."""
    seconds = max(after.at - before.at, 1e-3)
    server_cpu = after.server_cpu - before.server_cpu
    return Window(
        seconds=seconds,
        counts={name: after.counts[name] - before.counts[name] for name in after.counts},
        latencies=[later - earlier for earlier, later in zip(before.latencies, after.latencies, strict=True)],
        server_cpu=server_cpu,
        generator_cpu_s=after.generator_cpu_s - before.generator_cpu_s,
        disturbance_cores=max(0.0, others_cores - server_cpu.total_s / seconds),
        viewers=viewers,
        died=died,
    )


async def watch(school: School, seconds: float, tick: Callable[[Window], None]) -> Window:
    """Let the school go on for some time; end early when the server is gone. `tick` gets each second."""
    disturbance = Disturbance()
    first = last = read(school)
    viewers = len(school.viewers)
    died = None
    by_second: list[float] = []
    while died is None and (left := first.at + seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(TICK_S, left))
        now = read(school)
        second = between(last, now, viewers=viewers)
        by_second.append(second.latency_ms(0.99))
        tick(second)
        last = now
        died = death(school, now.at - first.at)
    window = between(first, last, viewers=viewers, others_cores=disturbance.cores(), died=died)
    return replace(window, stolen_cores=disturbance.stolen_cores(), p99_ms_by_second=tuple(by_second))


def death(school: School, after_s: float) -> str | None:
    """Return a sentence if the server does not serve any more."""
    watched = school.ground.watched
    if watched is not None and not watched.alive:
        return f"the server's process ended {after_s:.0f} s after measuring began"
    gone, there = school.gone(), len(school.members)
    if there and gone > DEAD_FRACTION * there:
        reasons = {member.peer.ended for member in school.members} - {None}
        why = f" ({min(str(reason) for reason in reasons)})" if reasons else ""
        return f"the server stopped serving {gone} of {there} peers {after_s:.0f} s after measuring began{why}"
    return None
