"""The C face of how long a viewer's pictures wait before they are shown."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

ctypedef struct Playout:
    uint8_t steps             # of 10 ms: what the viewer is told now
    uint8_t was_told          # ever: from then on it is told of less, too
    uint64_t changed_us
    uint64_t needed_us        # when as much was last needed

# How many steps of 10 ms a path needs that lost these shares in its last seconds; 0 if it loses nothing to speak of.
cdef int playout_needed(const double* seconds_loss, int seconds, uint32_t round_trip_us) noexcept nogil

# Go toward what is needed, slowly enough that nobody sees it; what to tell with each picture plus 1, 0: nothing.
cdef uint8_t playout_follow(Playout* playout, int needed, uint64_t now_us) noexcept nogil

# Add the delay (a result of playout_follow that is not 0) to a block that build_extensions wrote; its size then.
cdef size_t playout_write(uint8_t* block, size_t size, size_t capacity, uint8_t id, uint8_t delay) noexcept nogil
