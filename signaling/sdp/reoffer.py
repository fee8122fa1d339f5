"""What a later offer on the same transport changes, and whether it may (RFC 9429 section 5.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from media.rtp.parameters import Mid
from signaling.sdp.negotiated import AcceptedSection, NegotiatedOffer


@dataclass(frozen=True, slots=True)
class OfferChange:
    """What differs from the offer before it. A section whose role changed is both removed and added."""

    ice_restart: bool
    """New ICE credentials: answer with new ones of ours (Transport.restart_ice)."""
    added: tuple[AcceptedSection, ...]
    """To be made in the engine: at the end of the offer, or in the place of a rejected section."""
    removed: tuple[Mid, ...]
    """To be closed in the engine."""
    extensions: Mapping[int, str]
    """Header extension ids that the transport did not know before."""


def compare_offers(previous: NegotiatedOffer, current: NegotiatedOffer) -> OfferChange:
    """Return what `current` changes; raise SdpError where it changes what must stay.

    Sections keep index, mid and kind; extension ids keep their meaning; fingerprints stay, for DTLS is not repeated.
    """
    raise NotImplementedError
