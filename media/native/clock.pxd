"""The monotonic clock, in microseconds: the one that `time.monotonic` shows in seconds."""

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #ifndef HALQA_CLOCK
    #define HALQA_CLOCK
    #include <stdint.h>
    #include <time.h>

    static inline uint64_t halqa_monotonic_us(void) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        return (uint64_t)at.tv_sec * 1000000u + (uint64_t)at.tv_nsec / 1000u;
    }
    #endif
    """
    uint64_t halqa_monotonic_us() noexcept nogil
