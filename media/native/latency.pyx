# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Forward latency: from a datagram's arrival at the socket until the copies of its batch went out, as a histogram.

One clock reading and one count a batch. The arrival is the kernel's own note, so that the time in the socket's queue,
while the thread waited for a processor, is part of it.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t

from media.native.udp cimport ReceiveBatch, msghdr

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <time.h>

    static inline void halqa_note_arrivals(int descriptor) {
        int on = 1;
        if (setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) { /* then nothing is measured */ }
    }
    static inline int64_t halqa_age_us(struct msghdr *message) {
        struct cmsghdr *part;
        struct timespec arrived, now;
        for (part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
            memcpy(&arrived, CMSG_DATA(part), sizeof arrived);
            clock_gettime(CLOCK_REALTIME, &now);
            return (int64_t)(now.tv_sec - arrived.tv_sec) * 1000000 + (now.tv_nsec - arrived.tv_nsec) / 1000;
        }
        return 0;
    }
    """
    void halqa_note_arrivals(int descriptor) noexcept nogil
    int64_t halqa_age_us(msghdr* message) noexcept nogil

cdef enum:
    AGE_US_MAX = 10000000  # more is a step of the wall clock, not a latency

# Microseconds, each bound included. From a thread that finds its batch at once to a call that is gone.
cdef uint64_t[LATENCY_BUCKETS - 1] BOUNDS_US = [
    50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000,
]


cdef void latency_observe(LatencyHistogram* histogram, uint64_t latency_us) noexcept nogil:
    """Count one batch."""
    cdef int i = 0
    while i < LATENCY_BUCKETS - 1 and latency_us > BOUNDS_US[i]:
        i += 1
    histogram.counts[i] += 1
    histogram.sum_us += latency_us


cdef void arrival_enable(int descriptor) noexcept nogil:
    """Have the kernel note when each datagram arrives."""
    halqa_note_arrivals(descriptor)


cdef void arrival_ask(ReceiveBatch* batch, uint8_t* control) noexcept nogil:
    """Ask for the time of the first datagram that is read next."""
    batch.messages[0].msg_hdr.msg_control = control
    batch.messages[0].msg_hdr.msg_controllen = ARRIVAL_CONTROL_BYTES


cdef uint64_t arrival_age_us(ReceiveBatch* batch) noexcept nogil:
    """Return for how long the first datagram of the batch has been here; 0 if the kernel did not say."""
    cdef int64_t age_us = halqa_age_us(&batch.messages[0].msg_hdr)
    return <uint64_t>age_us if 0 <= age_us <= AGE_US_MAX else 0


def bounds_us() -> tuple[int, ...]:
    """Return the upper bound of each bucket but the last, which has none."""
    return tuple(BOUNDS_US)


@cython.auto_pickle(False)
cdef class Latency:
    """A histogram that is driven from Python (tests)."""

    cdef LatencyHistogram histogram

    def observe(self, uint64_t latency_us) -> None:
        """Count one batch that took so long."""
        latency_observe(&self.histogram, latency_us)

    def reading(self) -> tuple[list[int], int]:
        """Return the count of each bucket, and the sum in microseconds."""
        return list(self.histogram.counts), self.histogram.sum_us
