from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from media.native.udp cimport UdpAddress, DATAGRAM_MAX

cdef enum:
    EVENT_STUN = 1        # datagram from an address that may be unknown
    EVENT_DTLS = 2        # datagram from a transport's address
    EVENT_ENCODING = 3    # first = producer, second = encoding index, third = ssrc: a stream was recognised
    # first = producer, second = encoding index, third = codec index << 24 ... resolution in payload: width, height
    EVENT_FORMAT = 4
    EVENT_SWITCH = 5      # first = consumer, second = encoding index now flowing
    EVENT_BYE = 6         # first = producer, second = encoding index
    EVENT_STRAY = 7       # a packet of this transport's peer came from an address that no check came from

ctypedef struct Event:
    uint8_t kind
    uint16_t size
    uint64_t transport
    uint64_t first
    uint32_t second
    uint32_t third
    uint32_t fourth
    UdpAddress source
    uint8_t payload[DATAGRAM_MAX]

ctypedef struct EventRing:
    Event* slots
    uint32_t mask
    uint32_t head             # written by the data-plane thread only
    uint32_t tail             # written by the reader only
    uint64_t dropped
    int wake_descriptor       # eventfd that is raised when the ring was empty; -1: none

cdef int ring_init(EventRing* ring, uint32_t slots_power_of_two, int wake_descriptor) noexcept nogil
cdef void ring_free(EventRing* ring) noexcept nogil
cdef uint32_t ring_used(EventRing* ring) noexcept nogil
cdef Event* ring_reserve(EventRing* ring, bint trusted) noexcept nogil
cdef void ring_publish(EventRing* ring) noexcept nogil
cdef Event* ring_peek(EventRing* ring) noexcept nogil
cdef void ring_advance(EventRing* ring) noexcept nogil
