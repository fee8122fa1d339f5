"""The C face of loss recovery from one publisher's encoding: which packets to ask for again, and when."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    NACK_PENDING_MAX = 256  # a larger hole is cheaper to mend with a key frame

ctypedef struct NackEntry:
    int64_t extended
    uint64_t due_us  # when to ask, or, after the last time, when to give up
    uint64_t first_asked_us
    uint8_t asked  # how often

ctypedef struct NackGenerator:
    int count
    int given_up  # pushed out of the full table since the last nack_due
    uint64_t next_due_us  # no entry is due earlier; 2^64 - 1 if there is none
    uint64_t recovery_us  # smoothed time from first asking to arrival: the round trip as we see it
    uint64_t asked  # numbers asked for in total, repeats included
    uint64_t arrived  # asked-for packets that came
    uint64_t abandoned  # never came
    uint8_t has_recovery
    NackEntry entries[NACK_PENDING_MAX]  # ascending by extended number

cdef void nack_init(NackGenerator* nack) noexcept nogil

# Register the numbers between two highest ones; how many, or -1 for a gap wider than the table (which is then empty:
# ask a key frame). If only the sum is too much, the oldest are given up and counted by the next nack_due.
cdef int nack_expected(NackGenerator* nack, int64_t previous_highest, int64_t highest, uint64_t now_us) noexcept nogil

# 1 if the packet was awaited (call it for late and for recovered packets).
cdef int nack_arrived(NackGenerator* nack, int64_t extended, uint64_t now_us) noexcept nogil

# Write the 16-bit numbers to ask for now, in order of their extended numbers; how many. `abandoned`: given up since the
# last call. What does not fit stays due.
cdef int nack_due(NackGenerator* nack, uint64_t now_us, uint16_t* numbers, int capacity, int* abandoned) noexcept nogil

# Forget all (at a restart), or all numbers below `extended` (at a key frame); how many. The recovery time is kept.
cdef void nack_clear(NackGenerator* nack) noexcept nogil
cdef int nack_forget_before(NackGenerator* nack, int64_t extended) noexcept nogil
