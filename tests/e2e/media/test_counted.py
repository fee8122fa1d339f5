"""Counted media through a browser's camera and microphone: the far end's recording says which of it came."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from benchmarks.counted.raw import write_pictures, write_sound
from benchmarks.counted.recording import read_recording
from benchmarks.counted.report import analyse, format_report
from control_api.invitations import Role
from tests.e2e.media.conftest import FLAGS
from tests.e2e.media.test_first_class import playing
from tests.support.browser import launch
from tests.support.classroom import open_classroom

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

PARTICIPANT = 11
RATE = 15
CIRCLE_S = 4
RECORDED_S = 4
PATH_FOUND_S = 6.0  # until then a viewer's path is taken for a narrow one, and may carry every second frame
LOST_SHARE_MAX = 0.25  # the browser drops frames when two encoders, two decoders and a recorder share two busy cores
WANDERING_MS_MAX = 300.0  # camera and microphone do not begin their files together, but then they go on together

RECORD = """
async ([mids, forMs]) => {
  const tracks = room.slots.filter((slot) => mids.includes(slot.mid)).map((slot) => slot.mediaTrack);
  const recorder = new MediaRecorder(new MediaStream(tracks), {mimeType: 'video/webm;codecs=vp8,opus'});
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  await new Promise((resolve) => setTimeout(resolve, forMs));
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counted_browser(media_browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser of its own, whose camera and microphone are files. Threads of numpy begin here, before the test."""
    folder = tmp_path_factory.mktemp("counted")
    camera, microphone = folder / "camera.y4m", folder / "microphone.wav"
    write_pictures(camera, height=360, frames_per_second=RATE, seconds=CIRCLE_S, participant=PARTICIPANT)
    write_sound(microphone, seconds=12, participant=PARTICIPANT)
    flags = (
        *FLAGS,
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={microphone}",
    )
    async with launch(*flags, without=("--use-fake-device-for-media-stream",)) as browser:
        yield browser


async def test_the_far_end_sees_every_counter(counted_browser: Browser, tmp_path: Path) -> None:
    async with open_classroom(counted_browser, tmp_path / "server") as classroom:
        teacher = await classroom.join("teacher")
        student = await classroom.join("student", role=Role.STUDENT)
        await teacher.publish("Camera", "Microphone")
        mids = [await playing(student, "video"), await playing(student, "audio")]
        await asyncio.sleep(PATH_FOUND_S)
        recorded = base64.b64decode(await student.run(RECORD, [mids, RECORDED_S * 1000]))
    path = tmp_path / "far_end.webm"
    path.write_bytes(recorded)
    recording = read_recording(path, likeness_every=10)
    report = analyse(recording.frames, recording.heard, loop_frames=RATE * CIRCLE_S, frames_per_second=RATE)
    print(format_report(report))
    faults = report.faults
    assert report.participant == PARTICIPANT
    assert faults.distinct >= (1 - LOST_SHARE_MAX) * (RECORDED_S - 1) * RATE
    assert len(faults.lost) <= LOST_SHARE_MAX * faults.distinct
    assert faults.unreadable <= 0.05 * faults.seen
    assert faults.out_of_order == 0
    offsets = [offset.offset_ms for offset in report.offsets]
    assert len(offsets) >= 2
    assert max(offsets) - min(offsets) <= WANDERING_MS_MAX
