# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What forwarding must know of a payload, and the few bytes that it rewrites: one face for all codecs.

Each codec is one file of inline functions (payload_vp8.pxd ...). Nothing is decoded: descriptors and the first bytes of
headers tell where a decoder can start, which layer a packet belongs to, and how large the picture is.
"""

from typing import NamedTuple

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memset

from media.native.payload_av1 cimport inspect_av1
from media.native.payload_h264 cimport inspect_h264
from media.native.payload_vp8 cimport inspect_vp8
from media.native.payload_vp9 cimport inspect_vp9
from media.native.rtp import MalformedPacket
from media.native.wire cimport load16, store16

cdef enum:
    DESCRIPTOR_MANDATORY = 3  # bytes of a dependency descriptor that are always there
    AUDIO_LEVEL_SILENT = 127


cdef void _clear(PayloadFacts* facts) noexcept nogil:
    memset(facts, 0, sizeof(PayloadFacts))
    facts.temporal_id = LAYER_UNKNOWN
    facts.spatial_id = LAYER_UNKNOWN


cdef int inspect_payload(int codec, const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil:
    cdef int status = PAYLOAD_OTHER_CODEC
    _clear(facts)
    if codec == CODEC_OPUS or codec == CODEC_AUDIO:
        facts.key_frame = 1
        facts.frame_start = 1
        return PAYLOAD_OK
    if codec <= CODEC_NONE or codec > CODEC_VIDEO:
        return PAYLOAD_OTHER_CODEC
    if size == 0:
        return PAYLOAD_EMPTY
    if codec == CODEC_VP8:
        status = inspect_vp8(payload, size, facts)
    elif codec == CODEC_H264:
        status = inspect_h264(payload, size, facts)
    elif codec == CODEC_VP9:
        status = inspect_vp9(payload, size, facts)
    elif codec == CODEC_AV1:
        status = inspect_av1(payload, size, facts)
    else:  # unread video: any packet may be the first that a viewer gets, or none ever would be
        facts.key_frame = 1
        status = PAYLOAD_OK
    if status != PAYLOAD_OK:
        _clear(facts)
    return status


cdef void patch_vp8(uint8_t* payload, const PayloadFacts* facts, uint16_t picture_id, uint8_t tl0) noexcept nogil:
    if facts.picture_id_bits == 15:
        store16(payload + facts.picture_id_offset, picture_id | 0x8000)
    elif facts.picture_id_bits == 7:
        payload[facts.picture_id_offset] = picture_id & 0x7F
    if facts.tl0_offset != 0:
        payload[facts.tl0_offset] = tl0


cdef int peek_dependency_descriptor(const uint8_t* value, size_t size, uint16_t* frame_number,
                                    uint8_t* first_in_frame, uint8_t* structure_present) noexcept nogil:
    # AV1 RTP payload format, appendix A.8.2: S, E, template id (6 bits), frame number (16); extended fields, if there
    # are any, begin with the flag of the structure.
    frame_number[0] = 0
    first_in_frame[0] = 0
    structure_present[0] = 0
    if size < DESCRIPTOR_MANDATORY:
        return PAYLOAD_TRUNCATED
    frame_number[0] = load16(value + 1)
    first_in_frame[0] = value[0] >> 7
    if size > DESCRIPTOR_MANDATORY:
        structure_present[0] = value[DESCRIPTOR_MANDATORY] >> 7
    return PAYLOAD_OK


cdef void patch_dependency_frame_number(uint8_t* value, size_t size, uint16_t frame_number) noexcept nogil:
    if size >= DESCRIPTOR_MANDATORY:
        store16(value + 1, frame_number)


cdef int audio_level(const uint8_t* value, size_t size, uint8_t* level, uint8_t* voice) noexcept nogil:
    if size < 1:
        level[0] = AUDIO_LEVEL_SILENT
        voice[0] = 0
        return PAYLOAD_TRUNCATED
    level[0] = value[0] & 0x7F
    voice[0] = value[0] >> 7
    return PAYLOAD_OK


class Facts(NamedTuple):
    """What a payload tells; layers are None if unknown, `picture_id` and `tl0` if there are none, sizes in pixels."""

    key_frame: bool
    frame_start: bool
    temporal_id: int | None
    spatial_id: int | None
    layer_sync: bool
    picture_id: int | None
    picture_id_bits: int
    picture_id_offset: int
    tl0: int | None
    tl0_offset: int
    width: int
    height: int


class DependencyDescriptor(NamedTuple):
    """The first fields of a dependency descriptor."""

    frame_number: int
    first_in_frame: bool
    structure_present: bool


cdef dict _REASONS = {
    PAYLOAD_EMPTY: "payload is empty",
    PAYLOAD_TRUNCATED: "payload of {} bytes ends within its descriptor",
    PAYLOAD_RESERVED: "payload of {} bytes has a value that its format forbids",
    PAYLOAD_OTHER_CODEC: "payload is of no codec that carries media",
}


def inspect(int codec, bytes payload not None) -> Facts:
    """Return what a payload of a CODEC_* tells; raise MalformedPacket."""
    cdef PayloadFacts facts
    cdef int status = inspect_payload(codec, payload, len(payload), &facts)
    if status != PAYLOAD_OK:
        raise MalformedPacket(_REASONS[status].format(len(payload)))
    return Facts(
        bool(facts.key_frame),
        bool(facts.frame_start),
        facts.temporal_id if facts.temporal_id != LAYER_UNKNOWN else None,
        facts.spatial_id if facts.spatial_id != LAYER_UNKNOWN else None,
        bool(facts.layer_sync),
        facts.picture_id if facts.picture_id_bits else None,
        facts.picture_id_bits,
        facts.picture_id_offset,
        facts.tl0 if facts.tl0_offset else None,
        facts.tl0_offset,
        facts.width,
        facts.height,
    )


def patch_picture(int codec, bytes payload not None, uint16_t picture_id, uint8_t tl0) -> bytes:
    """Return the payload with other ids in the widths that it has; raise MalformedPacket."""
    cdef PayloadFacts facts
    cdef bytearray patched = bytearray(payload)
    cdef int status = inspect_payload(codec, payload, len(payload), &facts)
    if status != PAYLOAD_OK:
        raise MalformedPacket(_REASONS[status].format(len(payload)))
    patch_vp8(patched, &facts, picture_id, tl0)
    return bytes(patched)


def read_descriptor(bytes value not None) -> DependencyDescriptor:
    """Return the first fields of a dependency descriptor; raise MalformedPacket."""
    cdef uint16_t frame_number
    cdef uint8_t first_in_frame, structure_present
    if peek_dependency_descriptor(value, len(value), &frame_number, &first_in_frame, &structure_present) != PAYLOAD_OK:
        raise MalformedPacket(f"dependency descriptor is {len(value)} bytes, expected at least 3")
    return DependencyDescriptor(frame_number, bool(first_in_frame), bool(structure_present))


def patch_descriptor(bytes value not None, uint16_t frame_number) -> bytes:
    """Return the dependency descriptor with another frame number, or as it is if it is too short to have one."""
    cdef bytearray patched = bytearray(value)
    patch_dependency_frame_number(patched, len(patched), frame_number)
    return bytes(patched)


def read_audio_level(bytes value not None) -> tuple[int, bool]:
    """Return the level in -dBov (0 the loudest, 127 silence) and the voice flag (RFC 6464); raise MalformedPacket."""
    cdef uint8_t level, voice
    if audio_level(value, len(value), &level, &voice) != PAYLOAD_OK:
        raise MalformedPacket("audio level is empty, expected a byte")
    return level, bool(voice)
