"""Frames of the server to messages, with the patience that protocol.md asks for: what is unknown is passed over."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from signaling.identifiers import ParticipantId, TrackId
from signaling.protocol import decode_server_message
from signaling.server_messages import AnyServerMessage


class SpeakerView(Struct, frozen=True, kw_only=True):
    participant: ParticipantId
    track: TrackId
    level: float


class Speakers(Struct, tag_field="type", tag="speakers", frozen=True, kw_only=True):
    """Who speaks now, the dominant one first."""

    speakers: tuple[SpeakerView, ...]


class QualityView(Struct, frozen=True, kw_only=True):
    participant: ParticipantId
    level: Literal["excellent", "good", "poor", "minimal", "audio", "lost"]


class Quality(Struct, tag_field="type", tag="quality", frozen=True, kw_only=True):
    """How good some connections are."""

    participants: tuple[QualityView, ...]


class EncodingWish(Struct, frozen=True, kw_only=True):
    """How to send one encoding; `rid` is None for a track without simulcast."""

    rid: str | None = None
    active: bool = True
    max_bitrate_bps: int | None = None


class Layers(Struct, tag_field="type", tag="layers", frozen=True, kw_only=True):
    """Which encodings of a track of ours are of use, and how much of them."""

    track: TrackId
    encodings: tuple[EncodingWish, ...]


class Recording(Struct, tag_field="type", tag="recording", frozen=True, kw_only=True):
    """Whether the class is recorded now."""

    seq: int
    state: Literal["off", "active", "paused"]
    re: int | None = None


Optional: TypeAlias = Speakers | Quality | Layers | Recording
"""Messages that only some servers send."""

Heard: TypeAlias = AnyServerMessage | Optional


class Envelope(Struct):
    """As much of a message as even an unknown one has."""

    type: str
    re: int | None = None
    code: str = ""
    message: str = ""


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_OPTIONAL: Final = msgspec.json.Decoder(Optional)
_OPTIONAL_TYPES: Final = frozenset({"speakers", "quality", "layers", "recording"})


def read_message(frame: bytes) -> tuple[Envelope, Heard | None] | None:
    """Return a message and its envelope, without the message if it is not known here; None for what is none."""
    try:
        envelope = _ENVELOPE.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    try:
        if envelope.type in _OPTIONAL_TYPES:
            message: Optional = _OPTIONAL.decode(frame)
            return envelope, message
        return envelope, decode_server_message(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return envelope, None
