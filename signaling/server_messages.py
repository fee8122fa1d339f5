"""What the server says: one struct a message. A message with `seq` is a room event: everybody in the room gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from media.rtp.parameters import MediaKind, Mid, Rid
from signaling.codes import ErrorCode, LeftReason
from signaling.identifiers import Identity, ParticipantId, RoomName, Source, TrackId

TrackState: TypeAlias = Literal["live", "muted", "ended"]


class TrackView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A track as the room sees it; `codec` and size once known, `encodings` if it is simulcast, lowest first."""

    id: TrackId
    source: Source
    kind: MediaKind
    state: TrackState
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    encodings: tuple[Rid, ...] = ()


class ParticipantView(Struct, frozen=True, kw_only=True):
    """A participant as the room sees it."""

    id: ParticipantId
    identity: Identity
    name: str
    joined_at: datetime
    tracks: tuple[TrackView, ...]


class RoomView(Struct, frozen=True, kw_only=True):
    """The whole room after event `seq`."""

    name: RoomName
    seq: int
    participants: tuple[ParticipantView, ...]


class SlotView(Struct, frozen=True, kw_only=True):
    """What one slot shows: whose track, and the rid that flows now (null: nothing yet, or not simulcast)."""

    mid: Mid
    track: TrackId | None
    participant: ParticipantId | None
    encoding: Rid | None


class ServerMessage(Struct, tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """Any message of the server; `re` is the `id` of the request that it answers."""

    re: int | None = None


class Joined(ServerMessage, tag="joined", frozen=True, kw_only=True):
    """The answer to `join`; `room` holds everybody, the new participant too."""

    answer: str
    room: RoomView
    participant: ParticipantId
    seq: int


class Answer(ServerMessage, tag="answer", frozen=True, kw_only=True):
    """The answer to `offer`."""

    sdp: str


class ParticipantJoined(ServerMessage, tag="participant", frozen=True, kw_only=True):
    """Somebody came in."""

    seq: int
    participant: ParticipantView


class ParticipantLeft(ServerMessage, tag="left", frozen=True, kw_only=True):
    """Somebody is gone, and so are the tracks."""

    seq: int
    participant: ParticipantId
    reason: LeftReason


class TrackChanged(ServerMessage, tag="track", frozen=True, kw_only=True):
    """A track is new, changed or ended; the publisher's own copy answers the request."""

    seq: int
    participant: ParticipantId
    track: TrackView


class SlotsChanged(ServerMessage, tag="slots", frozen=True, kw_only=True):
    """The slots of this client that show something else than before; the first one after `joined` lists all."""

    slots: tuple[SlotView, ...]


class Pong(ServerMessage, tag="pong", frozen=True, kw_only=True):
    """The answer to `ping`."""

    t: int | float


class Error(ServerMessage, tag="error", frozen=True, kw_only=True):
    """A request is refused, or the connection is about to be closed; `message` is for developers, in English."""

    code: ErrorCode
    message: str


AnyServerMessage: TypeAlias = (
    Joined | Answer | ParticipantJoined | ParticipantLeft | TrackChanged | SlotsChanged | Pong | Error
)
