"""What a client may say: one struct a message, with the limits of every field.

`protocol.md` is the manual. A field that is not named here makes the whole message a `bad_message`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from signaling.identifiers import Door, Role, SlotKind, Source

SDP_CHARACTERS_MAX: Final = 200_000
"""Chromium writes about 1.2 KB a section; the parser has its own, stricter limits on what is inside."""

SLOTS_MAX: Final = 64
"""Slots in one message; more than fit on one screen, fewer than make a message costly."""

REQUEST_ID_MAX: Final = 2**53 - 1
"""What a JavaScript number holds exactly."""

AUTOMATIC: Final = "auto"
"""In `view`: the server chooses what this slot shows."""

EVERYBODY: Final = "all"
"""Where a participant's id stands otherwise: everybody whom it concerns."""

PARTICIPANTS_NAMED_MAX: Final = 100
"""Participants named in one message; who means more says roles."""

SPOTLIGHT_MAX: Final = 9
"""A grid of three by three is as much as a spotlight can be."""

RequestId: TypeAlias = Annotated[int, Meta(ge=0, le=REQUEST_ID_MAX)]
SdpText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=SDP_CHARACTERS_MAX)]
MidText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32)]
TrackText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
NameText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
ParticipantText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
KeyText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
ReasonText: TypeAlias = Annotated[str, Meta(max_length=200)]
ReactionText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32)]
"""One emoji may be a dozen code points."""
ResumeText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
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
    """Enter the room of the token; the first message of a connection, once. Without an offer: without media."""

    offer: SdpText | None = None
    slots: Annotated[list[SlotRequest], Meta(max_length=SLOTS_MAX)] = []
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
    audience: Annotated[list[Role], Meta(max_length=8)] | None = None


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


class Limit(ClientMessage, tag="limit", frozen=True, kw_only=True):
    """Send me no more pictures than this level stands for; null: as many as my network carries."""

    level: Literal["excellent", "good", "poor", "minimal", "audio"] | None


class Ping(ClientMessage, tag="ping", frozen=True, kw_only=True):
    """Is anybody there; `t` is the client's own clock and comes back."""

    t: int | float


class Leave(ClientMessage, tag="leave", frozen=True, kw_only=True):
    """Goodbye; the server closes the connection with 1000."""


class Resume(ClientMessage, tag="resume", frozen=True, kw_only=True):
    """Come back after the connection broke; the first message of a connection, in the place of `join`."""

    token: ResumeText
    seq: RequestId
    offer: SdpText | None = None


class Hand(ClientMessage, tag="hand", frozen=True, kw_only=True):
    """I raise or lower my hand; a moderator lowers those of others (`all`: everybody's)."""

    raised: bool
    participant: ParticipantText | None = None


class React(ClientMessage, tag="react", frozen=True, kw_only=True):
    """A heart, applause: shown for a moment and forgotten."""

    reaction: ReactionText


class Recipients(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, omit_defaults=True):
    """Everybody who has one of the roles or is one of the participants."""

    roles: Annotated[list[Role], Meta(max_length=8)] = []
    participants: Annotated[list[ParticipantText], Meta(max_length=PARTICIPANTS_NAMED_MAX)] = []


class Send(ClientMessage, tag="send", frozen=True, kw_only=True):
    """A message for others: a line of chat, a stroke on the whiteboard."""

    body: Any
    to: Literal["all"] | Recipients = "all"
    topic: KeyText = "chat"


class SetState(ClientMessage, tag="state", frozen=True, kw_only=True):
    """Keep a value that newcomers are told, too; null forgets it."""

    scope: Literal["room", "own"]
    key: KeyText
    value: Any
    if_version: RequestId | None = None


class Admit(ClientMessage, tag="admit", frozen=True, kw_only=True):
    """Let somebody in who waits."""

    participant: ParticipantText


class SendBack(ClientMessage, tag="send_back", frozen=True, kw_only=True):
    """Put somebody out of the room, who may wait to be admitted again."""

    participant: ParticipantText


class Permit(ClientMessage, tag="permit", frozen=True, kw_only=True):
    """Change what somebody may do, from now on; what is left out stays."""

    participant: ParticipantText
    publish: Annotated[list[Source], Meta(max_length=16)] | None = None
    subscribe: bool | None = None
    send: bool | None = None
    moderate: bool | None = None
    record: bool | None = None


class MuteParticipant(ClientMessage, tag="mute_participant", frozen=True, kw_only=True):
    """Mute somebody's tracks of a source (`all`: of everybody who does not moderate)."""

    participant: ParticipantText
    source: Source = Source.MICROPHONE


class AskUnmute(ClientMessage, tag="ask_unmute", frozen=True, kw_only=True):
    """Ask somebody to unmute or to publish; nobody can do it for them."""

    participant: ParticipantText
    source: Source = Source.MICROPHONE


class Remove(ClientMessage, tag="remove", frozen=True, kw_only=True):
    """Put somebody out, of the room or of the waiting room; with `ban` until the token would have ended."""

    participant: ParticipantText
    reason: ReasonText = ""
    ban: bool = False


class Lock(ClientMessage, tag="lock", frozen=True, kw_only=True):
    """Decide who comes in from now on."""

    door: Door


class Spotlight(ClientMessage, tag="spotlight", frozen=True, kw_only=True):
    """Whom everybody should see large, in this order; an empty list ends it."""

    participants: Annotated[list[ParticipantText], Meta(max_length=SPOTLIGHT_MAX)]


class End(ClientMessage, tag="end", frozen=True, kw_only=True):
    """The class is over for everybody."""

    reason: ReasonText = ""


class Record(ClientMessage, tag="record", frozen=True, kw_only=True):
    """Begin to record the room, or end that; between, a pause keeps nothing."""

    action: Literal["start", "stop", "pause", "resume"]


ConductMessage: TypeAlias = Hand | React | Send | SetState
"""What people do in a class beside their media."""

ModerationMessage: TypeAlias = Admit | SendBack | Permit | MuteParticipant | AskUnmute | Remove | Lock | Spotlight | End
"""What those who moderate decide about others."""

AnyClientMessage: TypeAlias = (
    Join
    | Resume
    | Offer
    | Candidate
    | Publish
    | Unpublish
    | Mute
    | View
    | Limit
    | Ping
    | Leave
    | Hand
    | React
    | Send
    | SetState
    | Admit
    | SendBack
    | Permit
    | MuteParticipant
    | AskUnmute
    | Remove
    | Lock
    | Spotlight
    | End
    | Record
)
