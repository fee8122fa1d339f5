"""The bell rings: three hundred students join one class in ten seconds. When do they see the teacher, at what price?"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Final

from benchmarks.fanout.report import percentile
from benchmarks.load.ground import Ground
from benchmarks.load.options import Options
from benchmarks.load.school import School
from benchmarks.load.window import between, read
from benchmarks.neighbours.verdict import Row

PICTURE_S_MAX: Final = 3.0
ASKED_WINDOW_S: Final = 2.0
LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    viewers: int = 300
    seconds: float = 10.0
    settle_s: float = 3.0


async def play(ground: Ground, size: Size) -> list[Row]:
    """Let everybody in at even distances, and return how that went."""
    options = Options(viewers=size.viewers, join_rate=size.viewers / size.seconds)
    async with School(ground, options) as school:
        await school.open_rooms()
        await asyncio.sleep(size.settle_s)
        before = read(school)
        asked: list[tuple[float, int]] = []
        looker = asyncio.create_task(_note_requests(school, asked))
        try:
            await school.admit_viewers(size.viewers)
        finally:
            looker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looker
        joining = between(before, read(school), viewers=size.viewers)
        arrivals = [each for each in school.roll.arrivals if each.first_key_frame_s is not None]
        pictures = sorted(each.first_key_frame_s or 0.0 for each in arrivals)
        failures = size.viewers - len(arrivals)
    requests = asked[-1][1] - asked[0][1] if asked else 0
    took_s = asked[-1][0] - asked[0][0] if asked else 1.0
    return [
        Row(name="first picture, p50", value=round(percentile(pictures, 0.5), 3), unit="s"),
        Row(name="first picture, p95", value=round(percentile(pictures, 0.95), 3), unit="s", most=PICTURE_S_MAX),
        Row(name="first picture, the last", value=round(max(pictures, default=0.0), 3), unit="s"),
        Row(name="did not join, or saw nothing", value=failures, most=0),
        Row(name=f"key frames asked of the teacher in {ASKED_WINDOW_S:g} s, mean",
            value=round(requests * ASKED_WINDOW_S / max(took_s, ASKED_WINDOW_S), 2), most=1.0),
        Row(name=f"the same, busiest {ASKED_WINDOW_S:g} s", value=_busiest(asked)),
        Row(name="server CPU of it all", value=round(joining.server_cpu_s, 2), unit="s"),
        Row(name="generator CPU of it all", value=round(joining.generator_cpu_s, 2), unit="s"),
    ]  # fmt: skip


async def _note_requests(school: School, asked: list[tuple[float, int]]) -> None:
    """Note again and again how many key frames the teacher has been asked for."""
    loop = asyncio.get_running_loop()
    while True:
        asked.append((loop.time(), school.plane.totals()["asked"]))
        await asyncio.sleep(LOOK_S)


def _busiest(asked: list[tuple[float, int]]) -> int:
    """Return the most requests in any window."""
    window: deque[tuple[float, int]] = deque()
    most = 0
    for at, count in asked:
        window.append((at, count))
        while at - window[0][0] > ASKED_WINDOW_S:
            window.popleft()
        most = max(most, count - window[0][1])
    return most
