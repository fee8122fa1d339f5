"""From an offer to decisions: which sections, codecs and header extensions are taken, and as what."""

from __future__ import annotations

from signaling.sdp.description import SessionDescription
from signaling.sdp.negotiated import NegotiatedOffer, NegotiationPolicy

DEFAULT_POLICY = NegotiationPolicy()


def negotiate(offer: SessionDescription, *, policy: NegotiationPolicy = DEFAULT_POLICY) -> NegotiatedOffer:
    """Decide on each section of an offer; raise SdpError if it cannot be answered at all or contradicts itself."""
    raise NotImplementedError
