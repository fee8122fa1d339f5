# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Transport-wide feedback of a peer, read (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1)."""

from typing import NamedTuple

from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int32_t, uint8_t, uint16_t, uint32_t

from media.native.rtcp cimport RTCP_FMT_TWCC, RTCP_RTPFB, RtcpPacket, next_rtcp
from media.native.rtp import MalformedPacket
from media.native.wire cimport load16, load24

cdef enum:
    FIXED_BYTES = 12              # media ssrc, base, status count, reference time, feedback count
    SYMBOL_NOT_RECEIVED = 0
    SYMBOL_SMALL = 1              # a delta of one byte, unsigned
    SYMBOL_LARGE = 2              # a delta of two bytes, signed
    ONE_BIT_SYMBOLS = 14
    TWO_BIT_SYMBOLS = 7


cdef int parse_twcc(const RtcpPacket* packet, TwccFeedback* feedback) noexcept nogil:
    cdef int count, told
    cdef uint32_t position
    if packet.packet_type != RTCP_RTPFB or packet.count != RTCP_FMT_TWCC:
        return TWCC_OTHER_TYPE
    if packet.body_length < FIXED_BYTES:
        return TWCC_TOO_SHORT
    feedback.base = load16(packet.body + 4)
    count = load16(packet.body + 6)
    feedback.reference = load24(packet.body + 8)
    if count == 0:
        return TWCC_EMPTY
    if count > TWCC_STATUSES_MAX:
        return TWCC_TOO_MANY
    position = FIXED_BYTES
    told = 0
    while told < count:
        if position + 2 > packet.body_length:
            return TWCC_TOO_SHORT
        told = take_chunk(feedback, load16(packet.body + position), told, count)
        if told < 0:
            return told
        position += 2
    return take_deltas(packet, feedback, position, count)


cdef int take_chunk(TwccFeedback* feedback, uint16_t chunk, int told, int count) noexcept nogil:
    """Note the symbols of a chunk where the ticks will be; return how many are known, or negative."""
    cdef int i, number, width
    cdef uint16_t symbol
    if not chunk & 0x8000:
        symbol = (chunk >> 13) & 3
        number = chunk & 0x1FFF
        if symbol == 3:
            return TWCC_RESERVED
        if number == 0:
            return TWCC_EMPTY  # a run of nothing would let a few bytes be read for ever
        for i in range(min(number, count - told)):
            feedback.ticks[told + i] = symbol
        return min(told + number, count)
    width = 2 if chunk & 0x4000 else 1
    number = min(TWO_BIT_SYMBOLS if width == 2 else ONE_BIT_SYMBOLS, count - told)
    for i in range(number):
        symbol = (chunk >> (14 - width * (i + 1))) & (3 if width == 2 else 1)
        if symbol == 3:
            return TWCC_RESERVED
        feedback.ticks[told + i] = symbol
    return told + number


cdef int take_deltas(const RtcpPacket* packet, TwccFeedback* feedback, uint32_t position, int count) noexcept nogil:
    """Put arrival times where the symbols stand; return the number of statuses, or negative."""
    cdef int32_t tick = 0
    cdef int i
    for i in range(count):
        if feedback.ticks[i] == SYMBOL_NOT_RECEIVED:
            feedback.ticks[i] = TWCC_NOT_RECEIVED
            continue
        if position + <uint32_t>feedback.ticks[i] > packet.body_length:
            return TWCC_TOO_SHORT
        if feedback.ticks[i] == SYMBOL_SMALL:
            tick += packet.body[position]
            position += 1
        else:
            tick += <int16_t>load16(packet.body + position)
            position += 2
        feedback.ticks[i] = tick
    return count


class Feedback(NamedTuple):
    """What a message tells: `ticks` are arrivals in 250 us from the `reference` (64 ms each), None for what is lost."""

    base: int
    reference: int
    ticks: tuple[int | None, ...]


cdef dict _REASONS = {
    TWCC_OTHER_TYPE: "is no transport-wide feedback",
    TWCC_TOO_SHORT: "ends before what it tells of",
    TWCC_EMPTY: "tells of no packet, or has a run of none",
    TWCC_TOO_MANY: f"tells of more than {TWCC_STATUSES_MAX} packets",
    TWCC_RESERVED: "has a status symbol that is reserved",
}


def parse_feedback(bytes packet not None) -> Feedback:
    """Return what an RTCP packet tells; raise MalformedPacket. What stands behind the last delta is padding."""
    cdef RtcpPacket whole
    cdef TwccFeedback feedback
    cdef size_t offset = 0
    cdef const uint8_t* start = packet
    cdef int i, count = TWCC_OTHER_TYPE
    if next_rtcp(start, len(packet), &offset, &whole) == 1:
        count = parse_twcc(&whole, &feedback)
    if count < 0:
        raise MalformedPacket(f"RTCP packet of {len(packet)} bytes {_REASONS[count]}")
    ticks = [None if feedback.ticks[i] == TWCC_NOT_RECEIVED else feedback.ticks[i] for i in range(count)]
    return Feedback(feedback.base, feedback.reference, tuple(ticks))
