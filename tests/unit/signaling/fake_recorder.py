"""A recorder that only remembers what it was told: stands for our own port in tests of rooms."""

from __future__ import annotations

from collections.abc import Callable

from signaling.facts import RecordingId
from signaling.identifiers import RoomName
from signaling.ports import RecorderUnavailableError


class FakeRecording:
    def __init__(self, recording: RecordingId, on_failed: Callable[[str], None]) -> None:
        self.id = recording
        self.on_failed = on_failed
        self.calls: list[str] = []

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def stop(self) -> None:
        self.calls.append("stop")


class FakeRecorder:
    def __init__(self) -> None:
        self.recordings: list[FakeRecording] = []
        self.full = False

    def start(self, _room: RoomName, recording: RecordingId, on_failed: Callable[[str], None]) -> FakeRecording:
        if self.full:
            raise RecorderUnavailableError("no recorder is free")
        self.recordings.append(FakeRecording(recording, on_failed))
        return self.recordings[-1]

    def fail(self) -> None:
        """Give up by itself, if anything is recorded."""
        if self.recordings:
            self.recordings[-1].on_failed("the disk is full")
