"""Recording a room: who may, what everybody is told, what goes on record, and what a recorder that fails does."""

from __future__ import annotations

import pytest

from signaling.client_messages import Permit, Record
from signaling.codes import CloseCode, ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import Role
from signaling.record import NoteKind
from signaling.room import Room
from signaling.server_messages import Done, Joined, RecordingChanged
from tests.unit.signaling.fake_engine import FakeRouter
from tests.unit.signaling.stage import Stage


def kinds(stage: Stage) -> list[NoteKind]:
    return [note.kind for note in stage.notes if note.recording is not None]


def test_a_recording_from_start_to_stop() -> None:
    stage = Stage()
    teacher, amal = stage.joins("t", role=Role.TEACHER), stage.joins("amal")
    for number, action in enumerate(("start", "pause", "resume", "stop"), 1):
        teacher.says(Record(id=number, action=action))  # type: ignore[arg-type]
        assert teacher.last(Done).re == number
    assert [each.state for each in amal.all(RecordingChanged)] == ["active", "paused", "active", "off"]
    [recording] = stage.recorder.recordings
    assert recording.calls == ["pause", "resume", "stop"]
    assert kinds(stage) == [
        NoteKind.RECORDING_STARTED,
        NoteKind.RECORDING_PAUSED,
        NoteKind.RECORDING_RESUMED,
        NoteKind.RECORDING_STOPPED,
    ]
    assert {note.recording for note in stage.notes if note.recording} == {recording.id}
    assert [note.who and note.who.identity for note in stage.notes if note.recording] == ["t"] * 4


def test_who_comes_later_is_told_of_it() -> None:
    stage = Stage()
    teacher = stage.joins("t", role=Role.TEACHER)
    assert teacher.last(Joined).room.recording == "off"
    teacher.says(Record(action="start"))
    assert stage.joins("amal").last(Joined).room.recording == "active"


def test_only_who_may_record_does() -> None:
    stage = Stage()
    teacher, assistant = stage.joins("t", role=Role.TEACHER), stage.joins("a", role=Role.ASSISTANT)
    assistant.is_refused(Record(id=1, action="start"), ErrorCode.NOT_ALLOWED)
    assistant.is_refused(Permit(id=2, participant=assistant.id, record=True), ErrorCode.NOT_ALLOWED)
    teacher.says(Permit(participant=assistant.id, record=True))
    assistant.says(Record(action="start"))
    assert teacher.last(RecordingChanged).state == "active"


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_what_is_not_possible_now_is_a_conflict(action: str) -> None:
    stage = Stage()
    teacher = stage.joins("t", role=Role.TEACHER)
    teacher.is_refused(Record(id=1, action=action), ErrorCode.CONFLICT)  # type: ignore[arg-type]
    teacher.says(Record(action="start"))
    teacher.is_refused(Record(id=2, action="start"), ErrorCode.CONFLICT)


def test_a_recorder_that_is_full_or_not_there_is_said() -> None:
    stage = Stage()
    teacher = stage.joins("t", role=Role.TEACHER)
    stage.recorder.full = True
    assert teacher.is_refused(Record(id=1, action="start"), ErrorCode.RECORDING_UNAVAILABLE).message
    room = Room(stage.room.name, FakeRouter(), new_id=lambda: "id", wake=lambda _room: None)
    with pytest.raises(RequestError) as error:
        room.record("start")
    assert error.value.code is ErrorCode.RECORDING_UNAVAILABLE


def test_a_recorder_that_gives_up_is_told_once() -> None:
    stage = Stage()
    teacher = stage.joins("t", role=Role.TEACHER)
    teacher.says(Record(action="start"))
    stage.recorder.fail()
    stage.recorder.fail()
    stage.drain()
    assert [each.state for each in teacher.all(RecordingChanged)] == ["active", "off"]
    assert stage.notes[-1].failure == "the disk is full"
    teacher.says(Record(action="start"))
    stage.recorder.recordings[0].on_failed("too late")
    stage.drain()
    assert teacher.last(RecordingChanged).state == "active"


def test_the_server_itself_may_record() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    stage.room.record("start")
    stage.drain()
    assert amal.last(RecordingChanged).state == "active"
    assert stage.notes[-1].who is None


def test_a_recording_ends_with_its_room() -> None:
    stage = Stage()
    teacher = stage.joins("t", role=Role.TEACHER)
    teacher.says(Record(action="start"))
    stage.room.end(CloseCode.NORMAL, "")
    stage.drain()
    assert stage.recorder.recordings[0].calls == ["stop"]
    assert [note.kind for note in stage.notes[-3:]] == [
        NoteKind.RECORDING_STOPPED,
        NoteKind.LEFT,
        NoteKind.ROOM_ENDED,
    ]
