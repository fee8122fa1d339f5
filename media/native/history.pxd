"""The C face of the packet ring of one encoding: decrypted packets by extended sequence number."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t, uint32_t

from media.native.payload cimport PayloadFacts
from media.native.rtp cimport RtpHeader
from media.native.selection cimport LayerFrame

ctypedef struct HistoryEntry:
    int64_t extended
    uint64_t position  # where its bytes begin, counted from the first byte ever written
    uint64_t arrival_us
    uint16_t size  # 0: nothing here
    RtpHeader header  # zero after history_put; the caller fills it
    PayloadFacts facts  # zero after history_put; the caller fills it
    LayerFrame layers  # zero after history_put; the caller fills it if the stream is layered

ctypedef struct History:
    HistoryEntry* entries
    uint8_t* bytes
    uint64_t entry_mask
    uint64_t byte_capacity
    uint64_t write_position  # of the next packet, counted from the first byte ever written
    int64_t highest  # largest number stored since init or clear; meaningful if `stored` is not 0
    uint64_t stored
    uint64_t duplicates
    uint64_t refused  # too old for the ring, empty, or larger than the ring

# 0; -1 without memory, or if a size is no power of two. history_free is safe after either.
cdef int history_init(History* history, uint32_t entries_power_of_two, uint32_t bytes_power_of_two) noexcept nogil
cdef void history_free(History* history) noexcept nogil

# Copy a packet into the ring. NULL: duplicate, too old for the ring, empty, or larger than the ring.
cdef HistoryEntry* history_put(History* history, int64_t extended, const uint8_t* packet, uint16_t size,
                               uint64_t now_us) noexcept nogil

# NULL if the packet never came, or its slot or its bytes were overwritten.
cdef HistoryEntry* history_get(History* history, int64_t extended) noexcept nogil

# The packet's bytes in one piece, of an entry that history_put or history_get just returned.
cdef const uint8_t* history_bytes(const History* history, const HistoryEntry* entry) noexcept nogil

# Forget every packet; the counters start again.
cdef void history_clear(History* history) noexcept nogil
