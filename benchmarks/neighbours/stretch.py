"""What some viewers got and their teacher sent over a stretch of time, to be compared with another stretch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.load.school import Member, School
from benchmarks.load.window import between, read

CHANGE_MAX: Final = 2.0
"""Of a bitrate, in percent: what nobody is to notice of somebody else."""


@dataclass(frozen=True, slots=True)
class Stretch:
    seconds: float
    got_bps: list[float]
    """Of each viewer."""
    sent_bps: float
    """Of all publishers."""
    plis_a_minute: float
    """Asked of all publishers."""
    latency_p99_ms: float
    server_cores: float
    lost: int
    """Packets that viewers missed, mended or not, and whose loss was the server's."""


async def measure(school: School, viewers: Sequence[Member], seconds: float) -> Stretch:
    """Let the school go on for so long."""
    publishers = [member for member in school.members if member.peer.sending is not None]

    def got(members: Sequence[Member], name: str) -> list[int]:
        numbers = [member.peer.number for member in members]
        return [0 if number is None else school.plane.counters(number)[name] for number in numbers]

    before = read(school)
    bytes_before, sent_before = got(viewers, "bytes"), sum(got(publishers, "sent_bytes"))
    lost_before = sum(got(viewers, "lost"))
    await asyncio.sleep(seconds)
    bytes_after, sent_after = got(viewers, "bytes"), sum(got(publishers, "sent_bytes"))
    lost_after = sum(got(viewers, "lost"))
    window = between(before, read(school), viewers=len(viewers))
    return Stretch(
        seconds=window.seconds,
        got_bps=[(late - early) * 8 / window.seconds for early, late in zip(bytes_before, bytes_after, strict=True)],
        sent_bps=(sent_after - sent_before) * 8 / window.seconds,
        plis_a_minute=window.counts["plis_heard"] * 60 / window.seconds,
        latency_p99_ms=window.latency_ms(0.99),
        server_cores=window.server_cpu_s / window.seconds,
        lost=max(0, lost_after - lost_before),
    )


def viewers_change_percent(before: Stretch, after: Stretch) -> list[float]:
    """Return by how much each viewer's bitrate changed."""
    return [_change_percent(early, late) for early, late in zip(before.got_bps, after.got_bps, strict=True)]


def sent_change_percent(before: Stretch, after: Stretch) -> float:
    """Return by how much changed what publishers sent."""
    return _change_percent(before.sent_bps, after.sent_bps)


def _change_percent(early: float, late: float) -> float:
    return 100.0 if early <= 0 else abs(late / early - 1) * 100
