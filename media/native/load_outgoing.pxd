"""The C face of what a peer of the load generator sends: clips played in time, repeated when asked for."""

from libc.stdint cimport int64_t, uint16_t, uint32_t

from media.native.load_peer cimport LoadMoment, LoadPeer

# Send all frames that are due; return when the next one is (monotonic ns), 2^62 if there is none.
cdef int64_t load_play(LoadPeer* peer, const LoadMoment* now) noexcept nogil

# Send sender reports of all feeds that play.
cdef void load_tell(LoadPeer* peer, const LoadMoment* now) noexcept nogil

# Say again what the peer is to flood the server with, as far as it is due.
cdef void load_flood(LoadPeer* peer, const LoadMoment* now) noexcept nogil

# The server asks for packets, or for a key frame, of one of our SSRCs.
cdef void feed_hear_nack(LoadPeer* peer, uint32_t ssrc, const uint16_t* numbers, int count) noexcept nogil
cdef void feed_hear_pli(LoadPeer* peer, uint32_t ssrc) noexcept nogil
