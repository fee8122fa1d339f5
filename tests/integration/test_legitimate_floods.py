"""A lesson goes on while somebody in it, with keys and grants, sends far more than a class ever would."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.native import rtcp
from tests.support.peer import Peer
from tests.support.peer_attacker import pour
from tests.support.peer_lesson import Lesson, open_lesson
from tests.support.peer_school import until
from tests.support.peer_signal import PeerSignal
from tests.support.peer_streams import Unit

FLOOD = 5000
MESSAGES = 2000
EXTENSION = (3, b"\0\0")


@pytest.fixture
async def lesson(tmp_path: Path) -> AsyncIterator[Lesson]:
    async with open_lesson(tmp_path) as opened:
        yield opened


async def flooder_of(lesson: Lesson) -> Peer:
    """Let somebody into another room of the same server and worker, whose media nobody gets."""
    return await lesson.school.join("flooder", "elsewhere")


async def test_a_flood_of_media_of_somebody_with_keys(lesson: Lesson) -> None:
    flooder = await flooder_of(lesson)
    await flooder.publish("camera", "microphone")
    link = flooder.media.link
    await until(lambda: flooder.media.streams, "there are streams")
    turns = itertools.cycle(flooder.media.streams)

    async def flood() -> int:
        units = (Unit(b"x" * 1000, number * 30, marker=True) for number in range(FLOOD))
        return await pour((next(turns).packet(unit, EXTENSION) for unit in units), link.send_rtp)

    await flood()  # fills the history of these streams, which is memory that is kept
    async with lesson.unnoticed() as rise:
        sent = await flood()
    await flooder.leave()
    lesson.school.forget(flooder)
    assert sent == FLOOD
    assert rise["rtp_packets_total"] >= 0.9 * FLOOD


async def test_a_flood_of_feedback_of_somebody_with_keys(lesson: Lesson) -> None:
    """Key frames asked for without end, for streams that he gets: the publishers are asked seldom."""
    flooder = await lesson.school.join("flooder")
    await until(lambda: flooder.key_frames_from(lesson.teacher.author), "the flooder sees the teacher")
    ssrcs = itertools.cycle([slot.ssrc for slot in flooder.slots.values()])
    pictures = lesson.teacher.media.feedback["pli"]
    async with lesson.unnoticed():
        plis = (rtcp.write_pli(1, next(ssrcs)) for _ in range(FLOOD))
        assert await pour(plis, flooder.media.link.send_rtcp) == FLOOD
    assert lesson.teacher.media.feedback["pli"] - pictures <= FLOOD / 100
    await flooder.leave()
    lesson.school.forget(flooder)


async def test_a_flood_of_messages_of_somebody_with_a_token(lesson: Lesson) -> None:
    """Who says too much is read slowly; others are answered at once."""
    school = lesson.school
    chatterbox = await school.join("chatterbox", "elsewhere")
    async with lesson.unnoticed():
        flood = asyncio.create_task(say_all(chatterbox.signal, '{"type": "ping", "t": 0}', MESSAGES))
        slowest = 0.0
        for _ in range(20):
            started = time.monotonic()
            await lesson.student.signal.ask({"type": "ping", "t": 1})
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < 2
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
    await chatterbox.vanish()
    school.forget(chatterbox)


async def say_all(signal: PeerSignal, text: str, count: int) -> None:
    for _ in range(count):
        await signal.send_text(text)
