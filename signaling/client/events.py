"""What a room tells its listeners: one frozen value for each thing that can happen, people and tracks resolved."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from signaling.client_messages import Recipients
from signaling.identifiers import ParticipantId, Source, TrackId
from signaling.levels import Level
from signaling.server_messages import ParticipantView, PermissionsView, RecordingState, TrackView, VisitorView

Participant: TypeAlias = ParticipantView
"""Somebody in the room, as they were when we heard of it: `id identity name role tracks suspended state`."""

Track: TypeAlias = TrackView
"""What somebody publishes: `id source kind state codec width height encodings audience`."""

Visitor: TypeAlias = VisitorView
"""Somebody who waits to be admitted: `id identity name role`."""


class RoomState(enum.Enum):
    """Where our stay in the room is."""

    NEW = "new"
    CONNECTING = "connecting"
    WAITING = "waiting"
    """Somebody must admit us."""
    CONNECTED = "connected"
    """In the room, and media can flow (if there is any)."""
    RECONNECTING = "reconnecting"
    """The connection or the media path broke; we are coming back."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Our stay is in another state."""

    state: RoomState


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in; `again` if the server had forgotten us (a restart, a long absence): ids are new, slots begin anew."""

    again: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """We are back as the same participant; what was missed follows as events of its own."""


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """`reason` as in protocol.md; "unknown" for who went while we were away."""

    participant: Participant
    reason: str


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """The connection of somebody broke or is back: `participant.suspended`."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class TrackChanged:
    """A track is new, changed or ended (`track.state`); one's own too."""

    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class HandRaised:
    participant: Participant


@dataclass(frozen=True, slots=True)
class HandLowered:
    participant: Participant


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """`sender` is None for messages of the server; `is_own` for one's own copy."""

    sender: Participant | None
    topic: str
    body: Any
    to: Literal["all"] | Recipients
    is_own: bool


@dataclass(frozen=True, slots=True)
class ReactionReceived:
    sender: Participant
    reaction: str


@dataclass(frozen=True, slots=True)
class ValueChanged:
    """A kept value of a participant, or of the room (None), is another one; None if it is gone."""

    owner: Participant | None
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """Door or spotlight changed: see `room.door`, `room.spotlight`."""


@dataclass(frozen=True, slots=True)
class Knocked:
    """Somebody waits to be admitted (`room.admit`)."""

    visitor: Visitor


@dataclass(frozen=True, slots=True)
class KnockOver:
    visitor: ParticipantId
    outcome: Literal["admitted", "refused", "gone"]


@dataclass(frozen=True, slots=True)
class PermissionsChanged:
    participant: Participant
    permissions: PermissionsView


@dataclass(frozen=True, slots=True)
class AskedToUnmute:
    """A moderator would like us to unmute or publish this source."""

    source: Source
    by: Participant | None


@dataclass(frozen=True, slots=True)
class SlotsChanged:
    """These slots carry something else now: see `room.slots`."""

    mids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    participant: Participant
    track: TrackId
    level: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Who speaks now, the dominant one first."""

    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """How good the connections of these are, as the server sees it."""

    levels: Mapping[ParticipantId, Level]


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    state: RecordingState


@dataclass(frozen=True, slots=True)
class Draining:
    """The server goes down soon; we come back to its successor by ourselves."""

    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """We go on at another address."""

    url: str


Event: TypeAlias = (
    StateChanged
    | Joined
    | Resumed
    | ParticipantJoined
    | ParticipantLeft
    | PresenceChanged
    | TrackChanged
    | HandRaised
    | HandLowered
    | MessageReceived
    | ReactionReceived
    | ValueChanged
    | RoomChanged
    | Knocked
    | KnockOver
    | PermissionsChanged
    | AskedToUnmute
    | SlotsChanged
    | SpeakersChanged
    | QualityChanged
    | RecordingChanged
    | Draining
    | Moved
)
