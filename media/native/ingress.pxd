from libc.stdint cimport uint8_t, uint64_t

from media.native.rows cimport Core
from media.native.udp cimport UdpAddress

cdef void receive_datagram(Core* core, uint8_t* data, int size, const UdpAddress* source,
        uint64_t now_us) noexcept nogil
