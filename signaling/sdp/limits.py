"""How much of everything one SDP may hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SdpLimits:
    """Bounds of one description. Beyond any of them it is refused with SdpError.

    For scale: Chromium 156 with 4 sections to send on, 14 to receive on and a data channel offers 66 KB in 2,120 lines,
    with at most 166 attributes, 34 formats and 13 header extensions in a section.
    """

    size_characters: int = 256 * 1024
    """Of the whole text, checked before anything else looks at it. Real SDP is ASCII: a character is a byte."""
    lines: int = 10_000
    line_characters: int = 4_096
    """The longest real lines are H264 parameter sets in a=fmtp, a few hundred characters."""
    sections: int = 64
    """Enough for 4 published tracks and 60 slots."""
    attributes_per_section: int = 1_024
    formats_per_section: int = 64
    """There are 96 payload types that do not collide with RTCP (RFC 5761 section 4)."""
    parameters_per_format: int = 32
    feedback_per_format: int = 16
    extensions_per_section: int = 32
    rids_per_section: int = 16
    restrictions_per_rid: int = 16
    sources_per_section: int = 64
    source_groups_per_section: int = 32
    msids_per_section: int = 8
    fingerprints_per_section: int = 8
    candidates_per_section: int = 64
    groups: int = 16
