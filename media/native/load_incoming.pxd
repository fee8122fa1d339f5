"""The C face of what a peer of the load generator hears, and of the reports that it sends about it."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from media.native.load_peer cimport LoadMoment, LoadPeer, LoadStream

# Open, check and count one SRTP or SRTCP datagram, which is overwritten. `arrived_ns`: the kernel's wall clock.
cdef void load_receive(LoadPeer* peer, uint8_t* datagram, size_t size, int64_t arrived_ns, const LoadMoment* now,
                       uint64_t* latencies) noexcept nogil

# Ask again for what is missing; cheap if nothing is.
cdef void load_ask(LoadPeer* peer, const LoadMoment* now) noexcept nogil

# Send the reports that are due: RR, transport-wide feedback.
cdef void load_report(LoadPeer* peer, const LoadMoment* now) noexcept nogil

# Put down what is missing by now to the server or to our own socket.
cdef void load_account(LoadPeer* peer, int64_t wall_ns) noexcept nogil

# Seal and send one RTCP packet that stands in a buffer with SRTP_TRAILER_MAX bytes to spare.
cdef void load_send_control(LoadPeer* peer, uint8_t* packet, size_t size) noexcept nogil

# Begin to count a stream that is announced; there must be room (STREAMS_MAX).
cdef LoadStream* load_add_stream(LoadPeer* peer, uint32_t ssrc, uint8_t role, uint32_t repairs) noexcept nogil
