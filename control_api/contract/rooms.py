"""Rooms: what may be said when one is created or changed, and what is told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from control_api.contract.shapes import PAGE_ITEMS_DEFAULT, Answer, PageSize, Request, RoomText
from signaling.identifiers import Door
from signaling.limits import RESUME_WINDOW_MAX_S
from signaling.server_messages import RecordingState

METADATA_BYTES_MAX: Final = 16 * 1024
CLOSED_S_MAX: Final = 30 * 86_400

Seats: TypeAlias = Annotated[int, Meta(ge=1, le=10_000)]
Visitors: TypeAlias = Annotated[int, Meta(ge=0, le=10_000)]
Bitrate: TypeAlias = Annotated[int, Meta(ge=6_000, le=100_000_000)]
ResumeSeconds: TypeAlias = Annotated[float, Meta(ge=0, le=RESUME_WINDOW_MAX_S)]
EmptySeconds: TypeAlias = Annotated[float, Meta(ge=1, le=30 * 86_400)]
DurationSeconds: TypeAlias = Annotated[float, Meta(ge=1, le=30 * 86_400)]
Metadata: TypeAlias = Annotated[dict[str, Any], Meta(max_length=64)]


class BitrateLimits(Request, frozen=True, kw_only=True):
    """What one track of each source may send, all its encodings together, in bit/s."""

    microphone_bps: Bitrate | UnsetType = UNSET
    camera_bps: Bitrate | UnsetType = UNSET
    screen_bps: Bitrate | UnsetType = UNSET
    screen_audio_bps: Bitrate | UnsetType = UNSET


class RoomLimits(Request, frozen=True, kw_only=True):
    """How much a room takes. What is left out is as the operator set it for all rooms."""

    participants_max: Seats | UnsetType = UNSET
    """At the same time, viewers by WHEP too."""
    publishers_max: Seats | UnsetType = UNSET
    """Participants with a camera, microphone or screen at the same time."""
    waiting_max: Visitors | UnsetType = UNSET
    """Who may wait to be admitted at the same time."""
    bitrates: BitrateLimits = BitrateLimits()
    """Publishers are told them, reminded, and muted in the end."""
    resume_window_s: ResumeSeconds | UnsetType = UNSET
    """How long somebody whose connection broke is waited for, in seconds."""
    empty_timeout_s: EmptySeconds | UnsetType = UNSET
    """How long it is kept without anybody, in seconds: after its creation, and after the last has left."""
    duration_max_s: DurationSeconds | UnsetType | None = UNSET
    """From the first join to the end, in seconds; null: no end."""


class RoomDefinition(Request, frozen=True, kw_only=True):
    """What a room is to be."""

    door: Door = Door.OPEN
    """Who comes in. Those who moderate always do."""
    limits: RoomLimits = RoomLimits()
    """How much it takes."""
    metadata: Metadata = field(default_factory=dict)
    """Anything that you want to find again, e.g. the number of a course; nobody in the room is told. At most 16 KiB."""


class CreateRoom(RoomDefinition, frozen=True, kw_only=True):
    """A new room."""

    name: RoomText | None = None
    """Left out, the server chooses a name that nobody guesses."""


class ChangeRoom(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    door: Door | UnsetType = UNSET
    """Who comes in from now on; nobody is put out."""
    limits: RoomLimits = RoomLimits()
    """They count for those who come; nobody is put out."""
    metadata: Metadata | UnsetType = UNSET
    """Replaces all of it."""


class EndRoomQuery(Request, frozen=True, kw_only=True):
    """How a room ends."""

    reason: Annotated[str, Meta(max_length=200)] = ""
    """Told to everybody in it."""
    closed_s: Annotated[int, Meta(ge=0, le=CLOSED_S_MAX)] = 0
    """For so many seconds nobody who still has a token opens it again; creating it does."""


class RoomQuery(Request, frozen=True, kw_only=True):
    """Which rooms."""

    limit: PageSize = PAGE_ITEMS_DEFAULT
    """At most so many."""
    after: RoomText | None = None
    """`next` of the page before; without it the list begins."""
    prefix: RoomText | None = None
    """Only those whose names begin so."""


class BitratesInForce(Answer, frozen=True, kw_only=True):
    """What one track of each source may send, in bit/s."""

    microphone_bps: int
    camera_bps: int
    screen_bps: int
    screen_audio_bps: int


class LimitsInForce(Answer, frozen=True, kw_only=True):
    """How much a room takes now."""

    participants_max: int
    publishers_max: int
    waiting_max: int
    bitrates: BitratesInForce
    resume_window_s: float
    empty_timeout_s: float
    duration_max_s: float | None


class Room(Answer, frozen=True, kw_only=True):
    """A room as it is now."""

    name: RoomText
    door: Door
    limits: LimitsInForce
    metadata: dict[str, Any]
    created_at: datetime | None
    """When this API created it; null if somebody joined before."""
    begun: bool
    """Whether anybody was ever in it."""
    participants: int
    """How many are in it, those who may come back after a broken connection too."""
    waiting: int
    """How many wait to be admitted."""
    spotlight: tuple[str, ...]
    """Participants whom everybody should see large."""
    hands: tuple[str, ...]
    """Participants with a raised hand, in the order in which hands went up."""
    recording: RecordingState


class ControlRecording(Request, frozen=True, kw_only=True):
    """What is to become of the recording of a room."""

    action: Literal["start", "stop", "pause", "resume"]


class RoomList(Answer, frozen=True, kw_only=True):
    """A piece of the list of rooms, by name."""

    rooms: tuple[Room, ...]
    next: str | None
    """Give it back as `after` for what follows; null at the end."""
