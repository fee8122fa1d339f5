# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What is known of the path toward each viewer: its estimate, and a list of those whose estimate changed noticeably.

Who asks pays for what changed since the last time, not for all viewers that there are.
"""

from libc.math cimport fabs
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from media.native.gcc cimport Gcc, gcc_init

cdef enum:
    START_BPS = 300000            # libwebrtc's first guess: sound and the lowest encoding of a camera
    MIN_BPS = 30000               # sound alone
    MAX_BPS = 50000000            # more than any viewer's slots can carry
    ROUND_TRIP_NEWS_US = 20000
    PACE_MIN_BPS = 150000         # sound, and the least of a screen that is sent whatever the estimate
    # Above it what is sent is left as it comes: a class that watches 720 lines at 1.5 Mbit/s is sent frame by frame,
    # all of them at once, and what a key frame queues there is through in a tenth of a second.
    PACE_MAX_BPS = 1500000

cdef double NEWS_SHARE = 0.03     # of the estimate: less moves no layer
cdef double NEWS_LOSS = 0.02
cdef double PACE = 1.1            # times the estimate: who never sends more never learns that there is more
cdef double PACE_START = 2.0      # times the first guess


cdef Bandwidth* bandwidth_new(uint64_t transport) noexcept nogil:
    cdef Bandwidth* bandwidth = <Bandwidth*>calloc(1, sizeof(Bandwidth))
    if bandwidth != NULL:
        bandwidth.transport = transport
        gcc_init(&bandwidth.gcc, START_BPS, MIN_BPS, MAX_BPS)
    return bandwidth


cdef void bandwidth_free(BandwidthNews* news, Bandwidth* bandwidth) noexcept nogil:
    cdef Bandwidth** at = &news.first
    if bandwidth == NULL:
        return
    if bandwidth.is_news:
        while at[0] != bandwidth:
            at = &at[0].next
        at[0] = bandwidth.next
    free(bandwidth)


cdef bint is_noticeable(const Bandwidth* bandwidth) noexcept nogil:
    """1 if somebody who heard the last fact should hear the next."""
    cdef double moved = fabs(<double>bandwidth.gcc.target_bps - bandwidth.told_bps)
    cdef double delayed = fabs(<double>bandwidth.gcc.round_trip_us - bandwidth.told_round_trip_us)
    return (
        not bandwidth.was_told or moved > NEWS_SHARE * bandwidth.told_bps
        or fabs(bandwidth.gcc.loss - bandwidth.told_loss) > NEWS_LOSS or delayed > ROUND_TRIP_NEWS_US
    )


cdef void bandwidth_note(BandwidthNews* news, Bandwidth* bandwidth) noexcept nogil:
    if not bandwidth.is_news and is_noticeable(bandwidth):
        bandwidth.is_news = 1
        bandwidth.next = news.first
        news.first = bandwidth


cdef int bandwidth_take(BandwidthNews* news, BandwidthFact* facts, int room) noexcept nogil:
    cdef Bandwidth* bandwidth
    cdef int taken = 0
    while taken < room and news.first != NULL:
        bandwidth = news.first
        news.first = bandwidth.next
        bandwidth.is_news = 0
        bandwidth.was_told = 1
        bandwidth.told_bps = bandwidth.gcc.target_bps
        bandwidth.told_round_trip_us = bandwidth.gcc.round_trip_us
        bandwidth.told_loss = bandwidth.gcc.loss
        facts[taken].transport = bandwidth.transport
        facts[taken].estimate_bps = bandwidth.told_bps
        facts[taken].round_trip_us = bandwidth.told_round_trip_us
        facts[taken].loss = bandwidth.told_loss
        taken += 1
    return taken


cdef void bandwidth_pace(Bandwidth* bandwidth) noexcept nogil:
    cdef Gcc* gcc = &bandwidth.gcc
    cdef double rate = gcc.target_bps * (PACE_START if gcc.starting and gcc.dropped_us == 0 else PACE)
    if gcc.started_us == 0 or rate > PACE_MAX_BPS:
        bandwidth.pace_us_per_kib = 0
    else:
        bandwidth.pace_us_per_kib = <uint32_t>(8192e6 / max(rate, <double>PACE_MIN_BPS))
