"""The C face of recognising streams by what their packets carry."""

from libc.stdint cimport uint8_t, uint32_t

from media.native.rows cimport Core, Stream, Transport
from media.native.rtp cimport RtpHeader

cdef bint is_stranger_too_many(const Transport* transport, uint32_t ssrc) noexcept nogil
cdef void remember_stranger(Transport* transport, uint32_t ssrc) noexcept nogil
cdef Stream* recognise(Core* core, Transport* transport, const uint8_t* data, const RtpHeader* header) noexcept nogil
