"""What a journal tells: one struct an event, in the JSON that the feed, webhooks and the files themselves carry.

The format is for ever, as old journals and other programs read it: fields may be added with a default, none may be
renamed or change its meaning. `control_api/events.md` is the manual.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """Marks an end that nobody saw: the server died, and its successor closed what was open.

    The truth lies between this moment and one heartbeat later.
    """

    boot_id: str
    """The process that died."""
    uptime_s: float
    """The last sign of life of that process on its own clock, so that durations within it stay exact."""


class RoomStarted(msgspec.Struct, frozen=True, kw_only=True, tag="room_started"):
    """Somebody is the first in a room."""

    room: str


class RoomEnded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="room_ended"):
    """A room is no more; everybody has left before."""

    room: str
    reason: str | None = None
    """`inferred` for the end that nobody saw."""
    inferred: Inferred | None = None


class ParticipantJoined(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="participant_joined"):
    """A participant is in the room (not in its waiting room); presence begins."""

    room: str
    participant: str
    """One stay of one person: whoever joins again gets another."""
    identity: str
    """Who it is, as the token said (claim `sub`)."""
    name: str | None = None
    """What the others see."""
    role: str | None = None
    hidden: bool = False
    """The others do not see this participant: an observer, a recorder."""


class ParticipantLeft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="participant_left"):
    """A participant is gone; presence and all its tracks end."""

    room: str
    participant: str
    identity: str
    reason: str
    """`left`, `disconnected`, `replaced`, `timeout`, ..., or `inferred` for the end that nobody saw."""
    inferred: Inferred | None = None
    silent_s: float | None = None
    """As in `ParticipantSuspended`, of who is not waited for, or has no connection but media (WHIP, WHEP)."""


class ParticipantSuspended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="participant_suspended"):
    """The connection of a participant broke; it may come back within a minute. It counts as absent meanwhile."""

    room: str
    participant: str
    identity: str
    silent_s: float | None = None
    """Presence ended so many seconds before the event: it was given up after so long without a sign of life."""


class ParticipantResumed(msgspec.Struct, frozen=True, kw_only=True, tag="participant_resumed"):
    """A suspended participant is back."""

    room: str
    participant: str
    identity: str


class TrackPublished(msgspec.Struct, frozen=True, kw_only=True, tag="track_published"):
    """A participant shows a camera, a screen, or lets itself be heard."""

    room: str
    participant: str
    track: str
    source: str


class TrackUnpublished(msgspec.Struct, frozen=True, kw_only=True, tag="track_unpublished"):
    """A track ended while its participant stays."""

    room: str
    participant: str
    track: str


class RecordingStarted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="recording_started"):
    """A room is recorded from now on."""

    room: str
    recording: str
    """One recording from start to stop, with its pauses."""
    participant: str | None = None
    """Who asked for it; nobody: the server itself."""
    identity: str | None = None


class RecordingPaused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="recording_paused"):
    """Nothing is kept of what is said from now on."""

    room: str
    recording: str
    participant: str | None = None
    identity: str | None = None


class RecordingResumed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="recording_resumed"):
    """The pause is over."""

    room: str
    recording: str
    participant: str | None = None
    identity: str | None = None


class RecordingStopped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="recording_stopped"):
    """A recording is complete; what becomes of it is told by whoever makes files of it."""

    room: str
    recording: str
    participant: str | None = None
    identity: str | None = None
    failure: str | None = None
    """Why the recorder gave up by itself."""


class EventsLost(msgspec.Struct, frozen=True, kw_only=True, tag="events_lost"):
    """Events that will never come: the disk failed for longer than memory could bridge, or a file is damaged."""

    count: int


Event = (
    RoomStarted
    | RoomEnded
    | ParticipantJoined
    | ParticipantLeft
    | ParticipantSuspended
    | ParticipantResumed
    | TrackPublished
    | TrackUnpublished
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | RecordingStopped
    | EventsLost
)

INFERRED: Final = "inferred"

URGENT: Final = (RoomStarted, RoomEnded, ParticipantJoined, ParticipantLeft, EventsLost)
"""Attendance hangs on these: they are on the disk before anybody is told; others may wait a moment for company."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the order of things. (node, boot_id, seq) is unique for ever."""

    node: str
    boot_id: str
    """A new one each time the server process starts."""
    seq: int
    """1, 2, 3 ... within a boot, without holes."""
    at: datetime
    """When it happened, wall clock in UTC."""
    uptime_s: float
    """When it was recorded, in seconds since the boot on a clock that nobody sets: exact for durations in one boot."""
    event: Event


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    """Return the entry as one line of JSON, without a line feed in it."""
    return _encoder.encode(entry)


def decode_entry(payload: bytes) -> Entry:
    """Return the entry; raises msgspec.DecodeError for JSON that is no entry, or has an event of a later version."""
    return _decoder.decode(payload)
