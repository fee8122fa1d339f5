# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Loss recovery from a publisher (RFC 4585 6.2.1): which packets of one encoding to ask for again, and when.

A hole is left alone for a moment, since most are reordering; then asked for at the pace at which answers come; and
given up after so many times that a key frame is cheaper. The pace needs no clock of RTCP's: the time from first asking
to arrival is the round trip as it matters here.
"""

cimport cython
from libc.stdint cimport int64_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memmove, memset

cdef enum:
    REORDER_GRACE_US = 10000  # two packets of a jittery Wi-Fi queue change places within this
    RETRY_MIN_US = 40000  # faster asks again before the publisher's pacer has let the answer out
    RETRY_MAX_US = 400000  # slower and the viewer's jitter buffer has given up
    RECOVERY_GUESS_US = 100000  # before the first answer: a round trip across a continent
    SURE_SHARE = 8  # of the pace, one part in so many is the last answer's
    DOUBTFUL_SHARE = 64
    ASKS_MAX = 10  # then a key frame is cheaper

cdef uint64_t NEVER_US = 0xFFFFFFFFFFFFFFFF


cdef void nack_init(NackGenerator* nack) noexcept nogil:
    """Begin with nothing awaited."""
    memset(nack, 0, sizeof(NackGenerator))
    nack.next_due_us = NEVER_US
    nack.recovery_us = RECOVERY_GUESS_US


cdef inline uint64_t retry_interval_us(const NackGenerator* nack) noexcept nogil:
    return min(max(nack.recovery_us + nack.recovery_us // 4, <uint64_t>RETRY_MIN_US), <uint64_t>RETRY_MAX_US)


cdef inline int find(const NackGenerator* nack, int64_t extended) noexcept nogil:
    """Return the index of the first entry that is not below `extended`; `count` if there is none."""
    cdef int low = 0
    cdef int high = nack.count
    cdef int middle
    while low < high:
        middle = (low + high) // 2
        if nack.entries[middle].extended < extended:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline void remove(NackGenerator* nack, int first, int number) noexcept nogil:
    """Take `number` entries out, from index `first` on."""
    nack.count -= number
    memmove(&nack.entries[first], &nack.entries[first + number], (nack.count - first) * sizeof(NackEntry))
    if nack.count == 0:
        nack.next_due_us = NEVER_US


cdef int nack_expected(NackGenerator* nack, int64_t previous_highest, int64_t highest, uint64_t now_us) noexcept nogil:
    """Register the numbers between the two; how many, or -1 if the gap is wider than the table, which is then empty."""
    cdef int64_t first = previous_highest + 1
    cdef int64_t extended
    cdef int surplus
    cdef NackEntry* entry
    if highest - first > NACK_PENDING_MAX:
        nack.abandoned += nack.count
        nack_clear(nack)
        return -1
    if nack.count > 0:
        first = max(first, nack.entries[nack.count - 1].extended + 1)
    if highest <= first:
        return 0
    surplus = nack.count + <int>(highest - first) - NACK_PENDING_MAX
    if surplus > 0:
        remove(nack, 0, surplus)
        nack.given_up += surplus
        nack.abandoned += surplus
    for extended in range(first, highest):
        entry = &nack.entries[nack.count]
        entry.extended = extended
        entry.due_us = now_us + REORDER_GRACE_US
        entry.first_asked_us = 0
        entry.asked = 0
        nack.count += 1
    nack.next_due_us = min(nack.next_due_us, now_us + REORDER_GRACE_US)
    return <int>(highest - first)


cdef int nack_arrived(NackGenerator* nack, int64_t extended, uint64_t now_us) noexcept nogil:
    """Take an arrived number out; 1 if it was awaited.

    Whose answer it is that was asked for more than once, nobody knows (RFC 6298 section 3). Counted from the last
    asking, a long round trip would be taken for a short one for ever; from the first, each repeat that is lost would
    slow the pace, just where it matters. So it counts from the first, and little, as soon as anything better is known.
    As little counts what comes long before its answer can: browsers probe with repeats of what they sent last. Asked
    for sooner than a round trip after its repeat a packet does not come: libwebrtc takes that for one question twice.
    """
    cdef int index = find(nack, extended)
    cdef NackEntry* entry = &nack.entries[index]
    cdef uint64_t took_us, share
    cdef bint is_sure
    if index == nack.count or entry.extended != extended:
        return 0
    if entry.asked > 0:
        took_us = now_us - entry.first_asked_us if now_us > entry.first_asked_us else 0
        is_sure = entry.asked == 1 and took_us >= nack.recovery_us - nack.recovery_us // 4
        share = SURE_SHARE if is_sure else DOUBTFUL_SHARE
        nack.recovery_us = ((share - 1) * nack.recovery_us + took_us) // share if nack.has_recovery else took_us
        nack.has_recovery |= entry.asked == 1
        nack.arrived += 1
    remove(nack, index, 1)
    return 1


cdef int nack_due(NackGenerator* nack, uint64_t now_us, uint16_t* numbers, int capacity, int* abandoned) noexcept nogil:
    """Write the numbers to ask for now, count those given up since the last call; how many were written."""
    cdef uint64_t interval_us = retry_interval_us(nack)
    cdef int written = 0
    cdef int kept = 0
    cdef int index
    cdef NackEntry* entry
    abandoned[0] = nack.given_up
    nack.given_up = 0
    if now_us < nack.next_due_us:
        return 0
    nack.next_due_us = NEVER_US
    for index in range(nack.count):
        entry = &nack.entries[index]
        if entry.due_us <= now_us:
            if entry.asked >= ASKS_MAX:
                abandoned[0] += 1
                nack.abandoned += 1
                continue
            if written < capacity:
                numbers[written] = <uint16_t>entry.extended
                written += 1
                entry.first_asked_us = now_us if entry.asked == 0 else entry.first_asked_us
                entry.asked += 1
                entry.due_us = now_us + interval_us
        nack.next_due_us = min(nack.next_due_us, entry.due_us)
        nack.entries[kept] = entry[0]
        kept += 1
    nack.count = kept
    nack.asked += written
    return written


cdef void nack_clear(NackGenerator* nack) noexcept nogil:
    """Forget all numbers; the recovery time and the counters stay."""
    nack.count = 0
    nack.given_up = 0
    nack.next_due_us = NEVER_US


cdef int nack_forget_before(NackGenerator* nack, int64_t extended) noexcept nogil:
    """Forget the numbers below `extended`; how many."""
    cdef int number = find(nack, extended)
    remove(nack, 0, number)
    return number


@cython.final
cdef class LossRecovery:
    """Python face: the NACK state of one encoding."""

    cdef NackGenerator nack

    def __cinit__(self):
        nack_init(&self.nack)

    def expected(self, int64_t previous_highest, int64_t highest, uint64_t now_us):
        return nack_expected(&self.nack, previous_highest, highest, now_us)

    def arrived(self, int64_t extended, uint64_t now_us):
        return nack_arrived(&self.nack, extended, now_us) == 1

    def due(self, uint64_t now_us, int capacity=NACK_PENDING_MAX):
        """Return the numbers to ask for now, and how many were given up since the last call."""
        cdef int abandoned = 0
        cdef int index
        cdef int written
        cdef uint16_t* numbers = <uint16_t*>calloc(max(capacity, 1), sizeof(uint16_t))  # no longer: ASan sees a slip
        if numbers == NULL:
            raise MemoryError
        try:
            written = nack_due(&self.nack, now_us, numbers, capacity, &abandoned)
            return [numbers[index] for index in range(written)], abandoned
        finally:
            free(numbers)

    def clear(self):
        nack_clear(&self.nack)

    def forget_before(self, int64_t extended):
        return nack_forget_before(&self.nack, extended)

    def pending(self):
        cdef int index
        return [self.nack.entries[index].extended for index in range(self.nack.count)]

    def next_due_us(self):
        return None if self.nack.next_due_us == NEVER_US else self.nack.next_due_us

    def counters(self):
        """Return asked, arrived, abandoned, recovery_us."""
        return self.nack.asked, self.nack.arrived, self.nack.abandoned, self.nack.recovery_us
