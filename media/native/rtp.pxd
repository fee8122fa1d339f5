"""The C face of RTP packet parsing: header and extension elements as offsets into the caller's packet."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    RTP_EXTENSIONS_MAX = 16  # Chromium sends at most 10 at once; further elements are ignored

cdef enum:
    RTP_OK = 0
    RTP_TOO_SHORT = -1  # less than the fixed header of 12 bytes
    RTP_BAD_VERSION = -2
    RTP_TRUNCATED_CSRC = -3
    RTP_TRUNCATED_EXTENSION = -4  # the block leaves the packet, or an element leaves the block
    RTP_BAD_PADDING = -5  # padding of zero bytes, or more than there are after the header
    RTP_TOO_LONG = -6  # more than 65535 bytes: no UDP datagram

ctypedef struct RtpExtension:
    uint8_t id
    uint8_t length  # 0 to 255 bytes of value
    uint16_t offset  # of the value, from the packet's start

ctypedef struct RtpHeader:
    uint16_t sequence_number
    uint8_t payload_type
    uint8_t marker
    uint32_t timestamp
    uint32_t ssrc
    uint16_t payload_offset
    uint16_t payload_length  # without the padding
    uint8_t padding_length
    uint8_t extension_count
    RtpExtension extensions[RTP_EXTENSIONS_MAX]

# Fill `header`; RTP_OK or a negative RTP_*, after which the header is filled only in part.
cdef int parse_rtp(const uint8_t* packet, size_t size, RtpHeader* header) noexcept nogil

# The index in `extensions` of the first element with `id`, or -1.
cdef int find_extension(const RtpHeader* header, uint8_t id) noexcept nogil

# Write the extension block (profile, length, elements, zero padding) of those `items` of `packet` whose out_ids[i] is
# not 0, under that id. Return its bytes, a multiple of 4; 0 if there is nothing to write or `capacity` is short.
# Before them stands an element of two zero bytes under the id `first_id`, if that is not 0: at first_extension().
cdef size_t build_extensions(uint8_t* out, size_t capacity, const uint8_t* packet, const RtpExtension* items,
                             const uint8_t* out_ids, int count, uint8_t first_id) noexcept nogil

# Where in a block that build_extensions wrote the value of the first element stands.
cdef size_t first_extension(const uint8_t* block) noexcept nogil
