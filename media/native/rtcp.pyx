# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""RTCP read in place: RFC 3550 section 6, the feedback of RFC 4585 and 5104, REMB. What builds it is in rtcp_build.pxi.

Nothing is required of a compound packet's order, so reduced-size packets (RFC 5506) are read alike.
"""

from array import array as python_array
from collections.abc import Sequence
from typing import NamedTuple

from cpython.array cimport array, clone
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from media.native.rtp import MalformedPacket
from media.native.wire cimport load16, load24, load32, load64, store16, store24, store32, store64

cdef enum:
    REPORT_BLOCK_SIZE = 24
    SENDER_INFO_SIZE = 20
    FIR_ENTRY_SIZE = 8
    REMB_FIXED_SIZE = 12  # media ssrc, "REMB", count and bitrate
    REMB_MANTISSA_MAX = 0x3FFFF  # 18 bits
    NACK_SPAN = 16  # a PID tells its own loss, its bitmask that of the 16 numbers behind


cdef int next_rtcp(const uint8_t* data, size_t size, size_t* offset, RtcpPacket* out) noexcept nogil:
    cdef const uint8_t* start
    cdef size_t left, length, content
    if offset[0] >= size:
        return 0
    start = data + offset[0]
    left = size - offset[0]
    if left < 4:
        return RTCP_TOO_SHORT
    if start[0] >> 6 != 2:
        return RTCP_BAD_VERSION
    length = 4 * (<size_t>load16(start + 2) + 1)
    if length > left:
        return RTCP_TRUNCATED
    content = length
    if start[0] & 0x20:
        # Only the last packet of a compound may be padded; a padded one before it does no harm and is read alike.
        if start[length - 1] == 0 or start[length - 1] > length - 4:
            return RTCP_BAD_PADDING
        content = length - start[length - 1]
    out.packet_type = start[1]
    out.count = start[0] & 0x1F
    out.ssrc = load32(start + 4) if content >= 8 else 0
    out.body = start + 8 if content >= 8 else NULL
    out.body_length = <uint32_t>(content - 8) if content >= 8 else 0
    offset[0] += length
    return 1


cdef int parse_sender_info(const RtcpPacket* packet, SenderInfo* out) noexcept nogil:
    if packet.packet_type != RTCP_SR:
        return RTCP_OTHER_TYPE
    if packet.body_length < SENDER_INFO_SIZE:
        return RTCP_TOO_SHORT
    out.ntp = load64(packet.body)
    out.rtp_timestamp = load32(packet.body + 8)
    out.packets = load32(packet.body + 12)
    out.octets = load32(packet.body + 16)
    return 0


cdef int parse_report_block(const RtcpPacket* packet, int index, ReportBlock* out) noexcept nogil:
    cdef uint32_t offset, lost
    if packet.packet_type == RTCP_SR:
        offset = SENDER_INFO_SIZE
    elif packet.packet_type == RTCP_RR:
        offset = 0
    else:
        return RTCP_OTHER_TYPE
    if index < 0 or index >= packet.count:
        return RTCP_NO_SUCH_ITEM
    offset += REPORT_BLOCK_SIZE * index
    if packet.body_length < offset + REPORT_BLOCK_SIZE:
        return RTCP_TOO_SHORT
    out.ssrc = load32(packet.body + offset)
    out.fraction_lost = packet.body[offset + 4]
    lost = load24(packet.body + offset + 5)
    out.cumulative_lost = <int32_t>lost - (0x1000000 if lost & 0x800000 else 0)
    out.highest_sequence = load32(packet.body + offset + 8)
    out.jitter = load32(packet.body + offset + 12)
    out.last_sr = load32(packet.body + offset + 16)
    out.delay_since_last_sr = load32(packet.body + offset + 20)
    return 0


cdef int _check_feedback(const RtcpPacket* packet, int packet_type, int message_type, uint32_t least) noexcept nogil:
    """0 if the packet is this feedback message and its body has at least `least` bytes."""
    if packet.packet_type != packet_type or packet.count != message_type:
        return RTCP_OTHER_TYPE
    return 0 if packet.body_length >= least else RTCP_TOO_SHORT


cdef int parse_nack(const RtcpPacket* packet, uint32_t* media_ssrc, uint16_t* numbers, int capacity) noexcept nogil:
    cdef uint32_t offset
    cdef uint16_t first, mask
    cdef int bit, count = 0
    cdef int status = _check_feedback(packet, RTCP_RTPFB, RTCP_FMT_NACK, 4)
    if status < 0:
        return status
    media_ssrc[0] = load32(packet.body)
    for offset in range(4, packet.body_length - 3, 4):
        first = load16(packet.body + offset)
        mask = load16(packet.body + offset + 2)
        if count < capacity:
            numbers[count] = first
            count += 1
        for bit in range(NACK_SPAN):
            if mask >> bit & 1 and count < capacity:
                numbers[count] = <uint16_t>(first + bit + 1)
                count += 1
    return count


cdef int parse_fir(const RtcpPacket* packet, int index, uint32_t* media_ssrc, uint8_t* command) noexcept nogil:
    cdef uint32_t offset
    cdef int status = _check_feedback(packet, RTCP_PSFB, RTCP_FMT_FIR, 4)
    if status < 0:
        return status
    if index < 0 or <uint32_t>index >= (packet.body_length - 4) // FIR_ENTRY_SIZE:
        return RTCP_NO_SUCH_ITEM
    offset = 4 + FIR_ENTRY_SIZE * <uint32_t>index
    media_ssrc[0] = load32(packet.body + offset)
    command[0] = packet.body[offset + 4]
    return 0


cdef int parse_remb(const RtcpPacket* packet, uint64_t* bitrate_bps, uint32_t* ssrcs, int capacity) noexcept nogil:
    cdef uint64_t mantissa
    cdef int exponent, index, count
    cdef int status = _check_feedback(packet, RTCP_PSFB, RTCP_FMT_AFB, REMB_FIXED_SIZE)
    if status < 0:
        return status
    if memcmp(packet.body + 4, b"REMB", 4) != 0:
        return RTCP_OTHER_TYPE
    count = packet.body[8]
    if packet.body_length < REMB_FIXED_SIZE + 4 * <uint32_t>count:
        return RTCP_TOO_SHORT
    exponent = packet.body[9] >> 2
    mantissa = load24(packet.body + 9) & REMB_MANTISSA_MAX
    if (mantissa << exponent) >> exponent != mantissa:
        return RTCP_BAD_VALUE
    bitrate_bps[0] = mantissa << exponent
    count = min(count, max(capacity, 0))
    for index in range(count):
        ssrcs[index] = load32(packet.body + REMB_FIXED_SIZE + 4 * index)
    return count


cdef uint32_t feedback_media_ssrc(const RtcpPacket* packet) noexcept nogil:
    if packet.packet_type != RTCP_RTPFB and packet.packet_type != RTCP_PSFB:
        return 0
    return load32(packet.body) if packet.body_length >= 4 else 0


class Packet(NamedTuple):
    """One packet of a compound: report or source count or FMT, ssrc of the sender (0 if none), and what follows it."""

    packet_type: int
    count_or_format: int
    ssrc: int
    body: bytes


class Sender(NamedTuple):
    """The sender information of a sender report; `ntp` in 32.32 bits."""

    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


class Report(NamedTuple):
    """A report block; `fraction_lost` in 1/256, `jitter` in RTP units, delays in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


