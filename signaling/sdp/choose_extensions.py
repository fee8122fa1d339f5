"""Which header extensions of a section are taken, and the one table of ids of a BUNDLE group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from media.rtp.extensions import (
    ABSOLUTE_SEND_TIME,
    DEPENDENCY_DESCRIPTOR,
    ENCRYPTED,
    ID_RESERVED,
    REPAIRED_RID,
    RID,
    TRANSMISSION_OFFSET,
    is_usable_id,
)
from media.rtp.parameters import RtpCodec
from signaling.sdp.description import Direction, HeaderExtension, MediaSection
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.negotiated import AcceptedSection

_REFUSED_FROM_PUBLISHERS: Final = frozenset({ENCRYPTED, TRANSMISSION_OFFSET})
_REFUSED_TO_VIEWERS: Final = _REFUSED_FROM_PUBLISHERS | {ABSOLUTE_SEND_TIME, RID, REPAIRED_RID}
"""The path to a viewer is estimated by transport-wide numbers, and a slot is one stream."""

_REVERSED: Final = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


def choose_extensions(section: MediaSection) -> tuple[HeaderExtension, ...]:
    """Return the taken extensions in the order of the offer, their directions as we answer them."""
    refused = _REFUSED_FROM_PUBLISHERS if section.direction.sends else _REFUSED_TO_VIEWERS
    taken: dict[str, HeaderExtension] = {}
    for offered in section.extensions:
        flows = offered.direction.sends if section.direction.sends else offered.direction.receives
        if flows and offered.uri not in refused and _is_usable(offered, section):
            taken.setdefault(offered.uri, HeaderExtension(offered.id, offered.uri, _REVERSED[offered.direction]))
    return tuple(taken.values())


def suit_codec(extensions: tuple[HeaderExtension, ...], codecs: tuple[RtpCodec, ...]) -> tuple[HeaderExtension, ...]:
    """Return the extensions that a publish section takes with these codecs, the first of which is what will be sent.

    Chromium leaves picture id, TL0PICIDX and temporal id out of VP8's own descriptor once the dependency descriptor is
    negotiated. We choose VP8's temporal layers by its own descriptor (RFC 7741), so with VP8 the other is not taken.
    """
    if codecs[0].name.lower() != "vp8":
        return extensions
    return tuple(extension for extension in extensions if extension.uri != DEPENDENCY_DESCRIPTOR)


def join_extensions(sections: Iterable[AcceptedSection]) -> dict[int, str]:
    """Return URIs by id of all that was taken; raise SdpError if an id or a URI has two meanings in the BUNDLE group.

    Ids are compared as offered, taken or not (RFC 9143 section 9.1 with RFC 8285 section 5).
    """
    offered: dict[int, str] = {}
    uris: dict[int, str] = {}
    ids: dict[str, int] = {}
    for section in sections:
        at = section.offered.line.number
        for extension in section.offered.extensions:
            known = offered.setdefault(extension.id, extension.uri)
            if is_usable_id(extension.id) and known != extension.uri:
                raise SdpError(
                    f"header extension id {extension.id} is {quote(known)} and {quote(extension.uri)} in one BUNDLE",
                    line=at,
                )
        for extension in section.extensions:
            known_id = ids.setdefault(extension.uri, extension.id)
            if known_id != extension.id:
                raise SdpError(
                    f"{quote(extension.uri)} has the ids {known_id} and {extension.id} in one BUNDLE", line=at
                )
            uris[extension.id] = extension.uri
    return uris


def _is_usable(extension: HeaderExtension, section: MediaSection) -> bool:
    """Ids above 14 need the two-byte form, which may join the other only with extmap-allow-mixed (RFC 8285 4.1.2)."""
    return is_usable_id(extension.id) and (extension.id < ID_RESERVED or section.extmap_allow_mixed)
