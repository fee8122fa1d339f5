# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Bounded ring of events from the data-plane thread (one writer) to Python (one reader), woken by an eventfd.

A full ring drops and counts; it never blocks. The upper half is kept for transports that are known, so that a flood of
STUN from strangers cannot push out what running classes need.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from media.native.eventfd cimport halqa_wake

cdef extern from *:
    """
    #include <stdint.h>
    static inline uint32_t halqa_load(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
    static inline void halqa_store(uint32_t *at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_SEQ_CST); }
    """
    uint32_t halqa_load(const uint32_t* at) noexcept nogil
    void halqa_store(uint32_t* at, uint32_t value) noexcept nogil


cdef int ring_init(EventRing* ring, uint32_t slots_power_of_two, int wake_descriptor) noexcept nogil:
    """Prepare an empty ring; -1 if there is no memory."""
    ring.slots = <Event*>calloc(slots_power_of_two, sizeof(Event))
    ring.mask = slots_power_of_two - 1
    ring.head = 0
    ring.tail = 0
    ring.dropped = 0
    ring.wake_descriptor = wake_descriptor
    return 0 if ring.slots != NULL else -1


cdef void ring_free(EventRing* ring) noexcept nogil:
    free(ring.slots)
    ring.slots = NULL


cdef uint32_t ring_used(EventRing* ring) noexcept nogil:
    """Return how many events wait."""
    return halqa_load(&ring.head) - halqa_load(&ring.tail)


cdef Event* ring_reserve(EventRing* ring, bint trusted) noexcept nogil:
    """Return the slot to fill, or NULL (counted) when full; strangers may use half of the ring only."""
    cdef uint32_t used = ring.head - halqa_load(&ring.tail)
    cdef uint32_t limit = ring.mask + 1 if trusted else (ring.mask + 1) // 2
    if used >= limit:
        ring.dropped += 1
        return NULL
    cdef Event* event = &ring.slots[ring.head & ring.mask]
    event.size = 0
    event.transport = 0
    event.first = 0
    event.second = 0
    event.third = 0
    event.fourth = 0
    event.source.length = 0
    return event


cdef void ring_publish(EventRing* ring) noexcept nogil:
    """Make the reserved slot visible; wake the reader if it may have seen an empty ring.

    The tail is read after the head is stored (both sequentially consistent): a reader that found the ring empty before
    the store is always woken, and one that saw the event needs no wake-up.
    """
    cdef uint32_t previous = ring.head
    halqa_store(&ring.head, previous + 1)
    if halqa_load(&ring.tail) == previous:
        halqa_wake(ring.wake_descriptor)


cdef Event* ring_peek(EventRing* ring) noexcept nogil:
    """Return the oldest event, or NULL."""
    if halqa_load(&ring.head) == ring.tail:
        return NULL
    return &ring.slots[ring.tail & ring.mask]


cdef void ring_advance(EventRing* ring) noexcept nogil:
    """Give the oldest slot back."""
    halqa_store(&ring.tail, ring.tail + 1)
