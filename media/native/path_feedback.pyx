# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""From what a viewer reports of the path to it to its estimate; a viewer that reports absurdly harms only itself.

Feedback of transport-wide numbers is looked up in the send log and judged by `gcc`; REMB and the round trip of receiver
reports join it. What comes more often than any receiver sends it is counted and dropped before it is read.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t

from media.native.bandwidth cimport Bandwidth, bandwidth_note, bandwidth_pace
from media.native.gcc cimport LOSS_WINDOWS, PacketResult, gcc_feedback, gcc_remb, gcc_round_trip
from media.native.lifecycle cimport open_bandwidth
from media.native.playout cimport playout_follow, playout_needed
from media.native.rows cimport Core, Transport
from media.native.rtcp cimport RtcpPacket, parse_remb
from media.native.send_log cimport send_log_tell
from media.native.twcc_feedback cimport TWCC_NOT_RECEIVED, TWCC_STATUSES_MAX, TwccFeedback, parse_twcc

cdef enum:
    WINDOW_US = 100000
    # Messages of a window: libwebrtc sends one each 50 ms at the most, and a burst of a few after a jam.
    MESSAGES_MAX = 16
    TICK_US = 250
    REFERENCE_US = 64000
    REFERENCE_HALF = 0x800000     # of the 24 bits of a reference time
    # Added to the peer's clock, whose origin is any: differences count, and negative means that nothing came.
    CLOCK_ORIGIN = 0x1000000


cdef bint floods(Bandwidth* bandwidth, uint64_t now_us) noexcept nogil:
    """1 if a peer reports more often than it can have anything to tell."""
    if now_us - bandwidth.window_us >= WINDOW_US:
        bandwidth.window_us = now_us
        bandwidth.messages = 0
    bandwidth.messages += 1
    return bandwidth.messages > MESSAGES_MAX


cdef int64_t unwrap_reference(Bandwidth* bandwidth, uint32_t reference) noexcept nogil:
    """Return a reference time, of 64 ms, that goes on where 24 bits wrap: after 12 days."""
    cdef int32_t moved
    if not bandwidth.has_reference:
        bandwidth.has_reference = 1
        bandwidth.reference = CLOCK_ORIGIN + reference
        return bandwidth.reference
    moved = <int32_t>((reference - <uint32_t>bandwidth.reference) & 0xFFFFFF)
    bandwidth.reference += moved - 2 * REFERENCE_HALF if moved >= REFERENCE_HALF else moved
    if bandwidth.reference < REFERENCE_HALF:
        bandwidth.reference = CLOCK_ORIGIN + reference  # a clock that runs backwards for days
    return bandwidth.reference


cdef void take_twcc(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil:
    cdef TwccFeedback feedback
    cdef PacketResult results[TWCC_STATUSES_MAX]
    cdef Bandwidth* bandwidth = transport.bandwidth
    cdef int64_t origin_us, received_us
    cdef uint64_t used
    cdef int i, count, known = 0
    if bandwidth == NULL or bandwidth.log.next == 0:
        core.counters.feedback_unasked += 1
        return
    if floods(bandwidth, now_us):
        core.counters.feedback_flooded += 1
        return
    count = parse_twcc(packet, &feedback)
    if count < 0:
        core.counters.feedback_malformed += 1
        return
    core.counters.feedback += 1
    origin_us = unwrap_reference(bandwidth, feedback.reference) * REFERENCE_US
    for i in range(count):
        received_us = -1
        if feedback.ticks[i] != TWCC_NOT_RECEIVED:
            received_us = max(origin_us + <int64_t>feedback.ticks[i] * TICK_US, <int64_t>0)
        if send_log_tell(&bandwidth.log, <uint16_t>(feedback.base + i), received_us, now_us, &results[known]):
            known += 1
    if known == 0:
        return
    used = bandwidth.gcc.probes_used
    gcc_feedback(&bandwidth.gcc, results, known, now_us)
    core.counters.path_probes_used += bandwidth.gcc.probes_used - used
    bandwidth_pace(bandwidth)
    transport.picture_delay = playout_follow(&bandwidth.playout, playout_needed(&bandwidth.gcc.seconds_loss[0],
        min(bandwidth.gcc.seconds, <int>LOSS_WINDOWS), bandwidth.gcc.round_trip_us), now_us)
    bandwidth_note(&core.bandwidth_news, bandwidth)


cdef void take_remb(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil:
    cdef Bandwidth* bandwidth
    cdef uint64_t bitrate_bps
    if parse_remb(packet, &bitrate_bps, NULL, 0) < 0:
        return  # another application's message, or none that can be read
    bandwidth = open_bandwidth(transport) if transport.consumers != NULL else transport.bandwidth
    if bandwidth == NULL:
        core.counters.feedback_unasked += 1
        return
    if floods(bandwidth, now_us):
        core.counters.feedback_flooded += 1
        return
    core.counters.feedback += 1
    gcc_remb(&bandwidth.gcc, bitrate_bps, now_us)
    bandwidth_pace(bandwidth)
    bandwidth_note(&core.bandwidth_news, bandwidth)


cdef void take_round_trip(Core* core, Transport* transport, uint32_t round_trip_us) noexcept nogil:
    if transport.bandwidth == NULL:
        return
    gcc_round_trip(&transport.bandwidth.gcc, round_trip_us)
    if transport.bandwidth.was_told:
        bandwidth_note(&core.bandwidth_news, transport.bandwidth)
