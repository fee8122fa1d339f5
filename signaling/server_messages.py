"""What the server says: one struct a message. A message with `seq` is a room event: everybody in the room gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from media.rtp.parameters import MediaKind, Mid, Rid
from signaling.client_messages import Recipients
from signaling.codes import ErrorCode, LeftReason
from signaling.identifiers import Door, Identity, ParticipantId, Role, RoomName, Source, TrackId
from signaling.levels import Level

TrackState: TypeAlias = Literal["live", "muted", "ended"]
RecordingState: TypeAlias = Literal["off", "active", "paused"]


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
    audience: tuple[Role, ...] = ()
    """Who may see it, if not everybody."""


class StateEntry(Struct, frozen=True, kw_only=True):
    """A value that is kept, and the number of the event that set it."""

    value: Any
    version: int


class ParticipantView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A participant as the room sees it."""

    id: ParticipantId
    identity: Identity
    name: str
    joined_at: datetime
    tracks: tuple[TrackView, ...]
    role: Role | None = None
    suspended: bool = False
    state: dict[str, StateEntry] = {}


class VisitorView(Struct, frozen=True, kw_only=True):
    """Somebody who waits to be admitted, as those who moderate see it."""

    id: ParticipantId
    identity: Identity
    name: str
    role: Role


class PermissionsView(Struct, frozen=True, kw_only=True):
    """What somebody may do now."""

    publish: tuple[Source, ...]
    subscribe: bool
    send: bool
    moderate: bool
    record: bool = False


class RoomView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole room after event `seq`; `waiting` for those who moderate."""

    name: RoomName
    seq: int
    participants: tuple[ParticipantView, ...]
    door: Door = Door.OPEN
    spotlight: tuple[ParticipantId, ...] = ()
    hands: tuple[ParticipantId, ...] = ()
    state: dict[str, StateEntry] = {}
    waiting: tuple[VisitorView, ...] = ()
    recording: RecordingState = "off"


class SlotView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one slot shows: whose track, and the rid that flows now (null: nothing yet, or not simulcast)."""

    mid: Mid
    track: TrackId | None
    participant: ParticipantId | None
    encoding: Rid | None
    paused: bool = False
    """Nothing is sent of the track: the network, or a limit of the client's own, leaves no room for it."""


