"""The C face of strays: sealed packets from addresses that no check came from."""

from libc.stdint cimport uint8_t, uint64_t

from media.native.rows cimport Core, Transport

cdef Transport* find_sender(Core* core, const uint8_t* data, int size, bint is_rtcp, uint64_t now_us) noexcept nogil
