"""Which codecs the engine forwards, and whether a viewer can decode what a publisher sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from media.rtp.h264 import h264_distance, parse_packetization_mode, parse_profile
from media.rtp.parameters import MediaKind, RtpCodec

FORWARDED_NAMES: Final[Mapping[MediaKind, frozenset[str]]] = {
    MediaKind.AUDIO: frozenset({"opus"}),
    MediaKind.VIDEO: frozenset({"vp8", "h264", "vp9", "av1"}),
}
"""Encoding names in lower case."""

VIDEO_CLOCK_RATE_HZ: Final = 90_000
OPUS_CLOCK_RATE_HZ: Final = 48_000
OPUS_CHANNELS: Final = 2
"""In signalling always, whatever is encoded (RFC 7587 section 7)."""
VP9_PROFILES: Final = frozenset({"0", "2"})
"""4:2:0 in 8 bits and in 10 or 12 bits: those that browsers offer."""
AV1_PROFILES: Final = ("0", "1", "2")
"""Main, high, professional: each decodes those before it (AV1 specification annex A.2)."""

_EXACT: Final = 0


def match_codec(produced: RtpCodec, offered: Sequence[RtpCodec]) -> RtpCodec | None:
    """Return the offered codec that plays a stream of `produced` best, or None.

    Exact matches come first, then decoders of larger profiles, the closest first; among equals the order offered.
    """
    best: RtpCodec | None = None
    best_distance = 0
    for codec in offered:
        distance = _distance(produced, codec)
        if distance is not None and (best is None or distance < best_distance):
            best, best_distance = codec, distance
    return best


def is_forwarded(kind: MediaKind, codec: RtpCodec) -> bool:
    """Return whether the engine takes this codec: name, clock rate and profile are all ones that it knows."""
    name = codec.name.lower()
    if name not in FORWARDED_NAMES[kind]:
        return False
    match name:
        case "opus":
            return (codec.clock_rate_hz, codec.channels) == (OPUS_CLOCK_RATE_HZ, OPUS_CHANNELS)
        case "h264":
            known = parse_profile(codec.fmtp) is not None and parse_packetization_mode(codec.fmtp) is not None
        case "vp9":
            known = codec.fmtp.get("profile-id", "0") in VP9_PROFILES
        case "av1":
            known = codec.fmtp.get("profile", "0") in AV1_PROFILES
        case _:
            known = True
    return known and codec.clock_rate_hz == VIDEO_CLOCK_RATE_HZ


def _distance(produced: RtpCodec, offered: RtpCodec) -> int | None:
    """Return how far `offered` is from an exact match (0), or None if it cannot play `produced`."""
    name = produced.name.lower()
    if name != offered.name.lower() or produced.clock_rate_hz != offered.clock_rate_hz:
        return None
    match name:
        case "h264":
            return h264_distance(produced.fmtp, offered.fmtp)
        case "vp9":
            return _EXACT if _profile(produced, "profile-id") == _profile(offered, "profile-id") else None
        case "av1":
            return _av1_distance(_profile(produced, "profile"), _profile(offered, "profile"))
        case "vp8" | "opus":
            return _EXACT
        case _:
            return _EXACT if produced.channels == offered.channels else None


def _av1_distance(made: str, played: str) -> int | None:
    if made not in AV1_PROFILES or played not in AV1_PROFILES:
        return None
    distance = AV1_PROFILES.index(played) - AV1_PROFILES.index(made)
    return distance if distance >= 0 else None


def _profile(codec: RtpCodec, parameter: str) -> str:
    """Return a profile parameter, whose default is 0 (RFC 9628 section 6, AV1 RTP specification section 7.2)."""
    return codec.fmtp.get(parameter, "0")
