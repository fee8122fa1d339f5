"""What goes on in a soak: people come and go, change what they see, lose their network; some are never heard again."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import time
from collections import Counter
from typing import Final

from benchmarks.load.failures import JoinError
from benchmarks.load.school import Member, School

HEIGHTS: Final = (180, 360, 720)
BLACKOUT_S: Final = (2.0, 20.0)
EVENT_EVERY_S: Final = 0.25


class Happening(enum.Enum):
    """The values are their shares."""

    LEAVE = 5
    VANISH = 2
    SWITCH = 6
    BLACKOUT = 3


class Churn:
    """Run it as long as the soak goes; the school is as large at its end as at its beginning."""

    def __init__(self, school: School, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        """What happened, and how often it went wrong."""
        self._school = school
        self._chance = random.Random(seed)
        self._dark: set[asyncio.Task[None]] = set()

    async def run(self, seconds: float) -> None:
        """Let things happen, four a second."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                await self._happen()
                await asyncio.sleep(EVENT_EVERY_S)
        finally:
            for task in self._dark:
                task.cancel()
            await asyncio.gather(*self._dark, return_exceptions=True)

    async def _happen(self) -> None:
        happening = self._chance.choices(list(Happening), [each.value for each in Happening])[0]
        members = [member for member in self._school.viewers if not member.peer.is_cut]
        if not members:
            return
        member = self._chance.choice(members)
        self.counts[happening.name.lower()] += 1
        match happening:
            case Happening.LEAVE:
                await self._school.see_off(member)
                await self._refill()
            case Happening.VANISH:
                await self._school.lose(member)
                await self._refill()
            case Happening.SWITCH:
                with contextlib.suppress(JoinError):
                    await member.peer.see(self._chance.choice(HEIGHTS))
            case Happening.BLACKOUT:
                task = asyncio.create_task(self._black_out(member))
                self._dark.add(task)
                task.add_done_callback(self._dark.discard)

    async def _refill(self) -> None:
        failures = sum(self._school.roll.failures.values())
        await self._school.admit_viewers(1, wait_for_media=False)
        self.counts["joins"] += 1
        self.counts["failed_joins"] += sum(self._school.roll.failures.values()) - failures

    async def _black_out(self, member: Member) -> None:
        member.peer.cut(gone=True)
        try:
            await asyncio.sleep(self._chance.uniform(*BLACKOUT_S))
        finally:
            member.peer.cut(gone=False)
