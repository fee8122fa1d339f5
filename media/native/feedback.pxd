from libc.stdint cimport uint8_t, uint64_t

from media.native.rows cimport Consumer, Core, Encoding, Producer, Transport

cdef void need_picture(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil
cdef void receive_rtcp(Core* core, Transport* transport, const uint8_t* data, size_t size,
        uint64_t now_us) noexcept nogil
cdef void tick(Core* core, uint64_t now_us) noexcept nogil
cdef void note_busy(Core* core, Transport* transport) noexcept nogil
