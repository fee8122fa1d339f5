"""RTP payloads of encoded frames and back: VP8 (RFC 7741), H.264 in mode 1 (RFC 6184), Opus (RFC 7587)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.counted.clip import Codec

PAYLOAD_BYTES_MAX: Final = 1180
"""With RTP header, extensions, SRTP tag, UDP and IP headers below the 1280 bytes that every IPv6 path carries."""
PICTURE_ID_END: Final = 1 << 15
_START_CODE: Final = b"\x00\x00\x00\x01"
_NAL_TYPE: Final = 0x1F
_NRI: Final = 0x60
_IDR_SLICE: Final = 5
_STAP_A: Final = 24
_FU_A: Final = 28
_FU_START: Final = 0x80
_FU_END: Final = 0x40


class Packetiser:
    """Turns one encoding's frames into payloads; the last of a frame has the RTP marker bit (not so for Opus)."""

    def __init__(self, codec: Codec, *, first_picture_id: int = 0, bytes_max: int = PAYLOAD_BYTES_MAX) -> None:
        self._codec = codec
        self._bytes_max = bytes_max
        self._picture_id = first_picture_id % PICTURE_ID_END

    def payloads(self, frame: bytes) -> list[bytes]:
        """Return the payloads of the next frame, in order. Parts of a frame are of equal size but for one byte."""
        match self._codec:
            case Codec.VP8:
                made = list(_write_vp8(frame, self._picture_id, self._bytes_max))
                self._picture_id = (self._picture_id + 1) % PICTURE_ID_END
                return made
            case Codec.H264:
                return list(_write_h264(frame, self._bytes_max))
            case Codec.OPUS:
                return [frame]


def join_payloads(codec: Codec, payloads: Sequence[bytes]) -> bytes:
    """Return the frame that the payloads of one RTP timestamp carry, all of them and in order. ValueError if damaged.

    Pieces that are missing are not noticed here but by their sequence numbers.
    """
    match codec:
        case Codec.VP8:
            return b"".join(payload[_vp8_descriptor_bytes(payload) :] for payload in payloads)
        case Codec.H264:
            return b"".join(_read_h264(payloads))
        case Codec.OPUS:
            return b"".join(payloads)


def _write_vp8(frame: bytes, picture_id: int, bytes_max: int) -> Iterator[bytes]:
    # X; then I, L, T: picture id of 15 bits, TL0PICIDX (of one layer: counts frames), temporal id 0 without sync.
    rest = bytes([0xE0]) + (0x8000 | picture_id).to_bytes(2) + bytes([picture_id & 0xFF, 0])
    for index, part in enumerate(_equal_parts(frame, bytes_max - 1 - len(rest))):
        yield bytes([0x90 if index == 0 else 0x80]) + rest + part


def _vp8_descriptor_bytes(payload: bytes) -> int:
    """Return how long a VP8 payload descriptor is (RFC 7741 section 4.2)."""
    try:
        if not payload[0] & 0x80:
            return 1
        extension, length = payload[1], 2
        if extension & 0x80:
            length += 2 if payload[2] & 0x80 else 1
    except IndexError:
        raise ValueError(f"VP8 payload of {len(payload)} bytes ends within its descriptor") from None
    return length + bool(extension & 0x40) + bool(extension & 0x30)


def _write_h264(frame: bytes, bytes_max: int) -> Iterator[bytes]:
    pending: list[bytes] = []  # parameter sets, which go with the slice that follows if they fit
    for unit in split_units(frame):
        if len(unit) <= bytes_max:
            if pending and _stap_bytes([*pending, unit]) > bytes_max:
                yield _aggregate(pending)
                pending = []
            pending.append(unit)
            continue
        if pending:
            yield _aggregate(pending)
            pending = []
        yield from _fragments(unit, bytes_max)
    if pending:
        yield _aggregate(pending)


def split_units(frame: bytes) -> list[bytes]:
    """Return the NAL units of an access unit in Annex B form, without start codes and trailing zeros."""
    units: list[bytes] = []
    start = frame.find(b"\x00\x00\x01")
    while start >= 0:
        end = frame.find(b"\x00\x00\x01", start + 3)
        unit = frame[start + 3 : end if end >= 0 else len(frame)]
        units.append(unit.rstrip(b"\x00") if end >= 0 else unit)
        start = end
    return [unit for unit in units if unit]


def _stap_bytes(units: Sequence[bytes]) -> int:
    return 1 + sum(2 + len(unit) for unit in units)


def _aggregate(units: Sequence[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    importance = max(unit[0] & _NRI for unit in units)
    return bytes([importance | _STAP_A]) + b"".join(len(unit).to_bytes(2) + unit for unit in units)


def _fragments(unit: bytes, bytes_max: int) -> Iterator[bytes]:
    indicator, kind = unit[0] & _NRI | _FU_A, unit[0] & _NAL_TYPE
    parts = _equal_parts(unit[1:], bytes_max - 2)
    for index, part in enumerate(parts):
        flags = _FU_START * (index == 0) | _FU_END * (index == len(parts) - 1)
        yield bytes([indicator, flags | kind]) + part


def _read_h264(payloads: Sequence[bytes]) -> Iterator[bytes]:
    for payload in payloads:
        if len(payload) < 2:
            raise ValueError(f"H.264 payload of {len(payload)} bytes is too short")
        kind = payload[0] & _NAL_TYPE
        if kind == _FU_A:
            if payload[1] & _FU_START:
                yield _START_CODE + bytes([payload[0] & _NRI | payload[1] & _NAL_TYPE])
            yield payload[2:]
        elif kind == _STAP_A:
            yield from _read_stap(payload)
        elif kind < _STAP_A:
            yield _START_CODE + payload
        else:
            raise ValueError(f"H.264 payload of type {kind}: mode 1 has single units, STAP-A and FU-A")


def _read_stap(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at < len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2])
        if end > len(payload):
            raise ValueError(f"STAP-A of {len(payload)} bytes has a unit that ends at {end}")
        yield _START_CODE + payload[at + 2 : end]
        at = end


def _equal_parts(whole: bytes, bytes_max: int) -> list[bytes]:
    count = max(1, -(-len(whole) // bytes_max))
    edges = [len(whole) * index // count for index in range(count + 1)]
    return [whole[start:end] for start, end in itertools.pairwise(edges)]
