"""Codec inspection in plain Python: what media/native/payload.pyx must equal. H.264 and AV1 are in files beside it."""

from __future__ import annotations

from media.native import payload as native
from media.native.payload import DependencyDescriptor, Facts
from media.native.rtp import MalformedPacket
from tests.oracle.payload_av1 import inspect_av1
from tests.oracle.payload_h264 import inspect_h264
from tests.oracle.payload_reader import NOTHING, ByteReader, ForbiddenValueError, TruncatedError


def inspect(codec: int, payload: bytes) -> Facts:
    if codec in {native.CODEC_OPUS, native.CODEC_AUDIO}:
        return NOTHING._replace(key_frame=True, frame_start=True)
    if codec not in range(native.CODEC_OPUS, native.CODEC_VIDEO + 1):
        raise MalformedPacket("payload is of no codec that carries media")
    if not payload:
        raise MalformedPacket("payload is empty")
    if codec == native.CODEC_VIDEO:
        return NOTHING._replace(key_frame=True)
    inspectors = {
        native.CODEC_VP8: inspect_vp8,
        native.CODEC_H264: inspect_h264,
        native.CODEC_VP9: inspect_vp9,
        native.CODEC_AV1: inspect_av1,
    }
    try:
        return inspectors[codec](payload)
    except TruncatedError:
        raise MalformedPacket(f"payload of {len(payload)} bytes ends within its descriptor") from None
    except ForbiddenValueError:
        raise MalformedPacket(f"payload of {len(payload)} bytes has a value that its format forbids") from None


def inspect_vp8(payload: bytes) -> Facts:
    reader = ByteReader(payload)
    first = reader.byte()
    facts = NOTHING
    flags = reader.byte() if first & 0x80 else 0
    if flags & 0x80:
        facts = _picture_id(reader, facts)
    if flags & 0x40:
        facts = facts._replace(tl0_offset=reader.position, tl0=reader.byte())
    if flags & 0x30:
        layer = reader.byte()
        if flags & 0x20:
            facts = facts._replace(temporal_id=layer >> 6, layer_sync=bool(layer & 0x20))
    if not first & 0x10 or first & 0x07:
        return facts
    frame = payload[reader.position :]
    if not frame:
        raise TruncatedError
    facts = facts._replace(frame_start=True, key_frame=frame[0] % 2 == 0)
    if facts.key_frame and len(frame) >= 10 and frame[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(frame[at : at + 2], "little") % 2**14 for at in (6, 8))
        facts = facts._replace(width=width, height=height)
    return facts


def _picture_id(reader: ByteReader, facts: Facts) -> Facts:
    position = reader.position
    value = reader.byte()
    if value & 0x80:
        value = value % 128 * 256 + reader.byte()
        return facts._replace(picture_id=value, picture_id_bits=15, picture_id_offset=position)
    return facts._replace(picture_id=value, picture_id_bits=7, picture_id_offset=position)


def inspect_vp9(payload: bytes) -> Facts:
    reader = ByteReader(payload)
    has_picture_id, predicted, layered, flexible, begins, _, structured, _ = _bits(reader.byte())
    facts = NOTHING
    if has_picture_id:
        facts = _picture_id(reader, facts)
    if layered:
        layer = reader.byte()
        facts = facts._replace(temporal_id=layer >> 5, layer_sync=bool(layer & 0x10), spatial_id=layer >> 1 & 7)
        if not flexible:
            facts = facts._replace(tl0_offset=reader.position, tl0=reader.byte())
    if flexible and predicted:
        for _ in range(3):
            if not reader.byte() & 1:
                break
        else:
            raise ForbiddenValueError
    key_frame = begins and not predicted and not facts.spatial_id
    facts = facts._replace(frame_start=begins, key_frame=key_frame)
    if structured:
        sizes = _vp9_layer_sizes(reader)
        if key_frame and sizes:
            width, height = max(sizes, key=lambda size: size[0])
            facts = facts._replace(width=width, height=height) if width else facts
    return facts


def _vp9_layer_sizes(reader: ByteReader) -> list[tuple[int, int]]:
    first = reader.byte()
    sizes = []
    if first & 0x10:
        for _ in range((first >> 5) + 1):
            sizes.append((reader.number(2), reader.number(2)))
    if first & 0x08:
        for _ in range(reader.byte()):
            reader.take(reader.byte() >> 2 & 3)
    return sizes


def _bits(byte: int) -> list[bool]:
    return [digit == "1" for digit in f"{byte:08b}"]


def patch_picture(codec: int, payload: bytes, picture_id: int, tl0: int) -> bytes:
    facts = inspect(codec, payload)
    patched = bytearray(payload)
    at = facts.picture_id_offset
    if facts.picture_id_bits == 15:
        patched[at : at + 2] = (picture_id % 2**15 + 2**15).to_bytes(2, "big")
    elif facts.picture_id_bits == 7:
        patched[at] = picture_id % 2**7
    if facts.tl0 is not None:
        patched[facts.tl0_offset] = tl0
    return bytes(patched)


def read_descriptor(value: bytes) -> DependencyDescriptor:
    if len(value) < 3:
        raise MalformedPacket(f"dependency descriptor is {len(value)} bytes, expected at least 3")
    return DependencyDescriptor(
        int.from_bytes(value[1:3], "big"), value[0] >= 0x80, len(value) > 3 and value[3] >= 0x80
    )


def patch_descriptor(value: bytes, frame_number: int) -> bytes:
    return value[:1] + frame_number.to_bytes(2, "big") + value[3:] if len(value) >= 3 else value


def read_audio_level(value: bytes) -> tuple[int, bool]:
    if not value:
        raise MalformedPacket("audio level is empty, expected a byte")
    return value[0] % 128, value[0] >= 128
