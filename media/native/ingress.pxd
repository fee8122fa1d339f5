from libc.stdint cimport int64_t, uint8_t, uint64_t

from media.native.rows cimport Core, Producer
from media.native.rtp cimport RtpHeader
from media.native.udp cimport UdpAddress

cdef void receive_datagram(Core* core, uint8_t* data, int size, const UdpAddress* source,
        uint64_t now_us) noexcept nogil
cdef void take_packet(Core* core, Producer* producer, uint8_t index, uint8_t* data, RtpHeader* header,
        uint8_t codec_index, int64_t extended, bint is_new, uint64_t now_us) noexcept nogil
