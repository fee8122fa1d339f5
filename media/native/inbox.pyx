# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""A worker's inbox: bounded, many threads write, one reads. A full one refuses and counts; nobody ever waits for it."""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from media.native.eventfd cimport halqa_wake

cdef extern from *:
    """
    #include <stdint.h>
    static inline uint32_t halqa_letters(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
    static inline void halqa_set_letters(uint32_t *at, uint32_t value) {
        __atomic_store_n(at, value, __ATOMIC_RELEASE);
    }
    """
    int pthread_mutex_init(halqa_inbox_mutex* mutex, void* attributes) noexcept nogil
    int pthread_mutex_destroy(halqa_inbox_mutex* mutex) noexcept nogil
    int pthread_mutex_lock(halqa_inbox_mutex* mutex) noexcept nogil
    int pthread_mutex_unlock(halqa_inbox_mutex* mutex) noexcept nogil
    uint32_t halqa_letters(const uint32_t* at) noexcept nogil
    void halqa_set_letters(uint32_t* at, uint32_t value) noexcept nogil

cdef enum:
    # 6.6 MB, made for workers that share a room only: a quarter of a second of thirty cameras, all from one worker
    SLOTS = 4096


cdef int inbox_put(InboxRing* ring, const Letter* letter, const uint8_t* octets) noexcept nogil:
    """Leave a copy of a letter and its `letter.size` bytes; -1 (counted) if there is no room, or nobody reads."""
    cdef uint32_t head
    cdef LetterSlot* slot
    cdef int result = -1
    pthread_mutex_lock(&ring.mutex)
    head = ring.head
    if ring.accepting and head - halqa_letters(&ring.tail) < SLOTS and letter.size <= sizeof(slot.octets):
        slot = &ring.slots[head % SLOTS]
        slot.letter = letter[0]
        if letter.size:
            memcpy(slot.octets, octets, letter.size)
        halqa_set_letters(&ring.head, head + 1)
        result = 0
    else:
        ring.refused += 1
    pthread_mutex_unlock(&ring.mutex)
    return result


cdef void inbox_wake(InboxRing* ring) noexcept nogil:
    """Wake the reader."""
    pthread_mutex_lock(&ring.mutex)
    if ring.accepting:  # else its descriptor may be somebody else's by now
        halqa_wake(ring.wake_descriptor)
    pthread_mutex_unlock(&ring.mutex)


cdef void inbox_accept(InboxRing* ring, bint accepting) noexcept nogil:
    """Take letters from now on, or refuse them: before the reader's descriptor is closed."""
    pthread_mutex_lock(&ring.mutex)
    ring.accepting = accepting
    pthread_mutex_unlock(&ring.mutex)


cdef uint32_t inbox_waiting(const InboxRing* ring) noexcept nogil:
    """Return how many letters there are to read."""
    return halqa_letters(&ring.head) - ring.tail


cdef LetterSlot* inbox_first(InboxRing* ring) noexcept nogil:
    """Return the oldest letter, which stays until inbox_pop; its bytes may be changed. There must be one."""
    return &ring.slots[ring.tail % SLOTS]


cdef void inbox_pop(InboxRing* ring) noexcept nogil:
    """Give the oldest letter's room back."""
    halqa_set_letters(&ring.tail, ring.tail + 1)


@cython.auto_pickle(False)
cdef class Inbox:
    """Keeps the memory of an inbox, for the worker that reads it and for those that write."""

    def __cinit__(self, int wake_descriptor=-1):
        self.ring = <InboxRing*>calloc(1, sizeof(InboxRing))
        if self.ring == NULL:
            raise MemoryError
        self.ring.slots = <LetterSlot*>calloc(SLOTS, sizeof(LetterSlot))
        if self.ring.slots == NULL:
            free(self.ring)
            self.ring = NULL
            raise MemoryError
        pthread_mutex_init(&self.ring.mutex, NULL)
        self.ring.wake_descriptor = wake_descriptor
        self.ring.accepting = 1

    def __dealloc__(self):
        if self.ring != NULL:
            pthread_mutex_destroy(&self.ring.mutex)
            free(self.ring.slots)
            free(self.ring)

    @property
    def refused(self) -> int:
        """How many letters found no room."""
        return self.ring.refused

    def put(self, bytes octets, uint64_t producer=0) -> bool:
        """Leave a packet: for tests."""
        cdef Letter letter
        letter = Letter(producer, 0, 0, 0, 0, 0, <unsigned short>len(octets), LETTER_PACKET, 0, 0, 0, 0, 0)
        return inbox_put(self.ring, &letter, octets) == 0

    def take(self) -> tuple[int, bytes] | None:
        """Return and remove the oldest packet, (producer, bytes): for tests."""
        cdef LetterSlot* slot
        if inbox_waiting(self.ring) == 0:
            return None
        slot = inbox_first(self.ring)
        taken = (slot.letter.producer, (<char*>slot.octets)[:slot.letter.size])
        inbox_pop(self.ring)
        return taken

    def accept(self, bint accepting) -> None:
        """Take letters from now on, or refuse them."""
        inbox_accept(self.ring, accepting)
