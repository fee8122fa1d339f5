"""What a later offer on the same transport changes, and whether it may (RFC 9429 section 5.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from media.rtp.parameters import Mid, PayloadType, RtpCodec
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.negotiated import (
    AcceptedSection,
    NegotiatedOffer,
    NegotiatedSection,
    PublishSection,
    RejectedSection,
    codecs_of,
)


@dataclass(frozen=True, slots=True)
class OfferChange:
    """What differs from the offer before it. A section that is no longer what it was is both removed and added."""

    ice_restart: bool
    """New ICE credentials: answer with new ones of ours (Transport.restart_ice)."""
    added: tuple[AcceptedSection, ...]
    """To be made in the engine: at the end of the offer, or in the place of a rejected section."""
    removed: tuple[Mid, ...]
    """To be closed in the engine, before anything is added."""
    extensions: Mapping[int, str]
    """Header extension ids that the transport did not know before."""


def compare_offers(previous: NegotiatedOffer, current: NegotiatedOffer) -> OfferChange:
    """Return what `current` changes; raise SdpError where it changes what must stay.

    Sections keep index, mid and kind; extension ids keep their meaning; fingerprints stay, for DTLS is not repeated.
    """
    if len(current.sections) < len(previous.sections):
        raise SdpError(f"the offer has {len(current.sections)} sections, the one before had {len(previous.sections)}")
    if set(current.remote.fingerprints) != set(previous.remote.fingerprints):
        raise SdpError("the offer has another certificate fingerprint than the one before")
    if current.setup is not previous.setup:
        raise SdpError("the offer turns the DTLS sides round")
    added: list[AcceptedSection] = []
    removed: list[Mid] = []
    for before, after in zip(previous.sections, current.sections, strict=False):
        goes, comes = _compare_sections(before, after)
        removed += goes
        added += comes
    new = current.sections[len(previous.sections) :]
    added += [section for section in new if not isinstance(section, RejectedSection)]
    return OfferChange(
        ice_restart=current.remote.ice != previous.remote.ice,
        added=tuple(added),
        removed=tuple(removed),
        extensions=_new_extensions(previous.remote.extensions, current.remote.extensions),
    )


def _compare_sections(before: NegotiatedSection, after: NegotiatedSection) -> tuple[list[Mid], list[AcceptedSection]]:
    """Return what is to be closed and what is to be made for one index."""
    if isinstance(before, RejectedSection):
        return [], [] if isinstance(after, RejectedSection) else [after]
    if isinstance(after, RejectedSection):
        return [before.mid], []
    if (before.mid, before.offered.line.media) != (after.mid, after.offered.line.media):
        raise SdpError(
            f"section {after.offered.index} was {before.offered.line.media} with mid {quote(before.mid)}, "
            f"and is {after.offered.line.media} with mid {quote(after.mid)}",
            line=after.offered.line.number,
        )
    return ([], []) if _is_same(before, after) else ([before.mid], [after])


def _is_same(before: AcceptedSection, after: AcceptedSection) -> bool:
    """Return whether the engine's object for a section can stay: role, streams and payload types are as before."""
    if type(before) is not type(after) or _payload_map(codecs_of(before)) != _payload_map(codecs_of(after)):
        return False
    if isinstance(before, PublishSection) and isinstance(after, PublishSection):
        return before.producer.encodings == after.producer.encodings
    return True


def _payload_map(codecs: tuple[RtpCodec, ...]) -> dict[PayloadType, tuple[str, int, *tuple[PayloadType | None, ...]]]:
    """Return what a payload type means; neither order nor fmtp, which later offers rearrange."""
    return {
        codec.payload_type: (codec.name.lower(), codec.clock_rate_hz, codec.rtx_payload_type, codec.red_payload_type)
        for codec in codecs
    }


def _new_extensions(before: Mapping[int, str], after: Mapping[int, str]) -> dict[int, str]:
    for extension_id, uri in after.items():
        if before.get(extension_id, uri) != uri:
            raise SdpError(f"header extension id {extension_id} was {quote(before[extension_id])}, and is {quote(uri)}")
    return {extension_id: uri for extension_id, uri in after.items() if extension_id not in before}
