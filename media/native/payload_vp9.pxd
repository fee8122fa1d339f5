"""VP9 payload descriptors: RFC 9628 section 4.2."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from media.native.payload cimport PAYLOAD_OK, PAYLOAD_RESERVED, PAYLOAD_TRUNCATED, SPATIAL_TOLD, PayloadFacts
from media.native.wire cimport load16

cdef enum:
    VP9_REFERENCES_MAX = 3  # of a picture in flexible mode


cdef inline int inspect_vp9(const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil:
    cdef uint8_t flags = payload[0]  # I P L F B E V Z
    cdef bint predicted = flags & 0x40 != 0
    cdef bint flexible = flags & 0x10 != 0
    cdef bint begins = flags & 0x08 != 0
    cdef bint base_layer = True
    cdef size_t offset = 1
    cdef int references
    if flags & 0x80:
        if size < 3 and (size < 2 or payload[1] & 0x80):
            return PAYLOAD_TRUNCATED
        facts.picture_id_offset = 1
        if payload[1] & 0x80:
            facts.picture_id_bits = 15
            facts.picture_id = load16(payload + 1) & 0x7FFF
            offset = 3
        else:
            facts.picture_id_bits = 7
            facts.picture_id = payload[1]
            offset = 2
    if flags & 0x20:
        if size < offset + (1 if flexible else 2):
            return PAYLOAD_TRUNCATED
        facts.temporal_id = payload[offset] >> 5
        facts.layer_sync = payload[offset] >> 4 & 1
        facts.spatial_id = payload[offset] >> 1 & 7
        facts.inter_layer = payload[offset] & 1
        base_layer = facts.spatial_id == 0
        offset += 1
        if not flexible:
            facts.tl0_offset = <uint8_t>offset
            facts.tl0 = payload[offset]
            offset += 1
    if flexible and predicted:
        for references in range(VP9_REFERENCES_MAX):
            if size <= offset:
                return PAYLOAD_TRUNCATED
            offset += 1
            if payload[offset - 1] & 1 == 0:  # N: another difference follows
                break
        else:
            return PAYLOAD_RESERVED
    facts.frame_start = begins
    facts.frame_end = flags >> 2 & 1
    facts.predicted = predicted
    facts.unreferenced = flags & 1
    facts.key_frame = begins and not predicted and base_layer
    if flags & 0x02:
        return _vp9_structure(payload + offset, size - offset, facts)
    return PAYLOAD_OK


cdef inline int _vp9_structure(const uint8_t* data, size_t size, PayloadFacts* facts) noexcept nogil:
    """The scalability structure: the resolution is that of its largest layer; its picture group is stepped over."""
    cdef size_t offset = 1
    cdef int index, layers, pictures
    if size < 1:
        return PAYLOAD_TRUNCATED
    layers = (data[0] >> 5) + 1
    facts.structure_layers = <uint8_t>layers
    if data[0] & 0x10:  # Y: resolutions
        if size < offset + 4 * <size_t>layers:
            return PAYLOAD_TRUNCATED
        for index in range(layers):
            if facts.key_frame and load16(data + offset) > facts.width:
                facts.width = load16(data + offset)
                facts.height = load16(data + offset + 2)
            if index < SPATIAL_TOLD:
                facts.layer_widths[index] = load16(data + offset)
                facts.layer_heights[index] = load16(data + offset + 2)
            offset += 4
    if data[0] & 0x08:  # G: a picture group
        if size <= offset:
            return PAYLOAD_TRUNCATED
        pictures = data[offset]
        offset += 1
        for index in range(pictures):
            if size <= offset:
                return PAYLOAD_TRUNCATED
            offset += 1 + (data[offset] >> 2 & 3)
        if size < offset:
            return PAYLOAD_TRUNCATED
    return PAYLOAD_OK
