"""Every codec that we forward, from one browser through the server to another."""

from __future__ import annotations

import pytest

from control_api.invitations import Role
from tests.e2e.media.test_first_class import playing
from tests.support.classroom import Classroom, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]


@pytest.mark.parametrize(
    ("codec", "mode"),
    [("VP8", None), ("H264", None), ("VP9", "L1T3"), ("VP9", "L3T3_KEY"), ("AV1", "L1T3"), ("AV1", "L3T3_KEY")],
)
async def test_codec_passes_through(classroom: Classroom, codec: str, mode: str | None) -> None:
    teacher = await classroom.join("teacher", codec=codec, scalabilityMode=mode or "L1T3")
    student = await classroom.join("student", role=Role.STUDENT)
    await teacher.publish("Camera", "Microphone")
    video, audio = await playing(student, "video"), await playing(student, "audio")

    async def decodes() -> bool:
        return bool((await student.decoded(video))["framesDecoded"] >= 60)

    await until(decodes, f"60 frames of {codec} are decoded", within_s=15)
    named = {report["id"]: report["mimeType"] for report in await student.stats("codec")}
    assert named[(await student.decoded(video))["codecId"]] == f"video/{codec}"
    assert named[(await student.decoded(audio))["codecId"]] == "audio/opus"


async def test_late_viewer_gets_a_picture_at_once(classroom: Classroom) -> None:
    teacher = await classroom.join("teacher")
    await teacher.publish("Camera")
    first = await classroom.join("student-1", role=Role.STUDENT)
    await playing(first, "video")
    late = await classroom.join("student-2", role=Role.STUDENT)
    mid = await playing(late, "video")
    assert (await late.decoded(mid))["keyFramesDecoded"] >= 1