class Nack(NamedTuple):
    media_ssrc: int
    numbers: tuple[int, ...]


class Fir(NamedTuple):
    media_ssrc: int
    command: int


class Remb(NamedTuple):
    bitrate_bps: int
    ssrcs: tuple[int, ...]


cdef array _NUMBERS = python_array("H")  # the kind of array that `clone` makes

cdef dict _REASONS = {
    RTCP_TOO_SHORT: "is too short",
    RTCP_BAD_VERSION: "is not of version 2",
    RTCP_TRUNCATED: "has a length field that leaves the datagram",
    RTCP_BAD_PADDING: "has an invalid padding length",
    RTCP_OTHER_TYPE: "is of another type",
    RTCP_NO_SUCH_ITEM: "has no such item",
    RTCP_BAD_VALUE: "has a value out of range",
}


cdef int _checked(int status, size_t size) except -1:
    if status < 0:
        raise MalformedPacket(f"RTCP packet of {size} bytes {_REASONS[status]}")
    return status


cdef RtcpPacket _view(object packet) except *:
    """The C form of a Packet, which must outlive it."""
    cdef RtcpPacket view
    cdef bytes body = packet.body
    view.packet_type, view.count, view.ssrc = packet.packet_type, packet.count_or_format, packet.ssrc
    view.body, view.body_length = body, len(body)
    return view


