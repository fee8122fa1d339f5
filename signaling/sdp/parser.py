"""From the text of an offer to a SessionDescription."""

from __future__ import annotations

from signaling.sdp.description import SessionDescription
from signaling.sdp.limits import SdpLimits

DEFAULT_LIMITS = SdpLimits()


def parse_offer(text: str, limits: SdpLimits = DEFAULT_LIMITS) -> SessionDescription:
    """Return what an offer says; raise SdpError, and nothing else, whatever the text is. Time is linear in its length."""
    raise NotImplementedError
