"""libwebrtc as a foreign participant: two of them see and hear each other, decoded, through the server."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.peer_foreign import WIDTH, ForeignPeer, Look, running_libwebrtc
from tests.support.peer_school import School, open_school, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

TEACHER, STUDENT = Look(luma=60, tone_hz=400), Look(luma=190, tone_hz=1600)
LUMA_ERROR_MAX = 12.0  # of the darkest of three encodings at 100 kbit/s; the two are ten times as far from each other
TONE_ERROR_MAX = 0.1
LOUDNESS_MIN = 3000.0  # of 12,000 sent; silence and comfort noise are below 100
RECENT = 20  # decoded frames, or chunks of 10 ms, that are looked at
ESTIMATE_TIMEOUT_S = 40.0  # libwebrtc raises its estimate by 8 % a second when probing did not do it


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def libwebrtc() -> AsyncIterator[None]:
    """Begin before a test's leftovers are counted, and end behind them."""
    async with running_libwebrtc():
        yield


@asynccontextmanager
async def pair(school: School) -> AsyncIterator[tuple[ForeignPeer, ForeignPeer]]:
    """Let teacher and student join and publish."""
    teacher, student = ForeignPeer("algebra", "teacher", TEACHER), ForeignPeer("algebra", "student", STUDENT)
    try:
        for peer in (teacher, student):
            await peer.join(school.http, school.server.url, school.token(peer.identity, peer.room))
        for peer in (teacher, student):
            await peer.publish()
        yield teacher, student
    finally:
        await teacher.close()
        await student.close()


def sees(peer: ForeignPeer, look: Look) -> bool:
    recent = peer.seen[-RECENT:]
    return len(recent) == RECENT and abs(statistics.fmean(one.luma for one in recent) - look.luma) < LUMA_ERROR_MAX


def sees_in_width(peer: ForeignPeer, width: int) -> bool:
    recent = peer.seen[-RECENT:]
    return len(recent) == RECENT and all(one.width == width for one in recent)


def hears(peer: ForeignPeer, look: Look) -> bool:
    recent = peer.heard[-RECENT:]
    tone_hz = statistics.median(one.tone_hz for one in recent) if recent else 0.0
    return (
        len(recent) == RECENT
        and min(one.loudness for one in recent) > LOUDNESS_MIN
        and abs(tone_hz - look.tone_hz) < TONE_ERROR_MAX * look.tone_hz
    )


async def test_two_see_and_hear_each_other(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, pair(school) as (teacher, student):
        for peer, other in ((teacher, STUDENT), (student, TEACHER)):
            await until(partial(sees, peer, other), f"{peer.identity} sees the other", within_s=20)
            await until(partial(hears, peer, other), f"{peer.identity} hears the other", within_s=20)
        frames = len(student.seen)
        await asyncio.sleep(2)
        assert len(student.seen) - frames > 15, "of 30 in two seconds"
        for peer in (teacher, student):
            for report in await peer.stats("inbound-rtp"):
                assert report.packets_lost == 0
                assert not report.freeze_count
        metrics = school.metrics()
        for name in ("srtp_rejected_total", "rtp_malformed_total", "rtcp_malformed_total", "nack_asked_total"):
            assert metrics[name] == 0, name


async def test_a_viewer_of_simulcast_gets_what_it_asks_for(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, pair(school) as (teacher, student):
        for height, width in ((135, WIDTH // 4), (540, WIDTH), (270, WIDTH // 2)):
            await student.view(height)
            what = f"the picture is {width} wide, and goes on"
            await until(partial(sees_in_width, student, width), what, ESTIMATE_TIMEOUT_S)
            assert sees(student, teacher.look)
        (report,) = [each for each in await student.stats("inbound-rtp") if each.kind == "video"]
        assert report.packets_lost == 0
        assert not report.freeze_count
