"""What the engine counts becomes what people are told: quality, and the end of patience with who sends too much."""

from __future__ import annotations

import pytest

from signaling import bitrates, watch
from signaling.bitrates import BitrateLimits
from signaling.limits import RoomSettings
from tests.support import peer_link
from tests.support.peer_place import lesson, place, shown, types
from tests.support.peer_school import until


@pytest.fixture(autouse=True)
def checks_come_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_link, "KEEPALIVE_INTERVAL_S", 0.2)


async def test_quality_is_told_of_both_ends_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.2)
    async with place() as at:
        teacher, student = await lesson(at)

        def levels() -> dict[str, str]:
            told = [
                each for message in student.told if message["type"] == "quality" for each in message["participants"]
            ]
            return {each["participant"]: each["level"] for each in told}

        await until(lambda: set(levels()) == {teacher.id, student.id}, "the quality of both is known")
        assert "lost" not in levels().values()
        teacher.media.link.cut = True
        await until(lambda: levels()[teacher.id] == "lost", "the teacher's is lost")


async def test_who_sends_far_too_much_is_muted_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("WINDOW_S", 0.4), ("REMINDER_AFTER_S", 0.4), ("MUTE_AFTER_S", 1.0)):
        monkeypatch.setattr(bitrates, name, seconds)
    monkeypatch.setattr(watch, "LOOK_S", 0.2)
    narrow = RoomSettings(empty_timeout_s=0.0, bitrates=BitrateLimits(camera_bps=1000, microphone_bps=10**6))
    async with place(narrow) as at:
        teacher, student = await lesson(at)
        await until(lambda: types(teacher).count("layers") >= 3, "the teacher is reminded")  # of two tracks, and again
        await until(lambda: "error" in types(teacher), "the server loses patience")
        [error] = teacher.errors
        assert (error["code"], "re" in error) == ("bitrate_exceeded", False)
        tracks = [message["track"] for message in student.told if message["type"] == "track"]
        muted = [track["source"] for track in tracks if track["state"] == "muted"]
        assert muted == ["camera"]
        seen, heard = shown(student, teacher), student.packets_from(teacher.author, video=False)
        await until(
            lambda: student.packets_from(teacher.author, video=False) > heard + 10, "the microphone is heard as before"
        )
        assert shown(student, teacher) <= seen + 5, "what was on the way"
