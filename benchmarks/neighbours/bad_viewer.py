"""One bad viewer among fifty: what do the others get, and what does the teacher send, before and after it turns bad?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from benchmarks.load.ground import Ground
from benchmarks.load.options import Options
from benchmarks.load.school import School
from benchmarks.neighbours.stretch import (
    CHANGE_MAX,
    END_S,
    Stretch,
    measure,
    sent_change_percent,
    viewers_change_percent,
)
from benchmarks.neighbours.verdict import Row

BAD_BPS: Final = 250_000
BAD_LOSS: Final = 0.1
BAD_DELAY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    viewers: int = 50
    join_rate: float = 25.0
    settle_s: float = 8.0
    seconds: float = 12.0
    """Three times round the clip that the teacher sends."""
    end_s: float = END_S


async def play(ground: Ground, size: Size) -> list[Row]:
    """Let the class meet, spoil the link of one, and return what changed for the others."""
    options = Options(viewers=size.viewers, join_rate=size.join_rate)
    async with School(ground, options) as school:
        await school.open_rooms()
        await school.admit_viewers(size.viewers)
        bad, *others = school.viewers
        assert bad.peer.number is not None
        school.plane.set_link(bad.peer.number, queue_s=1.0)
        await asyncio.sleep(size.settle_s)
        before = await measure(school, others, size.seconds, end_s=size.end_s)
        school.plane.set_link(bad.peer.number, rate_bps=BAD_BPS, delay_s=BAD_DELAY_S, queue_s=0.3, loss=BAD_LOSS)
        await asyncio.sleep(size.settle_s)
        offered = school.plane.link(bad.peer.number)["offered_bytes"]
        after = await measure(school, others, size.seconds, end_s=size.end_s)
        offered = school.plane.link(bad.peer.number)["offered_bytes"] - offered
    return [*rows_of(before, after), *_own(offered, after)]


def rows_of(before: Stretch, after: Stretch) -> list[Row]:
    """Return how much changed for those who are not to notice, from one stretch to another."""
    return [
        Row(name="others: most that one's bitrate changed", value=round(max(viewers_change_percent(before, after)), 2),
            unit="%", most=CHANGE_MAX),
        Row(name="teacher: change of what is sent", value=round(sent_change_percent(before, after), 2), unit="%",
            most=CHANGE_MAX),
        Row(name="teacher: key frames asked for a minute", value=round(after.plis_a_minute, 1)),
        Row(name="others: latency p99 before", value=round(before.latency_p99_ms, 2), unit="ms"),
        Row(name="others: latency p99", value=round(after.latency_p99_ms, 2), unit="ms"),
    ]  # fmt: skip


def _own(offered_bytes: int, after: Stretch) -> list[Row]:
    used = offered_bytes * 8 / after.seconds / BAD_BPS
    return [Row(name=f"the bad one ({BAD_BPS / 1000:g} kbit/s, {BAD_LOSS:.0%} loss): sent, of its limit",
                value=round(used, 3), most=1.05)]  # fmt: skip
