"""The C face of what is known of the path toward one viewer, and of the news of it that Python has not heard yet."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.gcc cimport Gcc
from media.native.playout cimport Playout
from media.native.send_log cimport SendLog

cdef enum:
    TAKEN_MAX_US = 300000         # sound that is more than the estimate must not keep pictures back for ever

ctypedef struct Bandwidth:
    uint64_t transport
    Gcc gcc
    SendLog log
    int64_t reference         # of the last feedback: 64 ms of the peer's clock, unwrapped
    uint8_t has_reference
    uint16_t messages         # of feedback since window_us
    uint64_t window_us
    uint8_t probe_id          # cluster being sent, 0: none
    uint32_t probe_rate_bps
    int32_t probe_left        # bytes
    uint64_t probe_due_us     # when its next packet leaves
    uint64_t probe_ends_us    # what is left then is not sent
    Playout playout
    uint32_t pace_us_per_kib  # how long 1024 bytes take at the rate at which this path is sent; 0: as they come
    uint64_t taken_until_us   # when all that has left is through at that rate
    uint32_t told_bps         # what Python last heard
    uint32_t told_round_trip_us
    double told_loss
    uint8_t was_told
    uint8_t is_news           # it stands in the list of news
    Bandwidth* next           # in that list

ctypedef struct BandwidthNews:
    Bandwidth* first

ctypedef struct BandwidthFact:
    uint64_t transport
    uint32_t estimate_bps
    uint32_t round_trip_us    # 0: no report told it
    double loss

# A path of which nothing is known yet; NULL if there is no memory.
cdef Bandwidth* bandwidth_new(uint64_t transport) noexcept nogil

# Give it back; NULL is nothing.
cdef void bandwidth_free(BandwidthNews* news, Bandwidth* bandwidth) noexcept nogil

# The estimate may have changed: put it among the news if it did noticeably.
cdef void bandwidth_note(BandwidthNews* news, Bandwidth* bandwidth) noexcept nogil

# How many facts were written, at most `room`, and taken off the news.
cdef int bandwidth_take(BandwidthNews* news, BandwidthFact* facts, int room) noexcept nogil

# Reckon anew at which rate the path is sent, from its estimate.
cdef void bandwidth_pace(Bandwidth* bandwidth) noexcept nogil

# A packet leaves.
cdef inline void bandwidth_spend(Bandwidth* bandwidth, int size, uint64_t now_us) noexcept nogil:
    if bandwidth.pace_us_per_kib:
        bandwidth.taken_until_us = min(now_us + TAKEN_MAX_US, max(bandwidth.taken_until_us, now_us)
            + (<uint64_t>size * bandwidth.pace_us_per_kib >> 10))
