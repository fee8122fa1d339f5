"""The C face of how late the repaired pictures of a publisher come."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from media.native.playout cimport Playout

cdef enum:
    LATENESS_SECONDS = 10

ctypedef struct Lateness:
    uint32_t latest_us[LATENESS_SECONDS]  # of each of the last seconds, by its number modulo ten
    uint64_t second           # the last one that something was late in
    uint8_t was_late          # ever
    Playout playout

# A packet came that much later than the one behind it. What is reordering, or beyond help, is not counted.
cdef void lateness_note(Lateness* lateness, uint64_t late_us, uint64_t now_us) noexcept nogil

# What to tell with each picture (a result of playout_follow), 0: nothing, as long as nothing was late.
cdef uint8_t lateness_tell(Lateness* lateness, uint64_t now_us) noexcept nogil
