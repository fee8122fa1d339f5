"""The C face of transport-wide feedback that peers send: which numbers came, and when."""

from libc.stdint cimport int32_t, uint16_t, uint32_t

from media.native.rtcp cimport RtcpPacket

cdef enum:
    TWCC_STATUSES_MAX = 1024      # of one message: as many packets as the send log holds; browsers tell of some 50
    TWCC_NOT_RECEIVED = -0x80000000

cdef enum:
    TWCC_OTHER_TYPE = -1
    TWCC_TOO_SHORT = -2
    TWCC_EMPTY = -3               # it tells of no packet
    TWCC_TOO_MANY = -4            # statuses
    TWCC_RESERVED = -5            # a status symbol that the draft does not define

ctypedef struct TwccFeedback:
    uint16_t base                 # the first number that it tells of
    uint32_t reference            # of 64 ms, 24 bits
    int32_t ticks[TWCC_STATUSES_MAX]  # of 250 us from the reference, or TWCC_NOT_RECEIVED

# How many statuses were read, or negative if it is no such message.
cdef int parse_twcc(const RtcpPacket* packet, TwccFeedback* feedback) noexcept nogil
