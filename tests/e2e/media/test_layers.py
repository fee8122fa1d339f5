"""Simulcast: a viewer chooses the picture's size, and the picture never breaks."""

from __future__ import annotations

import asyncio

import pytest

from control_api.invitations import Role
from tests.e2e.media.test_first_class import playing
from tests.support.classroom import Classroom, longest_gap_ms, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

WIDTHS = {180: 320, 360: 640, 720: 1280}
SWITCH_MS_MAX = 2000.0
FREEZE_MS_MAX = 500.0
GATE_S = 3.0  # key frames that were asked for on the way up make the next ones wait


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_view_switches_encodings_up_and_down(classroom: Classroom, codec: str) -> None:
    teacher = await classroom.join("teacher", codec=codec)
    student = await classroom.join("student", role=Role.STUDENT)
    await teacher.publish("Camera")
    mid = await playing(student, "video")

    await student.view(mid, height=720)
    await student.watch(mid)

    async def shows(width: int) -> bool:
        frames = await student.frames(mid)
        return bool(frames) and frames[-1][1] == width

    await until(lambda: shows(1280), "f is shown: the path is known to be wide", within_s=30)
    await asyncio.sleep(GATE_S)
    await student.view(mid, height=180)
    await until(lambda: shows(320), "q is shown")
    start = (await student.frames(mid))[-1][0]
    for height in (360, 720, 360, 180):
        asked_at = await student.run("() => performance.now()")
        await student.view(mid, height=height)
        await until(lambda width=WIDTHS[height]: shows(width), f"{height} lines are shown", within_s=4)  # type: ignore[misc]
        frames = await student.frames(mid)
        first = next(at for at, width in frames if at > asked_at and width == WIDTHS[height])
        assert first - asked_at <= SWITCH_MS_MAX, f"the switch to {height} lines took {first - asked_at:.0f} ms"
        await asyncio.sleep(1.2)
    gap = longest_gap_ms([frame for frame in await student.frames(mid) if frame[0] >= start])
    assert gap <= FREEZE_MS_MAX, f"the picture stood still for {gap:.0f} ms"
    report = await student.decoded(mid)
    assert report["packetsLost"] == 0
    assert report["framesDropped"] <= report["framesReceived"] * 0.1


async def test_view_chooses_temporal_layers(classroom: Classroom) -> None:
    teacher = await classroom.join("teacher", codec="VP8")
    student = await classroom.join("student", role=Role.STUDENT)
    await teacher.publish("Camera")
    mid = await playing(student, "video")

    async def rate() -> float:
        before = (await student.decoded(mid))["framesReceived"]
        await asyncio.sleep(2)
        return float((await student.decoded(mid))["framesReceived"] - before) / 2

    await student.view(mid, height=180)

    async def is_full() -> bool:
        return await rate() > 22

    await until(is_full, "all temporal layers come", within_s=20)
    await student.view(mid, height=180, frameRate=15)
    await asyncio.sleep(0.5)
    assert 4 < await rate() <= 18, "the highest temporal layer is left out"
    await student.view(mid, height=180, frameRate=None)
    await until(is_full, "all temporal layers come again", within_s=10)
    assert (await student.decoded(mid))["packetsLost"] == 0, "layers that are left out leave no hole"