def parse_compound(bytes data not None) -> tuple[Packet, ...]:
    """Return the packets of a compound or reduced-size RTCP datagram; MalformedPacket if any is malformed."""
    cdef RtcpPacket packet
    cdef const uint8_t* start = data
    cdef size_t offset = 0
    packets = []
    while _checked(next_rtcp(start, len(data), &offset, &packet), len(data)):
        body = packet.body[:packet.body_length] if packet.body != NULL else b""
        packets.append(Packet(packet.packet_type, packet.count, packet.ssrc, body))
    return tuple(packets)


def read_sender(packet: Packet) -> Sender:
    """Return the sender information; MalformedPacket if the packet is no whole sender report."""
    cdef RtcpPacket view = _view(packet)
    cdef SenderInfo sender
    _checked(parse_sender_info(&view, &sender), view.body_length)
    return Sender(sender.ntp, sender.rtp_timestamp, sender.packets, sender.octets)


def read_reports(packet: Packet) -> tuple[Report, ...]:
    """Return the report blocks of a sender or receiver report; MalformedPacket if it is none or ends within one."""
    cdef RtcpPacket view = _view(packet)
    cdef ReportBlock block
    cdef int index, status
    reports = []
    for index in range(RTCP_REPORT_BLOCKS_MAX + 1):
        status = parse_report_block(&view, index, &block)
        if status == RTCP_NO_SUCH_ITEM:
            break
        _checked(status, view.body_length)
        reports.append(Report(
            block.ssrc, block.fraction_lost, block.cumulative_lost, block.highest_sequence, block.jitter,
            block.last_sr, block.delay_since_last_sr,
        ))
    return tuple(reports)


def read_nack(packet: Packet, int capacity=1024) -> Nack:
    """Return at most `capacity` lost sequence numbers, in the message's order; MalformedPacket if no generic NACK."""
    cdef RtcpPacket view = _view(packet)
    cdef array numbers = clone(_NUMBERS, max(capacity, 1), zero=True)
    cdef uint32_t media_ssrc
    cdef int count = _checked(parse_nack(&view, &media_ssrc, numbers.data.as_ushorts, capacity), view.body_length)
    return Nack(media_ssrc, tuple(numbers[:count]))


def read_fir(packet: Packet) -> tuple[Fir, ...]:
    """Return the entries of a full intra request; MalformedPacket if the packet is none."""
    cdef RtcpPacket view = _view(packet)
    cdef uint32_t media_ssrc
    cdef uint8_t command
    cdef int status
    entries = []
    while True:
        status = parse_fir(&view, len(entries), &media_ssrc, &command)
        if status == RTCP_NO_SUCH_ITEM:
            return tuple(entries)
        _checked(status, view.body_length)
        entries.append(Fir(media_ssrc, command))


def read_remb(packet: Packet) -> Remb:
    """Return the receiver's estimate; MalformedPacket if the packet is no REMB (draft-alvestrand-rmcat-remb-03)."""
    cdef RtcpPacket view = _view(packet)
    cdef uint64_t bitrate_bps
    cdef uint32_t ssrcs[255]
    cdef int count = _checked(parse_remb(&view, &bitrate_bps, ssrcs, 255), view.body_length)
    return Remb(bitrate_bps, tuple([ssrcs[index] for index in range(count)]))


def read_media_ssrc(packet: Packet) -> int:
    """Return the media ssrc of a transport-layer or payload-specific feedback message, 0 of other packets."""
    cdef RtcpPacket view = _view(packet)
    return feedback_media_ssrc(&view)


include "rtcp_build.pxi"
