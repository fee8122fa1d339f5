"""The C face of forward latency: when a batch of datagrams arrived, and how long it took until its copies were sent."""

from libc.stdint cimport uint8_t, uint64_t

from media.native.udp cimport ReceiveBatch

cdef enum:
    LATENCY_BUCKETS = 14      # 13 bounds, and all above
    ARRIVAL_CONTROL_BYTES = 64  # holds one timestamp of the kernel

ctypedef struct LatencyHistogram:
    uint64_t sum_us
    uint64_t counts[LATENCY_BUCKETS]  # each alone, not summed up

cdef void latency_observe(LatencyHistogram* histogram, uint64_t latency_us) noexcept nogil

# Have the kernel note when each datagram of a socket arrives.
cdef void arrival_enable(int descriptor) noexcept nogil

# Ask for the first datagram's time with the next read; `control` is ARRIVAL_CONTROL_BYTES.
cdef void arrival_ask(ReceiveBatch* batch, uint8_t* control) noexcept nogil

# Microseconds since the first datagram of the batch reached the socket; 0 if that is not known.
cdef uint64_t arrival_age_us(ReceiveBatch* batch) noexcept nogil
