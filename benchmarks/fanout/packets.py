"""RTP packets as a browser's camera sends them: VP8 with the header extensions of a real call, any size."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

VP8_PAYLOAD_TYPE: Final = 96
VP8_RTX_PAYLOAD_TYPE: Final = 97
VP8_CODEC: Final = 2
CLOCK_RATE_HZ: Final = 90000

MID_ID: Final = 1
TRANSPORT_SEQUENCE_ID: Final = 2
ORIENTATION_ID: Final = 3
# What the ids mean to the native core (its `KIND_*`), for packets that come and for packets that go.
IN_KINDS: Final = bytes(
    {MID_ID: 1, TRANSPORT_SEQUENCE_ID: 4, ORIENTATION_ID: 8}.get(element, 0) for element in range(256)
)
OUT_IDS: Final = bytes({8: 5, 4: 6}.get(kind, 0) for kind in range(64))

OUT_HEADER_BYTES: Final = 24
"""Header and extension block of the copy that a viewer gets: one of the three extensions, and a number of its own."""
STAMP_AT: Final = 16
"""Where in the payload the publisher may write 8 bytes: behind VP8 descriptor and frame header."""

_DELTA_FRAME: Final = b"\x11\x02\x00"
_KEY_FRAME: Final = b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xb4\x00"


_FRAMES_720P30: Final = Path(__file__).with_name("frames_720p30.txt")


def recorded_frames() -> list[int]:
    """Return the bytes of each frame of ten seconds of 720p30 video at 1.5 Mbit/s."""
    lines = _FRAMES_720P30.read_text(encoding="ascii").splitlines()
    return [int(size) for line in lines if not line.startswith("#") for size in line.split()]


def split_frame(size: int, packet_max: int) -> list[int]:
    """Return the sizes of a frame's packets as browsers split it: about equal, the last ones a byte longer."""
    count = -(-size // packet_max)
    short, longer = divmod(size, count)
    return [short] * (count - longer) + [short + 1] * longer


def vp8_payload(picture_id: int, *, key_frame: bool, size: int, start: bool = True) -> bytes:
    """Return one packet's worth of a VP8 frame (RFC 7741 4.2): 15-bit picture id, one temporal layer."""
    picture = 0x8000 | picture_id & 0x7FFF
    descriptor = struct.pack("!BBHBB", 0x90 if start else 0x80, 0xE0, picture, picture_id & 0xFF, 0x20)
    return (descriptor + (_KEY_FRAME if key_frame else _DELTA_FRAME) * start).ljust(size, b"\x5a")


def video_packet(
    number: int,
    ssrc: int,
    mid: bytes,
    payload: bytes,
    *,
    transport_number: int | None = None,
    frame: int | None = None,
    marker: bool = True,
) -> bytes:
    """Return a packet of the frame of that number (30 a second); without one, a frame of one packet."""
    elements = (
        struct.pack("!B", MID_ID << 4 | len(mid) - 1)
        + mid
        + struct.pack(
            "!BH", TRANSPORT_SEQUENCE_ID << 4 | 1, (number if transport_number is None else transport_number) & 0xFFFF
        )
        + struct.pack("!BB", ORIENTATION_ID << 4, 0)
    )
    elements += bytes(-len(elements) % 4)
    timestamp = (number if frame is None else frame) * 3000 & 0xFFFFFFFF
    header = struct.pack("!BBHII", 0x90, marker << 7 | VP8_PAYLOAD_TYPE, number & 0xFFFF, timestamp, ssrc)
    return header + struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements + payload
