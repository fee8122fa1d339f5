"""Recording of one room: who starts and ends it, and what everybody is told of it. Another part does the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.facts import RecordingId
from signaling.identifiers import RoomName
from signaling.outbox import Outbox
from signaling.ports import Recorder, RecorderUnavailableError, Recording
from signaling.record import Note, NoteKind, Who
from signaling.server_messages import RecordingChanged, RecordingState

Action = Literal["start", "stop", "pause", "resume"]

_POSSIBLE: Final[dict[RecordingState, tuple[Action, ...]]] = {
    "off": ("start",),
    "active": ("pause", "stop"),
    "paused": ("resume", "stop"),
}
"""What can be asked for in which state."""


class Recordings:
    """At most one at a time. Everybody is told; the facts go on record."""

    def __init__(self, outbox: Outbox, recorder: Recorder | None, room: RoomName, *, new_id: Callable[[], str]) -> None:
        """Without a recorder nothing can be recorded (`recording_unavailable`)."""
        self.state: RecordingState = "off"
        self._outbox = outbox
        self._recorder = recorder
        self._room = room
        self._new_id = new_id
        self._current: tuple[RecordingId, Recording] | None = None

    def act(self, action: Action, by: Who | None) -> None:
        """Do what somebody (None: the server itself) asks for; raises RequestError."""
        if self._recorder is None:
            raise RequestError(ErrorCode.RECORDING_UNAVAILABLE, "this server has no recorder")
        if action not in _POSSIBLE[self.state]:
            raise RequestError(ErrorCode.CONFLICT, f"{action} is not possible: the recording is {self.state}")
        if self._current is None:
            self._start(self._recorder, by)
            return
        recording_id, recording = self._current
        match action:
            case "pause":
                recording.pause()
                self._change("paused", NoteKind.RECORDING_PAUSED, recording_id, by)
            case "resume":
                recording.resume()
                self._change("active", NoteKind.RECORDING_RESUMED, recording_id, by)
            case _:
                self._current = None
                recording.stop()
                self._change("off", NoteKind.RECORDING_STOPPED, recording_id, by)

    def end(self) -> None:
        """Stop with the room; there is nobody left to be told."""
        if self._current is not None:
            recording_id, recording = self._current
            self._current = None
            self.state = "off"
            recording.stop()
            self._outbox.note(Note(NoteKind.RECORDING_STOPPED, recording=recording_id))

    def _start(self, recorder: Recorder, by: Who | None) -> None:
        recording_id = RecordingId(self._new_id())
        try:
            recording = recorder.start(self._room, recording_id, lambda reason: self._failed(recording_id, reason))
        except RecorderUnavailableError as error:
            raise RequestError(ErrorCode.RECORDING_UNAVAILABLE, str(error)) from error
        self._current = recording_id, recording
        self._change("active", NoteKind.RECORDING_STARTED, recording_id, by)

    def _failed(self, recording_id: RecordingId, reason: str) -> None:
        """The recorder gave up by itself."""
        if self._current is not None and self._current[0] == recording_id:
            self._current = None
            self._change("off", NoteKind.RECORDING_STOPPED, recording_id, None, failure=reason)

    def _change(
        self, state: RecordingState, kind: NoteKind, recording: RecordingId, by: Who | None, *, failure: str = ""
    ) -> None:
        self.state = state
        self._outbox.note(Note(kind, by, recording=recording, failure=failure))
        self._outbox.announce(RecordingChanged(seq=self._outbox.next_seq(), state=state))
