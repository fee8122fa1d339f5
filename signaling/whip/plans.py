"""What an offer over WHIP or WHEP is to become in the room: sources of sections, purposes of slots. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from media.rtp.parameters import MediaKind, Mid
from signaling.client_messages import Publish, SlotRequest, ViewRequest
from signaling.codes import ErrorCode
from signaling.grants import Grants
from signaling.identifiers import SlotKind, Source, TrackId
from signaling.layers import Rendition
from signaling.policy import check_publish
from signaling.sdp import (
    NegotiatedOffer,
    NegotiationPolicy,
    PublishSection,
    RejectedSection,
    SdpError,
    SlotSection,
    negotiate,
    parse_offer,
)
from signaling.sdp.errors import quote
from signaling.whip.refusals import Refusal, RefusedError

_SOURCES: Final = {
    "camera": {MediaKind.VIDEO: Source.CAMERA, MediaKind.AUDIO: Source.MICROPHONE},
    "screen": {MediaKind.VIDEO: Source.SCREEN, MediaKind.AUDIO: Source.SCREEN_AUDIO},
}
_PUBLISHING: Final = NegotiationPolicy(receive=frozenset(), publish_sections_max=2, active_dtls=True)
_TRACK_CHARACTERS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """What a viewer asked for in the query."""

    track: TrackId | None = None
    """None: the stage."""
    rendition: Rendition | None = None
    """None: the best there is."""


@dataclass(frozen=True, slots=True)
class Playback:
    """The receive sections of a viewer's offer."""

    slots: tuple[SlotRequest, ...]

    def views(self, track: TrackId, kind: MediaKind) -> list[ViewRequest]:
        """Return what pins a track to the first section of its kind and leaves no other picture.

        Sound goes on beside a video track; RefusedError if no section is of the track's kind.
        """
        fitting = [slot.mid for slot in self.slots if slot.kind.kind is kind]
        if not fitting:
            raise RefusedError(
                Refusal.UNUSABLE_OFFER, f"track {track!r} is {kind.value}, the offer has no such section"
            )
        others = [slot.mid for slot in self.slots if slot.kind.kind is MediaKind.VIDEO and slot.mid != fitting[0]]
        empty = [ViewRequest(mid=mid, track=None) for mid in others]
        return [ViewRequest(mid=fitting[0], track=track), *empty]


def parse_source(query: Mapping[str, str]) -> Mapping[MediaKind, Source]:
    """Return what the sections of a publisher carry; RefusedError for a query that is not understood."""
    _check_names(query, {"source"})
    name = query.get("source", "camera")
    if name not in _SOURCES:
        raise RefusedError(Refusal.BAD_QUERY, f"source is {quote(name)}, expected camera or screen")
    return _SOURCES[name]


def parse_selection(query: Mapping[str, str]) -> Selection:
    """Return what a viewer wants; RefusedError for a query that is not understood."""
    _check_names(query, {"track", "layer"})
    track = query.get("track")
    if track is not None and not 0 < len(track) <= _TRACK_CHARACTERS_MAX:
        raise RefusedError(Refusal.BAD_QUERY, f"track has {len(track)} characters, expected 1 to 64")
    layer = query.get("layer")
    if layer is None:
        return Selection(None if track is None else TrackId(track))
    try:
        return Selection(None if track is None else TrackId(track), Rendition(layer))
    except ValueError:
        raise RefusedError(Refusal.BAD_QUERY, f"layer is {quote(layer)}, expected q, h or f") from None


def plan_publication(offer: str, sources: Mapping[MediaKind, Source], grants: Grants) -> tuple[Publish, ...]:
    """Return what to publish on which section; RefusedError, or RequestError for a source that is not granted.

    All or nothing (RFC 9725 section 4.4.2): one section that cannot be taken refuses the offer.
    """
    negotiated = _negotiate(offer, _PUBLISHING)
    publications: dict[Source, Publish] = {}
    for section in negotiated.sections:
        if not isinstance(section, PublishSection):
            raise _unusable(section, negotiated, "offers to send nothing")
        source = sources[section.producer.kind]
        check_publish(grants, source)
        if source in publications:
            raise RefusedError(Refusal.UNUSABLE_OFFER, f"the offer has two sections of {source.kind.value}")
        publications[source] = Publish(mid=section.mid, source=source)
    return tuple(publications.values())


def plan_playback(offer: str, *, slots_max: int) -> Playback:
    """Return the purpose of every section: the first picture is the stage, further ones are cameras; RefusedError."""
    policy = NegotiationPolicy(publish=frozenset(), slots_max=slots_max, active_dtls=True)
    negotiated = _negotiate(offer, policy)
    slots: list[SlotRequest] = []
    for section in negotiated.sections:
        if not isinstance(section, SlotSection):
            raise _unusable(section, negotiated, "offers to receive nothing")
        slots.append(SlotRequest(mid=section.mid, kind=_purpose(section.consumer.kind, slots)))
    return Playback(tuple(slots))


def _purpose(kind: MediaKind, before: Sequence[SlotRequest]) -> SlotKind:
    if kind is MediaKind.AUDIO:
        return SlotKind.AUDIO
    return SlotKind.VIDEO if any(slot.kind is SlotKind.STAGE for slot in before) else SlotKind.STAGE


def _negotiate(offer: str, policy: NegotiationPolicy) -> NegotiatedOffer:
    try:
        description = parse_offer(offer)
    except SdpError as error:
        raise RefusedError(ErrorCode.BAD_OFFER, str(error)) from error
    try:
        return negotiate(description, policy=policy)
    except SdpError as error:
        raise RefusedError(Refusal.UNUSABLE_OFFER, str(error)) from error


def _unusable(section: object, negotiated: NegotiatedOffer, idle: str) -> RefusedError:
    reason = section.reason if isinstance(section, RejectedSection) else f"It {idle}."
    mids = [each.mid for each in negotiated.sections if each is section]
    return RefusedError(Refusal.UNUSABLE_OFFER, f"section {quote(str(mids[0] or Mid('')))} cannot be taken. {reason}")


def _check_names(query: Mapping[str, str], known: set[str]) -> None:
    names = [name for name, _ in query.items()]  # of a MultiDict, this alone lists a name as often as it is there
    for name in names:
        if name not in known or names.count(name) > 1:
            expected = " or ".join(sorted(known))
            raise RefusedError(Refusal.BAD_QUERY, f"query has {quote(name)}, expected {expected}, each once")
