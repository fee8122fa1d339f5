"""The C face of redundancy: sound that repeats what came before it."""

from libc.stdint cimport uint8_t, uint64_t

from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Encoding

cdef int red_depth(Consumer* consumer, uint64_t now_us) noexcept nogil
cdef int write_red(uint8_t* out, Encoding* encoding, const HistoryEntry* entry, uint8_t payload_type,
        int depth) noexcept nogil
