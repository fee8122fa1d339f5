"""AV1 payloads: aggregation header and OBU elements (AV1 RTP payload format, section 4), and the sequence header.

Sections of "AV1" alone are those of the AV1 bitstream specification.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from media.native.payload cimport LAYER_UNKNOWN, PAYLOAD_OK, PAYLOAD_RESERVED, PAYLOAD_TRUNCATED, PayloadFacts
from media.native.payload_bits cimport BitReader, bit_reader, read_bits, read_unsigned

cdef enum:
    OBU_SEQUENCE_HEADER = 1
    OBU_TILE_GROUP = 4
    OBU_REDUNDANT_FRAME_HEADER = 7
    OBU_TILE_LIST = 8
    OBU_PADDING = 15
    LEB128_BYTES_MAX = 8  # AV1 section 4.10.5


cdef inline int inspect_av1(const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil:
    cdef bint continues = payload[0] & 0x80 != 0  # Z
    cdef int elements = payload[0] >> 4 & 3  # W; 0: every element has its length
    cdef int index = 0
    cdef size_t offset = 1
    cdef uint64_t length
    if payload[0] & 0x08:  # N: first packet of a coded video sequence
        if continues:
            return PAYLOAD_RESERVED
        facts.key_frame = 1
    while True:
        index += 1
        if offset >= size:
            return PAYLOAD_TRUNCATED
        if index == elements:
            length = size - offset
        else:
            length = read_leb128(payload, size, &offset)
            if length > size - offset:
                return PAYLOAD_TRUNCATED
        if length > 0 and not (continues and index == 1):
            _av1_unit(payload + offset, <size_t>length, index == 1, facts)
        offset += <size_t>length
        if index == elements or (elements == 0 and offset == size):
            return PAYLOAD_OK


cdef inline uint64_t read_leb128(const uint8_t* data, size_t size, size_t* offset) noexcept nogil:
    """A length of AV1 section 4.10.5, `offset` moved behind it; the largest value if it does not end."""
    cdef uint64_t value = 0
    cdef int index
    for index in range(LEB128_BYTES_MAX):
        if offset[0] >= size:
            break
        value |= <uint64_t>(data[offset[0]] & 0x7F) << (7 * index)
        offset[0] += 1
        if data[offset[0] - 1] & 0x80 == 0:
            return value
    return <uint64_t>-1


cdef inline void _av1_unit(const uint8_t* unit, size_t size, bint first, PayloadFacts* facts) noexcept nogil:
    """Note what the start of an OBU of at least one byte tells (AV1 section 5.3)."""
    cdef int kind = unit[0] >> 3 & 15
    cdef size_t offset = 1
    if first:
        facts.frame_start = (kind != OBU_TILE_GROUP and kind != OBU_REDUNDANT_FRAME_HEADER and kind != OBU_TILE_LIST
                             and kind != OBU_PADDING)
    if unit[0] & 0x04:  # the extension byte
        if size < 2:
            return
        if facts.temporal_id == LAYER_UNKNOWN:
            facts.temporal_id = unit[1] >> 5
            facts.spatial_id = unit[1] >> 3 & 3
        offset = 2
    if kind == OBU_SEQUENCE_HEADER and facts.key_frame:
        if unit[0] & 0x02:  # a size, although the payload format asks to leave it out
            if read_leb128(unit, size, &offset) == <uint64_t>-1:
                return
        _av1_resolution(unit + offset, size - offset, facts)


cdef inline void _av1_resolution(const uint8_t* header, size_t size, PayloadFacts* facts) noexcept nogil:
    """Take the largest width and height from a sequence header (AV1 section 5.5.1); leave them if it is broken."""
    cdef BitReader reader = bit_reader(header, size)
    cdef int width_bits, height_bits
    cdef uint32_t width, height
    read_bits(&reader, 4)  # profile, still picture
    if read_bits(&reader, 1):  # reduced still picture header
        read_bits(&reader, 5)
    else:
        _av1_skip_operating_points(&reader)
    width_bits = read_bits(&reader, 4) + 1
    height_bits = read_bits(&reader, 4) + 1
    width = read_bits(&reader, width_bits) + 1
    height = read_bits(&reader, height_bits) + 1
    if not reader.overrun and width <= 0xFFFF and height <= 0xFFFF:
        facts.width = <uint16_t>width
        facts.height = <uint16_t>height


cdef inline void _av1_skip_operating_points(BitReader* reader) noexcept nogil:
    """Step over timing, decoder model and operating points."""
    cdef bint model = False, delays
    cdef int delay_bits = 0, index, points
    if read_bits(reader, 1):  # timing info (AV1 section 5.5.3)
        read_bits(reader, 32)
        read_bits(reader, 32)
        if read_bits(reader, 1):
            read_unsigned(reader)
        model = read_bits(reader, 1)
        if model:  # decoder model info (AV1 section 5.5.4)
            delay_bits = read_bits(reader, 5) + 1
            read_bits(reader, 32)
            read_bits(reader, 10)
    delays = read_bits(reader, 1)
    points = read_bits(reader, 5) + 1
    for index in range(points):
        read_bits(reader, 12)
        if read_bits(reader, 5) > 7:  # levels above 3.3 have a tier
            read_bits(reader, 1)
        if model and read_bits(reader, 1):
            read_bits(reader, delay_bits)
            read_bits(reader, delay_bits)
            read_bits(reader, 1)
        if delays and read_bits(reader, 1):
            read_bits(reader, 4)
