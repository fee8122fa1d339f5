"""Offers in, answers out: parse_offer -> negotiate -> write_answer. Pure: no I/O, no clock, no randomness."""

from __future__ import annotations

from signaling.sdp.candidate import parse_candidate
from signaling.sdp.description import MediaSection, RemoteCandidate, SessionDescription
from signaling.sdp.errors import SdpError
from signaling.sdp.limits import SdpLimits
from signaling.sdp.negotiate import negotiate
from signaling.sdp.negotiated import (
    AcceptedSection,
    IdleSection,
    NegotiatedOffer,
    NegotiationPolicy,
    PublishSection,
    RejectedSection,
    SlotSection,
    SlotSsrcs,
)
from signaling.sdp.parser import parse_offer
from signaling.sdp.reoffer import OfferChange, compare_offers
from signaling.sdp.writer import write_answer

__all__ = [
    "AcceptedSection",
    "IdleSection",
    "MediaSection",
    "NegotiatedOffer",
    "NegotiationPolicy",
    "OfferChange",
    "PublishSection",
    "RejectedSection",
    "RemoteCandidate",
    "SdpError",
    "SdpLimits",
    "SessionDescription",
    "SlotSection",
    "SlotSsrcs",
    "compare_offers",
    "negotiate",
    "parse_candidate",
    "parse_offer",
    "write_answer",
]
