"""What a room gives on record: notes in order with what it says, which the shell brings to the observer as facts."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from signaling.codes import LeftReason
from signaling.facts import LeftFact, ParticipantFact, RecordingFact, RecordingId, RoomFact, TrackFact
from signaling.identifiers import Identity, ParticipantId, Role, RoomName, Source, TrackId
from signaling.ports import RoomObserver


class NoteKind(enum.Enum):
    """What happened."""

    ROOM_STARTED = enum.auto()
    ROOM_ENDED = enum.auto()
    JOINED = enum.auto()
    LEFT = enum.auto()
    SUSPENDED = enum.auto()
    RESUMED = enum.auto()
    TRACK_PUBLISHED = enum.auto()
    TRACK_UNPUBLISHED = enum.auto()
    RECORDING_STARTED = enum.auto()
    RECORDING_PAUSED = enum.auto()
    RECORDING_RESUMED = enum.auto()
    RECORDING_STOPPED = enum.auto()


@dataclass(frozen=True, slots=True)
class Who:
    """A participant as it was then."""

    participant: ParticipantId
    identity: Identity
    name: str
    role: Role
    hidden: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened; the room does not know when: it has no clock."""

    kind: NoteKind
    who: Who | None = None
    reason: LeftReason = LeftReason.LEFT
    track: TrackId | None = None
    source: Source | None = None
    recording: RecordingId | None = None
    failure: str = ""
    silent_s: float | None = None
    """For how long there had been no sign of life, if that is why somebody was suspended or left."""


def report(note: Note, room: RoomName, observer: RoomObserver, *, wallclock: datetime) -> None:
    """Tell the observer."""
    match note.kind:
        case NoteKind.ROOM_STARTED:
            observer.room_started(RoomFact(room, wallclock))
        case NoteKind.ROOM_ENDED:
            observer.room_ended(RoomFact(room, wallclock))
        case NoteKind.JOINED:
            observer.participant_joined(_person(note, room, wallclock))
        case NoteKind.LEFT:
            observer.participant_left(LeftFact(_person(note, room, wallclock), note.reason))
        case NoteKind.SUSPENDED:
            observer.participant_suspended(_person(note, room, wallclock))
        case NoteKind.RESUMED:
            observer.participant_resumed(_person(note, room, wallclock))
        case NoteKind.TRACK_PUBLISHED:
            observer.track_published(_track(note, room, wallclock))
        case NoteKind.TRACK_UNPUBLISHED:
            observer.track_unpublished(_track(note, room, wallclock))
        case NoteKind.RECORDING_STARTED:
            observer.recording_started(_recording(note, room, wallclock))
        case NoteKind.RECORDING_PAUSED:
            observer.recording_paused(_recording(note, room, wallclock))
        case NoteKind.RECORDING_RESUMED:
            observer.recording_resumed(_recording(note, room, wallclock))
        case NoteKind.RECORDING_STOPPED:
            observer.recording_stopped(_recording(note, room, wallclock))
        case _:
            assert_never(note.kind)


def _person(note: Note, room: RoomName, wallclock: datetime) -> ParticipantFact:
    who = note.who
    assert who is not None, f"{note.kind.name} is about nobody"
    return ParticipantFact(
        room, who.participant, who.identity, who.name, who.role, who.hidden, wallclock, note.silent_s
    )


def _track(note: Note, room: RoomName, wallclock: datetime) -> TrackFact:
    assert note.track is not None, f"{note.kind.name} is about no track"
    assert note.source is not None, f"{note.kind.name} is about no source"
    return TrackFact(_person(note, room, wallclock), note.track, note.source)


def _recording(note: Note, room: RoomName, wallclock: datetime) -> RecordingFact:
    assert note.recording is not None, f"{note.kind.name} is about no recording"
    by = None if note.who is None else _person(note, room, wallclock)
    return RecordingFact(room, note.recording, wallclock, by, note.failure)
