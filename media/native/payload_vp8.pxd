"""VP8 payload descriptors: RFC 7741 section 4.2, and the frame header of section 4.3."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t

from media.native.payload cimport PAYLOAD_OK, PAYLOAD_TRUNCATED, PayloadFacts
from media.native.wire cimport load16

cdef enum:
    VP8_KEY_FRAME_HEADER = 10  # frame tag, start code, width, height (RFC 6386 section 9.1)


cdef inline int inspect_vp8(const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil:
    cdef uint8_t flags
    cdef size_t offset = 1
    cdef bint begins = (payload[0] & 0x17) == 0x10  # S, and partition 0
    if payload[0] & 0x80:  # X: the extension octet
        if size < 2:
            return PAYLOAD_TRUNCATED
        flags = payload[1]
        offset = 2
        if flags & 0x80:  # I
            if size < 4 and (size < 3 or payload[2] & 0x80):
                return PAYLOAD_TRUNCATED
            facts.picture_id_offset = 2
            if payload[2] & 0x80:  # M
                facts.picture_id_bits = 15
                facts.picture_id = load16(payload + 2) & 0x7FFF
                offset = 4
            else:
                facts.picture_id_bits = 7
                facts.picture_id = payload[2]
                offset = 3
        if flags & 0x40:  # L
            if size <= offset:
                return PAYLOAD_TRUNCATED
            facts.tl0_offset = <uint8_t>offset
            facts.tl0 = payload[offset]
            offset += 1
        if flags & 0x30:  # T or K
            if size <= offset:
                return PAYLOAD_TRUNCATED
            if flags & 0x20:
                facts.temporal_id = payload[offset] >> 6
                facts.layer_sync = payload[offset] >> 5 & 1
            offset += 1
    if begins:
        if size <= offset:
            return PAYLOAD_TRUNCATED
        facts.frame_start = 1
        facts.key_frame = ~payload[offset] & 1  # P of the frame tag, inverse
        if facts.key_frame and size - offset >= VP8_KEY_FRAME_HEADER:
            _vp8_resolution(payload + offset, facts)
    return PAYLOAD_OK


cdef inline void _vp8_resolution(const uint8_t* frame, PayloadFacts* facts) noexcept nogil:
    """Width and height of a key frame of at least 10 bytes; the scaling bits above them are a hint for display only."""
    if frame[3] == 0x9D and frame[4] == 0x01 and frame[5] == 0x2A:
        facts.width = <uint16_t>((<uint16_t>frame[7] << 8 | frame[6]) & 0x3FFF)
        facts.height = <uint16_t>((<uint16_t>frame[9] << 8 | frame[8]) & 0x3FFF)
