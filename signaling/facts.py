"""What happened in rooms, as plain values for whoever keeps a record: no message of the protocol, no engine object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from signaling.codes import LeftReason
from signaling.identifiers import Identity, ParticipantId, Role, RoomName, Source, TrackId

RecordingId = NewType("RecordingId", str)
"""One recording of one room, from start to stop; pauses are inside it."""


@dataclass(frozen=True, slots=True)
class RoomFact:
    """Something about a room as a whole."""

    room: RoomName
    wallclock: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class ParticipantFact:
    """Something about one participant."""

    room: RoomName
    participant: ParticipantId
    identity: Identity
    name: str
    role: Role
    hidden: bool
    """Whether the others in the room do not see this participant."""
    wallclock: datetime
    """UTC."""
    silent_s: float | None = None
    """For how long there had been no sign of life, where somebody was suspended or left for it; None elsewhere."""


@dataclass(frozen=True, slots=True)
class LeftFact:
    """A participant is gone, with all tracks: no facts about them follow."""

    who: ParticipantFact
    reason: LeftReason


@dataclass(frozen=True, slots=True)
class TrackFact:
    """Something about one track of a participant."""

    who: ParticipantFact
    track: TrackId
    source: Source


@dataclass(frozen=True, slots=True)
class RecordingFact:
    """Something about a recording."""

    room: RoomName
    recording: RecordingId
    wallclock: datetime
    """UTC."""
    by: ParticipantFact | None = None
    """Who asked for it; None: the server, or the end of the room."""
    failure: str = ""
    """Why the recorder gave up, "" if it did not."""
