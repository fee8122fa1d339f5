"""What a client may say: one struct a message, with the limits of every field.

`protocol.md` is the manual. A field that is not named here makes the whole message a `bad_message`.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from signaling.identifiers import SlotKind, Source

SDP_CHARACTERS_MAX: Final = 200_000
"""Chromium writes about 1.2 KB a section; the parser has its own, stricter limits on what is inside."""

SLOTS_MAX: Final = 64
"""Slots in one message; more than fit on one screen, fewer than make a message costly."""

REQUEST_ID_MAX: Final = 2**53 - 1
"""What a JavaScript number holds exactly."""

AUTOMATIC: Final = "auto"
"""In `view`: the server chooses what this slot shows."""

RequestId: TypeAlias = Annotated[int, Meta(ge=0, le=REQUEST_ID_MAX)]
SdpText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=SDP_CHARACTERS_MAX)]
MidText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32)]
TrackText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
NameText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
CandidateText: TypeAlias = Annotated[str, Meta(max_length=1024)]
PixelCount: TypeAlias = Annotated[int, Meta(ge=1, le=16_384)]
WantedHeight: TypeAlias = Annotated[float, Meta(ge=1, le=16_384)]
"""In pixels; a fraction is what browsers measure of a tile on a dense screen."""
FrameRate: TypeAlias = Annotated[float, Meta(gt=0, le=240)]


class SlotRequest(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What one receive section of the offer is for."""

    mid: MidText
    kind: SlotKind


class ViewRequest(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What one slot should show. A field left out stays as it is; null sets `height` and `frame_rate` to default."""

    mid: MidText
    track: TrackText | UnsetType | None = UNSET
    height: WantedHeight | UnsetType | None = UNSET
    frame_rate: FrameRate | UnsetType | None = UNSET


class ClientMessage(Struct, tag_field="type", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Any message of a client; `id` comes back as `re` in the answer."""

    id: RequestId | None = None


class Join(ClientMessage, tag="join", frozen=True, kw_only=True):
    """Enter the room of the token; the first message of a connection, once."""

    offer: SdpText
    slots: Annotated[list[SlotRequest], Meta(max_length=SLOTS_MAX)]
    name: NameText | None = None


class Offer(ClientMessage, tag="offer", frozen=True, kw_only=True):
    """Negotiate again: more sections, or an ICE restart."""

    sdp: SdpText
    slots: Annotated[list[SlotRequest], Meta(max_length=SLOTS_MAX)] = []


class Candidate(ClientMessage, tag="candidate", frozen=True, kw_only=True):
    """A candidate of the client; checked and not used (an ICE-lite server answers checks, it makes none)."""

    mid: MidText
    candidate: CandidateText


class Publish(ClientMessage, tag="publish", frozen=True, kw_only=True):
    """Section `mid` of my offer now carries this."""

    mid: MidText
    source: Source
    muted: bool = False
    width: PixelCount | None = None
    height: PixelCount | None = None


class Unpublish(ClientMessage, tag="unpublish", frozen=True, kw_only=True):
    """My track ends; its section is free for another."""

    track: TrackText


class Mute(ClientMessage, tag="mute", frozen=True, kw_only=True):
    """My track stops or goes on."""

    track: TrackText
    muted: bool


class View(ClientMessage, tag="view", frozen=True, kw_only=True):
    """What I want to see in which slot; slots that are not named stay as they are."""

    slots: Annotated[list[ViewRequest], Meta(min_length=1, max_length=SLOTS_MAX)]


class Ping(ClientMessage, tag="ping", frozen=True, kw_only=True):
    """Is anybody there; `t` is the client's own clock and comes back."""

    t: int | float


class Leave(ClientMessage, tag="leave", frozen=True, kw_only=True):
    """Goodbye; the server closes the connection with 1000."""


AnyClientMessage: TypeAlias = Join | Offer | Candidate | Publish | Unpublish | Mute | View | Ping | Leave
