"""The C face of the link before a peer of the load generator: what comes waits its turn there, or is dropped."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    LINK_PACKETS = 1024           # under way at once: half a second of 20 Mbit/s
    LINK_BYTES_MAX = 1600         # of a datagram

cdef struct LinkPlace:
    int64_t due_ns                # of the wall clock: when it leaves the link
    uint32_t size
    uint8_t octets[LINK_BYTES_MAX]

ctypedef struct LoadLink:
    uint64_t rate_bps             # 0: any
    int64_t delay_ns              # after the queue
    int64_t queue_ns              # what would wait longer is dropped
    uint32_t loss                 # of 2^32
    uint32_t chance
    int64_t free_ns               # when the link has sent all that it took
    int64_t due_ns                # of the last that was put in: the order is kept if the delay changes
    uint64_t offered_bytes        # of all that came to the link
    uint64_t offered
    uint64_t jammed               # dropped: the queue was full
    uint64_t lost                 # dropped by chance
    int64_t waited_ns             # by all together
    uint32_t first
    uint32_t count
    LinkPlace* places

cdef LoadLink* load_link_new() noexcept nogil
cdef void load_link_free(LoadLink* link) noexcept nogil

# Change what the link is like from now on.
cdef void load_link_set(LoadLink* link, uint64_t rate_bps, int64_t delay_ns, int64_t queue_ns,
    double loss) noexcept nogil

# Take a datagram that came at that time. 0: it was dropped.
cdef bint load_link_put(LoadLink* link, const uint8_t* datagram, size_t size, int64_t arrived_ns) noexcept nogil

# The next datagram that has left the link by now, NULL if there is none; it is overwritten after the next `put`.
cdef LinkPlace* load_link_take(LoadLink* link, int64_t now_ns) noexcept nogil
