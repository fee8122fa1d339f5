"""A lesson of two that goes on while others misbehave: it must not notice anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.memory import Memory, measure_memory
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_attacker import Attacker
from tests.support.peer_school import School, open_school, until
from tests.support.peer_sources import Rates

RATES = Rates(frames_per_second=25, packets_per_frame=2, audio_per_second=25)
GROWTH_MAX = Memory(resident_bytes=8 << 20, native_bytes=512 << 10, python_blocks=20_000)
"""Of the whole process during an attack of thousands of datagrams: 100 bytes kept of each would show."""
ARRIVED_MIN = 0.6  # of what flows in so much time: the event loop of the peers is that of the attack
SETTLE_S = 5.0
LOWEST, LOWEST_HEIGHT = "q", 180
"""What both ask for: who wants more is given it when his path was found to be wide, some seconds later."""


@dataclass(slots=True)
class Lesson:
    """Teacher and student publish, and get each other."""

    school: School
    teacher: Peer
    student: Peer
    attacker: Attacker

    @property
    def both(self) -> tuple[Peer, Peer]:
        return self.teacher, self.student

    @asynccontextmanager
    async def unnoticed(self) -> AsyncIterator[dict[str, float]]:
        """Let something happen, and hold the lesson against what it was. Afterwards the dict says which metric rose."""
        rise: dict[str, float] = {}
        rows, metrics, memory = self.school.rows(), self.school.metrics(), measure_memory()
        received, started = self._received(), time.monotonic()
        yield rise
        await asyncio.sleep(0.5)  # what is under way arrives, on a busy computer too
        elapsed = time.monotonic() - started
        flowed = [now - before for now, before in zip(self._received(), received, strict=True)]
        await until(lambda: self.school.rows() == rows, "no row is left over", SETTLE_S)
        rise.update(
            {
                name: now - metrics.get(name, 0)
                for name, now in self.school.metrics().items()
                if now != metrics.get(name, 0) and name.endswith("_total")
            }
        )
        self.check()
        video = RATES.frames_per_second * RATES.packets_per_frame
        for arrived, per_second in zip(flowed, (video, RATES.audio_per_second) * 2, strict=True):
            assert arrived >= ARRIVED_MIN * per_second * elapsed - 1, f"{arrived} packets in {elapsed:.1f} s"
        growth = measure_memory().since(memory)
        print(growth, rise)
        assert growth <= GROWTH_MAX

    def has_begun(self) -> bool:
        """Whether both get sound, and the encoding that their slots want."""
        return all(peer.slots["v0"].encoding == LOWEST for peer in self.both) and all(
            count > 10 for count in self._received()
        )

    def check(self) -> None:
        """Nothing was lost, nothing had to be sent again, nothing was wrong."""
        for peer in self.both:
            assert peer.faults() == []
            assert (peer.lost(), peer.asked(), peer.media.loss_reported, peer.media.feedback["nacked"]) == (0, 0, 0, 0)

    def _received(self) -> list[int]:
        """Return packets of video and audio at the student, then at the teacher."""
        pairs = ((self.student, self.teacher), (self.teacher, self.student))
        return [viewer.packets_from(other.author, video=video) for viewer, other in pairs for video in (True, False)]


@asynccontextmanager
async def open_lesson(folder: Path) -> AsyncIterator[Lesson]:
    """Run a server with one worker, and the lesson in it."""
    async with open_school(folder) as school:
        teacher = await school.join("teacher", options=PeerOptions(rates=RATES))
        student = await school.join("student", options=PeerOptions(rates=RATES))
        for peer in (teacher, student):
            await peer.view(mid="v0", height=LOWEST_HEIGHT)
            await peer.publish("camera", "microphone")
        lesson = Lesson(school, teacher, student, Attacker(teacher.media.link.server))
        try:
            await until(lesson.has_begun, "both have the other's picture and sound")
            yield lesson
        finally:
            lesson.attacker.close()
