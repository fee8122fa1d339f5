"""The C face of SRTP: four function pointers into the libsrtp of the pylibsrtp wheel."""

# A libsrtp call that works on one packet in place. `session` is SrtpSession.handle, `size` the packet's bytes before
# and after. Return 0, or libsrtp's status (SrtpStatus). Sealing needs SRTP_TRAILER_MAX spare bytes behind the packet.
ctypedef int (*srtp_function)(void* session, void* packet, int* size) noexcept nogil

cdef enum:
    SRTP_TRAILER_MAX = 148  # SRTCP index 4, tag 16, MKI 128: what libsrtp may append at most

# NULL until load() succeeded.
cdef srtp_function srtp_protect
cdef srtp_function srtp_unprotect
cdef srtp_function srtp_protect_rtcp
cdef srtp_function srtp_unprotect_rtcp
