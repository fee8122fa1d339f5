"""RTP header extensions by URI, and which of them mean something on one hop only (RFC 8285)."""

from __future__ import annotations

from typing import Final

MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
"""RFC 9143 section 15: which m= section a packet belongs to."""
RID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
"""RFC 8852: which encoding of simulcast."""
REPAIRED_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
"""RFC 8852: the encoding that a retransmission stream repairs."""
AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""RFC 6464: -dBov and the voice flag."""
MIXER_AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
"""RFC 6465: levels of contributing sources, from mixers."""
VIDEO_ORIENTATION: Final = "urn:3gpp:video-orientation"
TRANSMISSION_OFFSET: Final = "urn:ietf:params:rtp-hdrext:toffset"
"""RFC 5450."""
ENCRYPTED: Final = "urn:ietf:params:rtp-hdrext:encrypt"
"""RFC 6904: stands before the real URI; superseded by Cryptex and never used by browsers by default."""
ABSOLUTE_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_SEQUENCE: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PLAYOUT_DELAY: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
VIDEO_CONTENT_TYPE: Final = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
VIDEO_TIMING: Final = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing"
COLOR_SPACE: Final = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"
VIDEO_LAYERS_ALLOCATION: Final = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
ABSOLUTE_CAPTURE_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
DEPENDENCY_DESCRIPTOR: Final = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

HOP_BY_HOP: Final = frozenset({MID, RID, REPAIRED_RID, TRANSMISSION_OFFSET, ABSOLUTE_SEND_TIME, TRANSPORT_SEQUENCE})
"""Statements about one transport: a forwarded packet must not carry the publisher's value of any of them."""

ID_MAX: Final = 255
"""Of the two-byte form. Greater ids in an offer are provisional only (RFC 8285 section 7)."""
ID_RESERVED: Final = 15
"""Ends the one-byte form; mapped to nothing in either form (RFC 8285 section 4.2)."""


def is_usable_id(extension_id: int) -> bool:
    """Return whether packets can carry this id in the one- or two-byte form."""
    return 1 <= extension_id <= ID_MAX and extension_id != ID_RESERVED