class ServerMessage(Struct, tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """Any message of the server; `re` is the `id` of the request that it answers."""

    re: int | None = None


class Joined(ServerMessage, tag="joined", frozen=True, kw_only=True):
    """The answer to `join`; `room` holds everybody, the new participant too. No `answer` without an offer."""

    answer: str | None = None
    room: RoomView
    participant: ParticipantId
    seq: int
    resume: str
    permissions: PermissionsView


class Waiting(ServerMessage, tag="waiting", frozen=True, kw_only=True):
    """Wait to be admitted: `joined` follows, or the connection is closed."""

    participant: ParticipantId


class Resumed(ServerMessage, tag="resumed", frozen=True, kw_only=True):
    """The answer to `resume`: events follow from `seq` on, or `room` is what there is now."""

    participant: ParticipantId
    seq: int
    resume: str
    answer: str | None = None
    room: RoomView | None = None
    permissions: PermissionsView


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


class Presence(ServerMessage, tag="presence", frozen=True, kw_only=True):
    """The connection of a participant broke, or it is back; its tracks are what they were."""

    seq: int
    participant: ParticipantId
    suspended: bool


class RoomChanged(ServerMessage, tag="room", frozen=True, kw_only=True):
    """What is decided for the room as a whole."""

    seq: int
    door: Door
    spotlight: tuple[ParticipantId, ...]


class HandsChanged(ServerMessage, tag="hands", frozen=True, kw_only=True):
    """Hands went up (they come last in the order) or down."""

    seq: int
    raised: tuple[ParticipantId, ...] = ()
    lowered: tuple[ParticipantId, ...] = ()


class StateChanged(ServerMessage, tag="state", frozen=True, kw_only=True):
    """A value of a participant, or of the room, is another one; its version is `seq`."""

    seq: int
    key: str
    value: Any
    participant: ParticipantId | None = None


class MessageSent(ServerMessage, tag="message", frozen=True, kw_only=True):
    """Somebody, or the server itself (no `participant`), sent a message to me, among others."""

    seq: int
    topic: str
    body: Any
    participant: ParticipantId | None = None
    to: Literal["all"] | Recipients = "all"


class Reaction(ServerMessage, tag="reaction", frozen=True, kw_only=True):
    """Somebody reacts."""

    participant: ParticipantId
    reaction: str


class Speaker(Struct, frozen=True, kw_only=True):
    """A microphone that somebody speaks into; `level` from 0 to 1 (as loud as voices get)."""

    participant: ParticipantId
    track: TrackId
    level: float


class Speakers(ServerMessage, tag="speakers", frozen=True, kw_only=True):
    """Who speaks now, among those whom I may hear: who leads in front."""

    speakers: tuple[Speaker, ...]


class Knock(ServerMessage, tag="knock", frozen=True, kw_only=True):
    """Somebody waits; for those who moderate."""

    seq: int
    participant: VisitorView


class KnockOver(ServerMessage, tag="knock_over", frozen=True, kw_only=True):
    """Somebody does not wait any more; for those who moderate."""

    seq: int
    participant: ParticipantId
    outcome: Literal["admitted", "refused", "gone"]


class Permissions(ServerMessage, tag="permissions", frozen=True, kw_only=True):
    """What a participant may do now; for that one and for those who moderate."""

    seq: int
    participant: ParticipantId
    permissions: PermissionsView


class Asked(ServerMessage, tag="asked", frozen=True, kw_only=True):
    """A moderator would like me to unmute."""

    seq: int
    source: Source
    participant: ParticipantId | None = None


class Moved(ServerMessage, tag="moved", frozen=True, kw_only=True):
    """Go on at another address, with another token if there is one; the connection is closed after it."""

    url: str
    token: str | None = None


class RecordingChanged(ServerMessage, tag="recording", frozen=True, kw_only=True):
    """The room is recorded from now on, or not any more."""

    seq: int
    state: RecordingState


class EncodingWanted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One encoding that a publisher may send (`rid` is null without simulcast)."""

    rid: Rid | None
    active: bool
    max_bitrate_bps: int
    scale_resolution_down_by: float = 1.0
    """Nobody needs a larger picture of a layered stream: W3C's scaleResolutionDownBy."""


class Layers(ServerMessage, tag="layers", frozen=True, kw_only=True):
    """What I should send of my track: which encodings, lowest first, and at most how much of each."""

    track: TrackId
    encodings: tuple[EncodingWanted, ...]


class ParticipantQuality(Struct, frozen=True, kw_only=True):
    """How good somebody's connection is."""

    participant: ParticipantId
    level: Level


class Quality(ServerMessage, tag="quality", frozen=True, kw_only=True):
    """Whose connection is another one than before, as the server sees it; mine, too."""

    participants: tuple[ParticipantQuality, ...]


class MediaPath(ServerMessage, tag="media", frozen=True, kw_only=True):
    """Whether signs of life come on the media path; if not for `timeout_s` more, the connection is closed."""

    state: Literal["silent", "alive"]
    timeout_s: float | None = None


class Draining(ServerMessage, tag="draining", frozen=True, kw_only=True):
    """The server is about to go: the room ends at that time (null: nobody knows yet), or when everybody has left."""

    ends_at: datetime | None


class Ended(ServerMessage, tag="ended", frozen=True, kw_only=True):
    """My stay is over, and why; the connection is closed after it."""

    reason: Literal["ended", "duration", "removed", "banned", "sent_back"]
    message: str = ""


class Done(ServerMessage, tag="done", frozen=True, kw_only=True):
    """A request is done; what it changed is in the events up to `seq`."""

    seq: int


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
    Joined
    | Waiting
    | Resumed
    | Answer
    | ParticipantJoined
    | ParticipantLeft
    | TrackChanged
    | Presence
    | RoomChanged
    | HandsChanged
    | StateChanged
    | MessageSent
    | Reaction
    | Speakers
    | Knock
    | KnockOver
    | Permissions
    | Asked
    | Moved
    | RecordingChanged
    | Layers
    | Quality
    | MediaPath
    | Draining
    | Ended
    | Done
    | SlotsChanged
    | Pong
    | Error
)
