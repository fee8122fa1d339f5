"""Synthetic VP8 and Opus payloads that say who made them, so that a viewer notices what was routed to it wrongly."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEY_FRAME_TAG = bytes([0x10, 0, 0, 0x9D, 0x01, 0x2A])  # frame tag with P = 0, start code (RFC 6386 section 9.1)
DELTA_FRAME_TAG = bytes([0x11, 0, 0])
DESCRIPTOR = struct.Struct("!BBHBB")  # with 15 bits of picture id, TL0PICIDX and TID/Y (RFC 7741 section 4.2)
OPUS_TOC_BYTES = 1
OPUS_TOC = 0x78  # CELT, 20 ms, mono; no decoder ever sees it


@dataclass(frozen=True, slots=True)
class Mark:
    """Who made a packet, for which room, in which encoding, and the how many-th frame of it."""

    room: str
    identity: str
    encoding: str
    frame: int

    @property
    def author(self) -> str:
        return f"{self.room}/{self.identity}"

    def __bytes__(self) -> bytes:
        return f"<{self.room}/{self.identity}/{self.encoding}/{self.frame}>".encode()


def read_mark(payload: bytes, start: int = OPUS_TOC_BYTES) -> Mark:
    """Return the mark that begins at a byte of a payload; ValueError if it is damaged."""
    end = payload.index(b">", start)
    if payload[start] != ord("<"):
        raise ValueError(f"no mark at byte {start} of {payload[: end + 1].hex()}")
    room, identity, encoding, frame = payload[start + 1 : end].decode().split("/")
    return Mark(room, identity, encoding, int(frame))


@dataclass(frozen=True, slots=True)
class Picture:
    """What the descriptor of a VP8 packet says, and where the frame begins."""

    picture_id: int
    tl0: int
    temporal_id: int
    starts: bool
    """First packet of its frame."""
    is_key: bool
    """First packet of a key frame."""
    mark_at: int
    """Where the mark begins, in bytes."""


def write_vp8(
    mark: Mark,
    *,
    picture_id: int,
    tl0: int,
    temporal_id: int,
    layer_sync: bool,
    key_size: tuple[int, int] | None,
    packets: int,
    filler_bytes: int,
) -> list[bytes]:
    """Return the payloads of one frame; a key frame if it has a size (width, height)."""
    payloads = []
    for number in range(packets):
        descriptor = DESCRIPTOR.pack(
            0x90 if number == 0 else 0x80, 0xE0, 0x8000 | picture_id, tl0, temporal_id << 6 | layer_sync << 5
        )
        frame = b""
        if number == 0:
            frame = DELTA_FRAME_TAG if key_size is None else KEY_FRAME_TAG + struct.pack("<HH", *key_size)
        payloads.append(descriptor + frame + bytes(mark) + bytes(filler_bytes))
    return payloads


def read_vp8(payload: bytes) -> Picture:
    """Return the descriptor of a payload that `write_vp8` made; ValueError if it is another."""
    if len(payload) <= DESCRIPTOR.size:
        raise ValueError(f"VP8 payload of {len(payload)} bytes")
    first, flags, picture_id, tl0, layers = DESCRIPTOR.unpack_from(payload)
    if flags != 0xE0 or not picture_id & 0x8000:
        raise ValueError(f"VP8 descriptor {payload[:6].hex()}")
    starts = bool(first & 0x10)
    is_key = starts and not payload[DESCRIPTOR.size] & 1
    tag = b"" if not starts else DELTA_FRAME_TAG if not is_key else KEY_FRAME_TAG
    size_bytes = 4 if is_key else 0
    return Picture(picture_id & 0x7FFF, tl0, layers >> 6, starts, is_key, DESCRIPTOR.size + len(tag) + size_bytes)


def write_opus(mark: Mark, filler_bytes: int) -> bytes:
    return bytes([OPUS_TOC]) + bytes(mark) + bytes(filler_bytes)
