# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""A link of limited rate before a peer of the load generator: a bounded queue, delay, and loss by a seeded chance.

Times are those of the kernel's notes of arrival, so that it does not matter how late the thread reads: a datagram
leaves when it would have left, and is handed on with that time.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

cdef uint32_t CHANCE_STEP = 1664525     # Knuth's linear congruential generator
cdef uint32_t CHANCE_SHIFT = 1013904223


cdef LoadLink* load_link_new() noexcept nogil:
    cdef LoadLink* link = <LoadLink*>calloc(1, sizeof(LoadLink))
    if link != NULL:
        link.places = <LinkPlace*>calloc(LINK_PACKETS, sizeof(LinkPlace))
        if link.places == NULL:
            free(link)
            return NULL
    return link


cdef void load_link_free(LoadLink* link) noexcept nogil:
    if link != NULL:
        free(link.places)
        free(link)


cdef void load_link_set(LoadLink* link, uint64_t rate_bps, int64_t delay_ns, int64_t queue_ns,
                        double loss) noexcept nogil:
    link.rate_bps, link.delay_ns, link.queue_ns = rate_bps, delay_ns, queue_ns
    link.loss = <uint32_t>(loss * 4294967295.0)


cdef bint load_link_put(LoadLink* link, const uint8_t* datagram, size_t size, int64_t arrived_ns) noexcept nogil:
    cdef int64_t waits_ns = max(link.free_ns - arrived_ns, <int64_t>0)
    cdef LinkPlace* place
    link.offered += 1
    link.offered_bytes += size
    link.chance = link.chance * CHANCE_STEP + CHANCE_SHIFT
    if link.chance < link.loss:
        link.lost += 1
        return False
    if waits_ns > link.queue_ns or link.count == LINK_PACKETS or size > LINK_BYTES_MAX:
        link.jammed += 1
        return False
    link.waited_ns += waits_ns
    link.free_ns = arrived_ns + waits_ns
    if link.rate_bps:
        link.free_ns += <int64_t>(size * 8000000000ULL // link.rate_bps)
    link.due_ns = max(link.free_ns + link.delay_ns, link.due_ns)
    place = &link.places[(link.first + link.count) % LINK_PACKETS]
    place.due_ns = link.due_ns
    place.size = <uint32_t>size
    memcpy(place.octets, datagram, size)
    link.count += 1
    return True


cdef LinkPlace* load_link_take(LoadLink* link, int64_t now_ns) noexcept nogil:
    cdef LinkPlace* place = &link.places[link.first]
    if link.count == 0 or place.due_ns > now_ns:
        return NULL
    link.first = (link.first + 1) % LINK_PACKETS
    link.count -= 1
    return place


@cython.final
@cython.auto_pickle(False)
cdef class Link:
    """Python face of one link, for tests."""

    cdef LoadLink* link

    def __cinit__(self, uint64_t rate_bps=0, *, int64_t delay_ns=0, int64_t queue_ns=0, double loss=0.0):
        self.link = load_link_new()
        if self.link == NULL:
            raise MemoryError
        load_link_set(self.link, rate_bps, delay_ns, queue_ns, loss)

    def __dealloc__(self):
        load_link_free(self.link)

    def put(self, bytes datagram not None, int64_t arrived_ns) -> bool:
        """Take a datagram; False: it was dropped."""
        return load_link_put(self.link, <const uint8_t*><const char*>datagram, len(datagram), arrived_ns)

    def take(self, int64_t now_ns) -> tuple[int, bytes] | None:
        """Return when the next datagram left the link, and the datagram; None if none has yet."""
        cdef LinkPlace* place = load_link_take(self.link, now_ns)
        return None if place == NULL else (place.due_ns, (<char*>place.octets)[:place.size])

    def counters(self) -> dict[str, int]:
        """Return what came, what was dropped and why, and how long all together waited."""
        return link_dict(self.link)


cdef dict link_dict(const LoadLink* link):
    return {
        "offered": link.offered, "offered_bytes": link.offered_bytes, "jammed": link.jammed, "lost": link.lost,
        "waited_ns": link.waited_ns,
    }
