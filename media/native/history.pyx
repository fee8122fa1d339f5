# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Packet ring of one encoding: each incoming packet is stored once, and every consumer's copy is built from it.

Entries are slots by extended sequence number modulo their count. The bytes lie in a second ring, one packet behind the
other; a packet that would straddle the ring's end begins at its start instead, so that each stays in one piece. Bytes
are told live from overwritten by position alone: the writer never looks for the entries whose bytes it takes.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset


cdef inline bint is_power_of_two(uint32_t value) noexcept nogil:
    return value != 0 and value & (value - 1) == 0


cdef int history_init(History* history, uint32_t entries_power_of_two, uint32_t bytes_power_of_two) noexcept nogil:
    """Prepare an empty ring; -1 without memory, or if a size is no power of two."""
    memset(history, 0, sizeof(History))
    if not is_power_of_two(entries_power_of_two) or not is_power_of_two(bytes_power_of_two):
        return -1
    history.entries = <HistoryEntry*>calloc(entries_power_of_two, sizeof(HistoryEntry))
    history.bytes = <uint8_t*>malloc(bytes_power_of_two)
    if history.entries == NULL or history.bytes == NULL:
        history_free(history)
        return -1
    history.entry_mask = entries_power_of_two - 1
    history.byte_capacity = bytes_power_of_two
    return 0


cdef void history_free(History* history) noexcept nogil:
    """Give the memory back; safe to call twice."""
    free(history.entries)
    free(history.bytes)
    history.entries = NULL
    history.bytes = NULL


cdef HistoryEntry* history_put(History* history, int64_t extended, const uint8_t* packet, uint16_t size,
                               uint64_t now_us) noexcept nogil:
    """Copy a packet into the ring and return its entry, header and facts still zero.

    A number that was stored once stays a duplicate until its slot goes to a newer number, even if its bytes are gone:
    else a packet delayed by more than the ring would be forwarded twice.
    """
    cdef HistoryEntry* entry
    cdef uint64_t offset
    if size == 0 or size > history.byte_capacity:
        history.refused += 1
        return NULL
    if history.stored != 0 and history.highest - extended > <int64_t>history.entry_mask:
        history.refused += 1
        return NULL
    entry = &history.entries[<uint64_t>extended & history.entry_mask]
    if entry.size != 0 and entry.extended == extended:
        history.duplicates += 1
        return NULL

    offset = history.write_position & (history.byte_capacity - 1)
    if offset + size > history.byte_capacity:
        history.write_position += history.byte_capacity - offset
        offset = 0
    memset(entry, 0, sizeof(HistoryEntry))
    entry.extended = extended
    entry.position = history.write_position
    entry.arrival_us = now_us
    entry.size = size
    memcpy(&history.bytes[offset], packet, size)
    history.write_position += size
    if history.stored == 0 or extended > history.highest:
        history.highest = extended
    history.stored += 1
    return entry


cdef HistoryEntry* history_get(History* history, int64_t extended) noexcept nogil:
    """Return the entry of a number, or NULL if it never came or was overwritten."""
    cdef HistoryEntry* entry = &history.entries[<uint64_t>extended & history.entry_mask]
    if entry.size == 0 or entry.extended != extended:
        return NULL
    if history.write_position - entry.position > history.byte_capacity:
        return NULL
    return entry


cdef const uint8_t* history_bytes(const History* history, const HistoryEntry* entry) noexcept nogil:
    """Return the packet's bytes, `entry.size` of them in one piece."""
    return &history.bytes[entry.position & (history.byte_capacity - 1)]


cdef void history_clear(History* history) noexcept nogil:
    """Forget every packet and count anew."""
    memset(history.entries, 0, (history.entry_mask + 1) * sizeof(HistoryEntry))
    history.write_position = 0
    history.highest = 0
    history.stored = 0
    history.duplicates = 0
    history.refused = 0


@cython.final
cdef class PacketHistory:
    """Python face: a ring of `entries` packets and `size_bytes` bytes, both powers of two."""

    cdef History history

    def __cinit__(self, uint32_t entries, uint32_t size_bytes):
        if not is_power_of_two(entries) or not is_power_of_two(size_bytes):
            raise ValueError(f"A ring of {entries} entries and {size_bytes} bytes: both must be powers of two")
        if history_init(&self.history, entries, size_bytes) < 0:
            raise MemoryError

    def __dealloc__(self):
        history_free(&self.history)

    @property
    def stored(self):
        return self.history.stored

    @property
    def duplicates(self):
        return self.history.duplicates

    @property
    def refused(self):
        return self.history.refused

    @property
    def highest(self):
        return self.history.highest if self.history.stored != 0 else None

    def put(self, int64_t extended, const uint8_t[::1] packet not None, uint64_t now_us):
        cdef uint8_t nothing = 0
        cdef const uint8_t* start = &packet[0] if packet.shape[0] > 0 else &nothing
        if packet.shape[0] > 0xFFFF:
            raise ValueError(f"A packet of {packet.shape[0]} bytes, expected at most 65535")
        return history_put(&self.history, extended, start, <uint16_t>packet.shape[0], now_us) != NULL

    def get(self, int64_t extended):
        cdef HistoryEntry* entry = history_get(&self.history, extended)
        if entry == NULL:
            return None
        return (<const char*>history_bytes(&self.history, entry))[:entry.size]

    def arrival_us(self, int64_t extended):
        cdef HistoryEntry* entry = history_get(&self.history, extended)
        return entry.arrival_us if entry != NULL else None

    def clear(self):
        history_clear(&self.history)
