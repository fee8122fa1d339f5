"""Bit by bit through a buffer, most significant first: what codec headers are written in. Overruns read as zero."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

ctypedef struct BitReader:
    const uint8_t* data
    size_t size  # bytes
    size_t position  # bits
    bint overrun  # something beyond the end was asked for: no value since then means anything


cdef inline BitReader bit_reader(const uint8_t* data, size_t size) noexcept nogil:
    cdef BitReader reader
    reader.data = data
    reader.size = size
    reader.position = 0
    reader.overrun = False
    return reader


cdef inline uint32_t read_bits(BitReader* reader, int count) noexcept nogil:
    """The next 0 to 32 bits."""
    cdef uint32_t value = 0
    cdef int index
    if reader.overrun or <size_t>count > 8 * reader.size - reader.position:
        reader.overrun = True
        return 0
    for index in range(count):
        value = value << 1 | (reader.data[reader.position >> 3] >> (7 - (reader.position & 7)) & 1)
        reader.position += 1
    return value


cdef inline uint32_t read_unsigned(BitReader* reader) noexcept nogil:
    """An Exp-Golomb code: ue(v) of H.264 section 9.1, uvlc() of AV1 section 4.10.3."""
    cdef int zeros = 0
    while read_bits(reader, 1) == 0:
        zeros += 1
        if reader.overrun or zeros == 32:
            reader.overrun = True  # no value of a header that we read needs more
            return 0
    return (<uint32_t>1 << zeros) - 1 + read_bits(reader, zeros)


cdef inline uint32_t read_signed(BitReader* reader) noexcept nogil:
    """A signed Exp-Golomb code in two's complement: se(v) of H.264 section 9.1.1."""
    cdef uint32_t code = read_unsigned(reader)
    return code // 2 + 1 if code & 1 else 0 - code // 2
