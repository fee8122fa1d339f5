"""A camera's encoder and packetizer, as far as forwarding can tell: VP8 frames in one or more packets."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.support.native_peer import MID_ID, RID_ID, TRANSPORT_ID, rtp_packet

PACKET_BODY = bytes(range(60))
SCREEN = (320, 180)
TIMESTAMP_STEP = 3000  # 30 frames a second


def vp8_body(
    picture_id: int, tl0: int, *, temporal: int = 0, sync: bool = False, key: bool = False, start: bool = True
) -> bytes:
    """Return a VP8 payload (RFC 7741 section 4.2) with 15-bit picture id and TL0PICIDX."""
    descriptor = struct.pack(
        "!BBHBB",
        0x80 | (0x10 if start else 0),
        0xE0,
        0x8000 | picture_id & 0x7FFF,
        tl0 & 0xFF,
        temporal << 6 | (0x20 if sync else 0),
    )
    if not start:
        return descriptor + PACKET_BODY
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", *SCREEN) if key else b"\x11\x02\x00"
    return descriptor + frame + PACKET_BODY


@dataclass(slots=True)
class Camera:
    """One encoding of a track; each frame takes the numbers that follow those of the one before."""

    ssrc: int
    mid: bytes
    rid: bytes = b""
    number: int = 500
    timestamp: int = 1000
    picture_id: int = 40
    tl0: int = 7
    transport_number: int = 0

    def frame(self, *, key: bool = False, temporal: int = 0, sync: bool = False, packets: int = 1) -> tuple[bytes, ...]:
        """Return the packets of the next frame; the last one has the marker."""
        if temporal == 0:
            self.tl0 = (self.tl0 + 1) & 0xFF
        made = []
        for index in range(packets):
            start = index == 0
            body = vp8_body(self.picture_id, self.tl0, temporal=temporal, sync=sync, key=key, start=start)
            made.append(self.packet(body, marker=index == packets - 1))
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        self.timestamp = (self.timestamp + TIMESTAMP_STEP) & 0xFFFFFFFF
        return tuple(made)

    def packet(self, body: bytes, *, marker: bool = True, padding: int = 0) -> bytes:
        """Return the next packet with this payload; the timestamp stays."""
        extensions = [(MID_ID, self.mid)]
        if self.rid:
            extensions.append((RID_ID, self.rid))
        extensions.append((TRANSPORT_ID, struct.pack("!H", self.transport_number)))
        made = rtp_packet(
            body,
            ssrc=self.ssrc,
            number=self.number,
            timestamp=self.timestamp,
            marker=marker,
            extensions=tuple(extensions),
            padding=padding,
        )
        self.number = (self.number + 1) & 0xFFFF
        self.transport_number = (self.transport_number + 1) & 0xFFFF
        return made
