"""H.264 inspection in plain Python: what media/native/payload_h264.pxd must equal."""

from __future__ import annotations

import re

from media.native.payload import Facts
from tests.oracle.payload_reader import NOTHING, BitReader, ByteReader, ForbiddenValueError, TruncatedError

CHROMA_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


def inspect_h264(payload: bytes) -> Facts:
    kind = payload[0] % 32
    if 1 <= kind <= 23:
        return _inspect_unit(kind, payload[1:], NOTHING)
    if kind == 28:
        if len(payload) < 2:
            raise TruncatedError
        facts = _inspect_unit(payload[1] % 32, payload[2:], NOTHING) if payload[1] & 0x80 else NOTHING
        return facts._replace(width=0, height=0)
    if kind != 24:
        raise ForbiddenValueError
    facts = NOTHING
    reader = ByteReader(payload[1:])
    while True:
        length = reader.number(2)
        if length == 0:
            raise ForbiddenValueError
        unit = reader.take(length)
        facts = _inspect_unit(unit[0] % 32, unit[1:], facts)
        if not reader.rest:
            return facts


def _inspect_unit(kind: int, body: bytes, facts: Facts) -> Facts:
    if kind in {1, 2, 5} and body[:1] >= b"\x80":
        facts = facts._replace(frame_start=True, key_frame=facts.key_frame or kind == 5)
    elif kind in {6, 7, 8, 9}:
        facts = facts._replace(frame_start=True)
    if kind == 7:
        facts = facts._replace(key_frame=True)
        try:
            width, height = _resolution(body)
        except TruncatedError:
            return facts
        if 0 < width < 65536 and 0 < height < 65536:
            facts = facts._replace(width=width, height=height)
    return facts


def _unescape(body: bytes) -> bytes:
    """Take out the emulation prevention bytes, and what stands behind the first 256 bytes."""
    return re.sub(rb"\0\0\x03", rb"\0\0", body, flags=re.DOTALL)[:256]


def _resolution(body: bytes) -> tuple[int, int]:
    reader = BitReader(_unescape(body))
    profile = reader.bits(8)
    reader.bits(16)
    reader.unsigned()
    chroma = 1
    if profile in CHROMA_PROFILES:
        chroma = reader.unsigned()
        reader.bits(1 if chroma == 3 else 0)
        reader.unsigned()
        reader.unsigned()
        reader.bits(1)
        if reader.bits(1):
            _skip_scaling_lists(reader, 12 if chroma == 3 else 8)
    reader.unsigned()
    _skip_order_count(reader)
    reader.unsigned()
    reader.bits(1)
    columns, rows = reader.unsigned() + 1, reader.unsigned() + 1
    fields = 2 - reader.bits(1)
    reader.bits(1 if fields == 2 else 0)
    reader.bits(1)
    left = right = top = bottom = 0
    if reader.bits(1):
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
    if chroma > 3:
        raise TruncatedError
    unit_x, unit_y = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}[chroma]
    return 16 * columns - unit_x * (left + right), fields * (16 * rows - unit_y * (top + bottom))


def _skip_scaling_lists(reader: BitReader, lists: int) -> None:
    for index in range(lists):
        if not reader.bits(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + reader.signed()) % 256
            last = following or last


def _skip_order_count(reader: BitReader) -> None:
    kind = reader.unsigned()
    if kind == 0:
        reader.unsigned()
    elif kind == 1:
        reader.bits(1)
        reader.unsigned()
        reader.unsigned()
        cycle = reader.unsigned()
        if cycle > 255:
            raise TruncatedError
        for _ in range(cycle):
            reader.unsigned()
