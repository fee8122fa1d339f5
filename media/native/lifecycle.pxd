from libc.stdint cimport uint8_t, uint32_t, uint64_t

from media.native.bandwidth cimport Bandwidth
from media.native.rows cimport Consumer, Core, Encoding, Producer, Stream, Transport
from media.native.udp cimport UdpAddress

cdef enum:
    SILENCE_MAX = 60          # frames; who fell behind keeps pace for some seconds before he is believed
    SILENCE_AWAITED = 0xFFFF  # no silence counts: the encoding rests, and its first packet is believed

cdef int core_init(Core* core, int descriptor, int wake_descriptor) noexcept nogil
cdef void core_free(Core* core) noexcept nogil
cdef Transport* add_transport(Core* core, uint64_t id, uint32_t ssrc) noexcept nogil
cdef Bandwidth* open_bandwidth(Transport* transport) noexcept nogil
cdef int allow_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil
cdef void forget_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil
cdef int set_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil
cdef void remove_transport(Core* core, Transport* transport) noexcept nogil
cdef Producer* add_producer(Transport* transport, uint64_t id, bint is_video, int encodings) noexcept nogil
cdef void remove_producer(Core* core, Producer* producer) noexcept nogil
cdef Consumer* add_consumer(Core* core, Transport* transport, uint64_t id, bint is_video, uint32_t ssrc,
        uint32_t rtx_ssrc, uint32_t first_number, bint numbered) noexcept nogil
cdef void remove_consumer(Core* core, Consumer* consumer) noexcept nogil
cdef int attach(Consumer* consumer, Producer* producer) noexcept nogil
cdef void detach(Consumer* consumer) noexcept nogil
cdef Stream* find_stream(const Core* core, const Transport* transport, uint32_t ssrc) noexcept nogil
cdef int bind(Core* core, Producer* producer, uint8_t index, uint32_t ssrc, bint is_rtx) noexcept nogil
cdef void begin_encoding(Producer* producer, uint8_t index, uint32_t ssrc) noexcept nogil
cdef int open_history(Producer* producer, uint8_t index) noexcept nogil
cdef void resync_consumers(Producer* producer, uint8_t index) noexcept nogil
cdef int lowest_flowing(const Producer* producer) noexcept nogil
cdef void retarget(Producer* producer) noexcept nogil
cdef void retarget_consumer(Consumer* consumer) noexcept nogil
cdef void await_wanted(const Consumer* consumer) noexcept nogil
