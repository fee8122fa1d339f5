from libc.stdint cimport uint32_t, uint64_t

from media.native.rows cimport Core, Transport
from media.native.rtcp cimport RtcpPacket

# What a peer tells of what was sent to it: which numbers came and when (TWCC), its own estimate (REMB), the round trip.
cdef void take_twcc(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil
cdef void take_remb(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil
cdef void take_round_trip(Core* core, Transport* transport, uint32_t round_trip_us) noexcept nogil
