"""H.264 payloads: single NAL units, STAP-A and FU-A of RFC 6184 section 5, and the resolution in a parameter set.

The interleaved packet types (STAP-B, MTAP, FU-B) belong to packetization mode 2, which WebRTC never negotiates.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from media.native.payload cimport PAYLOAD_OK, PAYLOAD_RESERVED, PAYLOAD_TRUNCATED, PayloadFacts
from media.native.payload_bits cimport BitReader, bit_reader, read_bits, read_signed, read_unsigned
from media.native.wire cimport load16

cdef enum:
    NAL_SLICE = 1
    NAL_SLICE_PARTITION = 2
    NAL_SLICE_IDR = 5
    NAL_SUPPLEMENT = 6
    NAL_SEQUENCE_PARAMETERS = 7
    NAL_DELIMITER = 9
    NAL_SINGLE_LAST = 23
    NAL_STAP_A = 24
    NAL_FU_A = 28
    PARAMETERS_MAX = 256  # bytes of a parameter set that are read: the resolution comes early, even after scaling lists
    REFERENCE_CYCLE_MAX = 255  # frames (H.264 section 7.4.2.1.1)


cdef inline int inspect_h264(const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil:
    cdef int kind = payload[0] & 0x1F
    cdef size_t offset = 1, length
    if 1 <= kind <= NAL_SINGLE_LAST:
        _h264_unit(kind, payload + 1, size - 1, True, facts)
        return PAYLOAD_OK
    if kind == NAL_FU_A:
        if size < 2:
            return PAYLOAD_TRUNCATED
        if payload[1] & 0x80:  # S: the fragment that begins the unit
            _h264_unit(payload[1] & 0x1F, payload + 2, size - 2, False, facts)
        return PAYLOAD_OK
    if kind != NAL_STAP_A:
        return PAYLOAD_RESERVED
    while True:
        if size - offset < 2:
            return PAYLOAD_TRUNCATED
        length = load16(payload + offset)
        offset += 2
        if length == 0:
            return PAYLOAD_RESERVED
        if length > size - offset:
            return PAYLOAD_TRUNCATED
        _h264_unit(payload[offset] & 0x1F, payload + offset + 1, length - 1, True, facts)
        offset += length
        if offset == size:
            return PAYLOAD_OK


cdef inline void _h264_unit(int kind, const uint8_t* body, size_t size, bint whole, PayloadFacts* facts) noexcept nogil:
    """Note what the start of a NAL unit tells; `body` is what follows its header."""
    if kind == NAL_SLICE or kind == NAL_SLICE_PARTITION or kind == NAL_SLICE_IDR:
        if size > 0 and body[0] & 0x80:  # first_mb_in_slice is 0, the one-bit code
            facts.frame_start = 1
            if kind == NAL_SLICE_IDR:
                facts.key_frame = 1
    elif NAL_SUPPLEMENT <= kind <= NAL_DELIMITER:  # these stand before the first slice (H.264 section 7.4.1.2.3)
        facts.frame_start = 1
        if kind == NAL_SEQUENCE_PARAMETERS:
            facts.key_frame = 1
            if whole:
                _h264_resolution(body, size, facts)


cdef inline void _h264_resolution(const uint8_t* body, size_t size, PayloadFacts* facts) noexcept nogil:
    """Take width and height from a sequence parameter set (H.264 section 7.3.2.1.1); leave them if it is broken."""
    cdef uint8_t plain[PARAMETERS_MAX]
    cdef BitReader reader = bit_reader(plain, _h264_unescape(body, size, plain))
    cdef uint32_t profile, chroma = 1, columns, rows, fields, unit_x, unit_y
    cdef uint64_t crop_x = 0, crop_y = 0, width, height
    profile = read_bits(&reader, 8)
    read_bits(&reader, 16)  # constraints and level
    read_unsigned(&reader)  # id
    if _h264_has_chroma_format(profile):
        chroma = read_unsigned(&reader)
        if chroma == 3:
            read_bits(&reader, 1)  # separate planes: cropped in the same units
        read_unsigned(&reader)  # bit depths
        read_unsigned(&reader)
        read_bits(&reader, 1)
        if read_bits(&reader, 1):
            _h264_skip_scaling(&reader, 12 if chroma == 3 else 8)
    read_unsigned(&reader)  # log2_max_frame_num
    _h264_skip_order_count(&reader)
    read_unsigned(&reader)  # reference frames
    read_bits(&reader, 1)
    columns = read_unsigned(&reader)
    rows = read_unsigned(&reader)
    fields = 2 - read_bits(&reader, 1)
    if fields == 2:
        read_bits(&reader, 1)
    read_bits(&reader, 1)
    if read_bits(&reader, 1):
        crop_x = read_unsigned(&reader)
        crop_x += read_unsigned(&reader)
        crop_y = read_unsigned(&reader)
        crop_y += read_unsigned(&reader)
    if reader.overrun or chroma > 3:
        return
    unit_x = 2 if chroma == 1 or chroma == 2 else 1
    unit_y = (2 if chroma == 1 else 1) * fields
    # 64 bits hold every value that 32-bit codes can make; what then wraps below zero is refused as too large.
    width = 16 * (<uint64_t>columns + 1) - unit_x * crop_x
    height = 16 * (<uint64_t>rows + 1) * fields - unit_y * crop_y
    if 0 < width <= 0xFFFF and 0 < height <= 0xFFFF:
        facts.width = <uint16_t>width
        facts.height = <uint16_t>height


cdef inline bint _h264_has_chroma_format(uint32_t profile) noexcept nogil:
    """High profiles carry chroma format, bit depths and scaling lists."""
    return profile in (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


cdef inline size_t _h264_unescape(const uint8_t* body, size_t size, uint8_t* plain) noexcept nogil:
    """Copy at most PARAMETERS_MAX bytes without the emulation prevention (H.264 section 7.4.1); how many there are."""
    cdef size_t index, written = 0
    cdef int zeros = 0
    for index in range(size):
        if written == PARAMETERS_MAX:
            break
        if zeros >= 2 and body[index] == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if body[index] == 0 else 0
        plain[written] = body[index]
        written += 1
    return written


cdef inline void _h264_skip_scaling(BitReader* reader, int lists) noexcept nogil:
    """Step over the scaling lists (H.264 section 7.3.2.1.1.1)."""
    cdef int index, entry
    cdef uint32_t last, following
    for index in range(lists):
        if not read_bits(reader, 1):
            continue
        last = following = 8
        for entry in range(16 if index < 6 else 64):
            if following != 0:
                following = (last + read_signed(reader)) & 0xFF
            last = following if following != 0 else last


cdef inline void _h264_skip_order_count(BitReader* reader) noexcept nogil:
    """Step over what tells the picture order count."""
    cdef uint32_t kind = read_unsigned(reader)
    cdef uint32_t index, cycle
    if kind == 0:
        read_unsigned(reader)
    elif kind == 1:
        read_bits(reader, 1)
        read_unsigned(reader)
        read_unsigned(reader)
        cycle = read_unsigned(reader)
        if cycle > REFERENCE_CYCLE_MAX:
            reader.overrun = True
            return
        for index in range(cycle):
            read_unsigned(reader)
