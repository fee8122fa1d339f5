"""H264 in signalling: profiles and packetization modes, and which decoder plays which stream (RFC 6184)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DEFAULT_PROFILE_LEVEL_ID: Final = "42000a"  # baseline, level 1 (RFC 6184 section 8.1)


class H264Profile(enum.Enum):
    """What a stream may use beyond the smallest common part (ITU-T H.264 annex A)."""

    CONSTRAINED_BASELINE = "constrained baseline"
    BASELINE = "baseline"
    MAIN = "main"
    CONSTRAINED_HIGH = "constrained high"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class _ProfilePattern:
    """One row of RFC 6184 table 5: profile_idc, and which bits of profile_iop must have which value."""

    profile_idc: int
    mask: int
    value: int
    profile: H264Profile


_PATTERNS: Final = (
    _ProfilePattern(0x42, 0b0100_1111, 0b0100_0000, H264Profile.CONSTRAINED_BASELINE),
    _ProfilePattern(0x4D, 0b1000_1111, 0b1000_0000, H264Profile.CONSTRAINED_BASELINE),
    _ProfilePattern(0x58, 0b1100_1111, 0b1100_0000, H264Profile.CONSTRAINED_BASELINE),
    _ProfilePattern(0x42, 0b0100_1111, 0b0000_0000, H264Profile.BASELINE),
    _ProfilePattern(0x58, 0b1100_1111, 0b1000_0000, H264Profile.BASELINE),
    _ProfilePattern(0x4D, 0b1010_1111, 0b0000_0000, H264Profile.MAIN),
    _ProfilePattern(0x64, 0b1111_1111, 0b0000_0000, H264Profile.HIGH),
    _ProfilePattern(0x64, 0b1111_1111, 0b0000_1100, H264Profile.CONSTRAINED_HIGH),
)

_DECODED_BY: Final[Mapping[H264Profile, tuple[H264Profile, ...]]] = {
    H264Profile.CONSTRAINED_BASELINE: (
        H264Profile.CONSTRAINED_BASELINE,
        H264Profile.BASELINE,
        H264Profile.MAIN,
        H264Profile.CONSTRAINED_HIGH,
        H264Profile.HIGH,
    ),
    # Slice groups and redundant slices set baseline apart from its constrained form. WebRTC encoders make neither:
    # Chromium offers 42001f first and encodes constrained baseline. Without the second entry Firefox, which offers
    # 42e01f alone, would see nothing.
    H264Profile.BASELINE: (H264Profile.BASELINE, H264Profile.CONSTRAINED_BASELINE),
    H264Profile.MAIN: (H264Profile.MAIN, H264Profile.HIGH),
    H264Profile.CONSTRAINED_HIGH: (H264Profile.CONSTRAINED_HIGH, H264Profile.HIGH),
    H264Profile.HIGH: (H264Profile.HIGH,),
}
"""For each profile those whose decoders play it, the closest first."""

_MODE_STEP: Final = 100
"""Another packetization mode is worse than any difference of profiles."""


def parse_profile(fmtp: Mapping[str, str]) -> H264Profile | None:
    """Return the profile in profile-level-id (RFC 6184 section 8.1), or None if it is malformed or not one of ours."""
    text = fmtp.get("profile-level-id", DEFAULT_PROFILE_LEVEL_ID)
    if len(text) != 6 or not text.isascii() or not text.isalnum():
        return None
    try:
        profile_idc, profile_iop, _level = bytes.fromhex(text)
    except ValueError:
        return None
    for pattern in _PATTERNS:
        if pattern.profile_idc == profile_idc and profile_iop & pattern.mask == pattern.value:
            return pattern.profile
    return None


def parse_packetization_mode(fmtp: Mapping[str, str]) -> int | None:
    """Return 0 (single NAL units) or 1 (aggregates and fragments too); None for interleaved mode 2 and nonsense."""
    return {"0": 0, "1": 1}.get(fmtp.get("packetization-mode", "0"))


def h264_distance(produced: Mapping[str, str], offered: Mapping[str, str]) -> int | None:
    """Return how far a receiver with fmtp `offered` is from an exact match (0), or None if it cannot play `produced`.

    Levels are not compared: browsers offer 3.1 and decode more. Packets of mode 0 suit a receiver of mode 1, never the
    other way round.
    """
    made, played = parse_profile(produced), parse_profile(offered)
    mode_made, mode_played = parse_packetization_mode(produced), parse_packetization_mode(offered)
    if made is None or played is None or mode_made is None or mode_played is None or mode_made > mode_played:
        return None
    decoders = _DECODED_BY[made]
    if played not in decoders:
        return None
    return decoders.index(played) + _MODE_STEP * (mode_played - mode_made)
