# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""RTP packets read in place: the header of RFC 3550 section 5.1 and the header extensions of RFC 8285.

Parsing copies no byte: a header says where in the packet its extension values and its payload lie. The block of
extensions is the one part that we write anew for each receiver, because ids are negotiated with each.
"""

from typing import NamedTuple

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memcpy, memset

from media.native.wire cimport load16, load32, store16

cdef enum:
    FIXED_HEADER = 12  # bytes before the CSRCs
    PACKET_MAX = 65535  # offsets have 16 bits
    PROFILE_ONE_BYTE = 0xBEDE
    PROFILE_TWO_BYTE = 0x1000  # the low 4 bits belong to the application
    ONE_BYTE_STOP = 15  # this id, or 0 with a length, ends a one-byte block (RFC 8285 section 4.2)
    ONE_BYTE_VALUE_MAX = 16
    FIRST_VALUE = 2  # bytes of the element that build_extensions leaves room for


class MalformedPacket(ValueError):
    """Bytes that are no packet of the kind asked for."""


class Header(NamedTuple):
    """An RTP header; offsets and lengths in bytes, `payload_length` without the padding."""

    sequence_number: int
    payload_type: int
    marker: bool
    timestamp: int
    ssrc: int
    payload_offset: int
    payload_length: int
    padding_length: int
    extensions: tuple[tuple[int, bytes], ...]


cdef dict _REASONS = {
    RTP_TOO_SHORT: "RTP packet is {} bytes, expected at least 12",
    RTP_BAD_VERSION: "RTP packet of {} bytes is not of version 2",
    RTP_TRUNCATED_CSRC: "RTP packet of {} bytes ends within its CSRC list",
    RTP_TRUNCATED_EXTENSION: "RTP packet of {} bytes has a header extension that leaves its bounds",
    RTP_BAD_PADDING: "RTP packet of {} bytes has no valid padding length in its last byte",
    RTP_TOO_LONG: "RTP packet is {} bytes, expected at most 65535",
}


cdef int parse_rtp(const uint8_t* packet, size_t size, RtpHeader* header) noexcept nogil:
    cdef size_t offset, block_end
    cdef int status
    cdef uint16_t profile
    memset(header, 0, sizeof(RtpHeader))
    if size < FIXED_HEADER:
        return RTP_TOO_SHORT
    if size > PACKET_MAX:
        return RTP_TOO_LONG
    if packet[0] >> 6 != 2:
        return RTP_BAD_VERSION
    header.marker = packet[1] >> 7
    header.payload_type = packet[1] & 0x7F
    header.sequence_number = load16(packet + 2)
    header.timestamp = load32(packet + 4)
    header.ssrc = load32(packet + 8)
    offset = FIXED_HEADER + 4 * (packet[0] & 0x0F)
    if offset > size:
        return RTP_TRUNCATED_CSRC
    if packet[0] & 0x10:
        if size - offset < 4:
            return RTP_TRUNCATED_EXTENSION
        profile = load16(packet + offset)
        block_end = offset + 4 + 4 * <size_t>load16(packet + offset + 2)
        if block_end > size:
            return RTP_TRUNCATED_EXTENSION
        status = _parse_elements(packet, offset + 4, block_end, profile, header)
        if status != RTP_OK:
            return status
        offset = block_end
    if packet[0] & 0x20:
        if offset == size or packet[size - 1] == 0 or packet[size - 1] > size - offset:
            return RTP_BAD_PADDING
        header.padding_length = packet[size - 1]
    header.payload_offset = <uint16_t>offset
    header.payload_length = <uint16_t>(size - offset - header.padding_length)
    return RTP_OK


cdef int _parse_elements(const uint8_t* packet, size_t offset, size_t end, uint16_t profile,
                         RtpHeader* header) noexcept nogil:
    """Note the elements between `offset` and `end`; a profile that is not of RFC 8285 has none."""
    cdef bint one_byte = profile == PROFILE_ONE_BYTE
    cdef uint8_t id
    cdef size_t length
    cdef RtpExtension* element
    if not one_byte and profile & 0xFFF0 != PROFILE_TWO_BYTE:
        return RTP_OK
    while offset < end:
        if packet[offset] == 0:  # padding: a single byte in both forms
            offset += 1
            continue
        id = packet[offset] >> 4 if one_byte else packet[offset]
        if one_byte:
            if id == 0 or id == ONE_BYTE_STOP:  # id 0 with a length ends the block too
                return RTP_OK
            length = (packet[offset] & 0x0F) + 1
            offset += 1
        else:
            if end - offset < 2:
                return RTP_TRUNCATED_EXTENSION
            length = packet[offset + 1]
            offset += 2
        if length > end - offset:
            return RTP_TRUNCATED_EXTENSION
        if header.extension_count < RTP_EXTENSIONS_MAX:
            element = &header.extensions[header.extension_count]
            element.id = id
            element.length = <uint8_t>length
            element.offset = <uint16_t>offset
            header.extension_count += 1
        offset += length
    return RTP_OK


cdef int find_extension(const RtpHeader* header, uint8_t id) noexcept nogil:
    cdef int index
    for index in range(header.extension_count):
        if header.extensions[index].id == id:
            return index
    return -1


cdef size_t build_extensions(uint8_t* out, size_t capacity, const uint8_t* packet, const RtpExtension* items,
                             const uint8_t* out_ids, int count, uint8_t first_id) noexcept nogil:
    cdef bint one_byte = first_id < ONE_BYTE_STOP
    cdef int index
    cdef size_t values = 0, elements = 0, needed, position
    if first_id:
        elements += 1
        values += FIRST_VALUE
    for index in range(count):
        if out_ids[index] == 0:
            continue
        elements += 1
        values += items[index].length
        if out_ids[index] >= ONE_BYTE_STOP or items[index].length == 0 or items[index].length > ONE_BYTE_VALUE_MAX:
            one_byte = False
    needed = values + elements * (1 if one_byte else 2)
    needed = 4 + (needed + 3) // 4 * 4
    if elements == 0 or needed > capacity or needed > PACKET_MAX:
        return 0
    store16(out, PROFILE_ONE_BYTE if one_byte else PROFILE_TWO_BYTE)
    store16(out + 2, <uint16_t>(needed // 4 - 1))
    position = 4
    if first_id:
        if one_byte:
            out[4] = <uint8_t>(first_id << 4 | (FIRST_VALUE - 1))
        else:
            out[4] = first_id
            out[5] = FIRST_VALUE
        position = first_extension(out)
        store16(out + position, 0)
        position += FIRST_VALUE
    for index in range(count):
        if out_ids[index] == 0:
            continue
        if one_byte:
            out[position] = <uint8_t>(out_ids[index] << 4 | (items[index].length - 1))
            position += 1
        else:
            out[position] = out_ids[index]
            out[position + 1] = items[index].length
            position += 2
        memcpy(out + position, packet + items[index].offset, items[index].length)
        position += items[index].length
    memset(out + position, 0, needed - position)
    return needed


cdef size_t first_extension(const uint8_t* block) noexcept nogil:
    return 5 if load16(block) == PROFILE_ONE_BYTE else 6


def parse_header(bytes packet not None) -> Header:
    """Return the header of an RTP packet; raise MalformedPacket. At most 16 extension elements are told."""
    cdef RtpHeader header
    cdef const uint8_t* start = packet
    cdef int index
    cdef int status = parse_rtp(start, len(packet), &header)
    if status != RTP_OK:
        raise MalformedPacket(_REASONS[status].format(len(packet)))
    extensions = []
    for index in range(header.extension_count):
        offset = header.extensions[index].offset
        extensions.append((header.extensions[index].id, packet[offset:offset + header.extensions[index].length]))
    return Header(
        header.sequence_number, header.payload_type, bool(header.marker), header.timestamp, header.ssrc,
        header.payload_offset, header.payload_length, header.padding_length, tuple(extensions),
    )


def write_extensions(list items not None, uint8_t first_id=0) -> bytes:
    """Return the extension block of up to 16 (id, value) elements, ids 1 to 255, values up to 255 bytes; b"" of none.

    Before them stands an element of two zero bytes under `first_id`, if that is not 0. ValueError if one does not
    fit these ranges.
    """
    cdef RtpExtension elements[RTP_EXTENSIONS_MAX]
    cdef uint8_t ids[RTP_EXTENSIONS_MAX]
    cdef uint8_t out[4 + 2 + FIRST_VALUE + RTP_EXTENSIONS_MAX * 257 + 3]
    cdef int count = len(items)
    cdef size_t written
    if count > RTP_EXTENSIONS_MAX:
        raise ValueError(f"{count} extension elements, expected at most {RTP_EXTENSIONS_MAX}")
    values = b"".join(value for _, value in items)
    offset = 0
    for index, (id, value) in enumerate(items):
        if not 1 <= id <= 255 or len(value) > 255:
            raise ValueError(f"extension element {id} of {len(value)} bytes, expected id 1 to 255, at most 255 bytes")
        ids[index] = id
        elements[index].id = id
        elements[index].length = len(value)
        elements[index].offset = offset
        offset += len(value)
    written = build_extensions(out, sizeof(out), values, elements, ids, count, first_id)
    return out[:written]
