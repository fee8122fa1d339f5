"""AV1 inspection in plain Python: what media/native/payload_av1.pxd must equal."""

from __future__ import annotations

from media.native.payload import Facts
from tests.oracle.payload_reader import NOTHING, BitReader, ByteReader, ForbiddenValueError, TruncatedError

SEQUENCE_HEADER = 1
NEVER_FIRST = {4, 7, 8, 15}  # tile group, redundant frame header, tile list, padding


def inspect_av1(payload: bytes) -> Facts:
    reader = ByteReader(payload)
    first = reader.byte()
    continues, count, new_sequence = first >= 0x80, first >> 4 & 3, bool(first & 0x08)
    if continues and new_sequence:
        raise ForbiddenValueError
    elements = _elements(reader, count)
    facts = NOTHING._replace(key_frame=new_sequence)
    for index, element in enumerate(elements):
        if element and not (continues and index == 0):
            facts = _inspect_unit(ByteReader(element), facts, is_first=index == 0)
    return facts


def _elements(reader: ByteReader, count: int) -> list[bytes]:
    elements: list[bytes] = []
    while len(elements) + 1 != count:
        elements.append(reader.take(_leb128(reader)))
        if not count and not reader.rest:
            return elements
    if not reader.rest:
        raise TruncatedError
    return [*elements, reader.rest]


def _leb128(reader: ByteReader) -> int:
    value = 0
    for index in range(8):
        byte = reader.byte()
        value += byte % 128 << 7 * index
        if byte < 128:
            return value
    raise TruncatedError


def _inspect_unit(reader: ByteReader, facts: Facts, *, is_first: bool) -> Facts:
    header = reader.byte()
    kind = header >> 3 & 15
    if is_first:
        facts = facts._replace(frame_start=kind not in NEVER_FIRST)
    try:
        if header & 0x04:
            layers = reader.byte()
            if facts.temporal_id is None:
                facts = facts._replace(temporal_id=layers >> 5, spatial_id=layers >> 3 & 3)
        if kind == SEQUENCE_HEADER and facts.key_frame:
            if header & 0x02:
                _leb128(reader)
            width, height = _resolution(BitReader(reader.rest))
            if width < 65536 and height < 65536:
                facts = facts._replace(width=width, height=height)
    except TruncatedError:
        pass
    return facts


def _resolution(reader: BitReader) -> tuple[int, int]:
    reader.bits(4)
    if reader.bits(1):
        reader.bits(5)
    else:
        _skip_operating_points(reader)
    width_bits, height_bits = reader.bits(4) + 1, reader.bits(4) + 1
    return reader.bits(width_bits) + 1, reader.bits(height_bits) + 1


def _skip_operating_points(reader: BitReader) -> None:
    delay_bits = 0
    if reader.bits(1):
        reader.bits(64)
        if reader.bits(1):
            reader.unsigned()
        if reader.bits(1):
            delay_bits = reader.bits(5) + 1
            reader.bits(42)
    delays = reader.bits(1)
    for _ in range(reader.bits(5) + 1):
        reader.bits(12)
        reader.bits(1 if reader.bits(5) > 7 else 0)
        if delay_bits and reader.bits(1):
            reader.bits(2 * delay_bits + 1)
        if delays and reader.bits(1):
            reader.bits(4)
