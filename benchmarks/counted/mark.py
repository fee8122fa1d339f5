"""What every picture says of itself: whose it is and which; 64 bits with a checksum, written as black and white blocks.

The frame is a grid of 16 x 9 cells; the upper four rows are the bits, row by row, most significant first: 8 bits sync,
16 participant, 24 frame counter (Gray code: neighbours differ in one block, which keeps pictures cheap), 16 CRC-CCITT
of the two. A cell is 20 x 20 pixels in the lowest simulcast layer (320 x 180): it survives scaling and coarse coding.
"""

from __future__ import annotations

import binascii
from typing import Final, NamedTuple

COLUMNS: Final = 16
ROWS: Final = 9
MARK_ROWS: Final = 4
BITS: Final = COLUMNS * MARK_ROWS
SYNC: Final = 0b1011_0010
PARTICIPANT_MAX: Final = (1 << 16) - 1
FRAME_MAX: Final = (1 << 24) - 1
"""Six days at 30 frames a second."""


class Mark(NamedTuple):
    """`participant` is a number that the maker of the media chose; `frame` counts from 0."""

    participant: int
    frame: int


def write_bits(mark: Mark) -> int:
    """Return the 64 bits of a mark. ValueError if a number does not fit."""
    if not 0 <= mark.participant <= PARTICIPANT_MAX or not 0 <= mark.frame <= FRAME_MAX:
        raise ValueError(f"{mark} does not fit: participants go to {PARTICIPANT_MAX}, frames to {FRAME_MAX}")
    body = mark.participant << 24 | (mark.frame ^ mark.frame >> 1)
    return SYNC << 56 | body << 16 | binascii.crc_hqx(body.to_bytes(5), 0)


def read_bits(bits: int) -> Mark | None:
    """Return the mark that 64 bits mean, None if they are none or damaged."""
    body = bits >> 16 & (1 << 40) - 1
    if bits >> 56 != SYNC or binascii.crc_hqx(body.to_bytes(5), 0) != bits & 0xFFFF:
        return None
    frame = body & FRAME_MAX
    for shift in (1, 2, 4, 8, 16):
        frame ^= frame >> shift
    return Mark(body >> 24, frame)
