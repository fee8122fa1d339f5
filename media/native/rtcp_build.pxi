"""RTCP packets built into the caller's buffer; included by rtcp.pyx."""

cdef enum:
    SDES_CNAME = 1
    WORDS_MAX = 65536  # the length field counts words minus one in 16 bits


cdef size_t _begin(uint8_t* out, size_t capacity, int count, int packet_type, uint32_t ssrc,
                   size_t size) noexcept nogil:
    """Write header and sender ssrc of a packet of `size` bytes; return `size`, or 0 if it does not fit."""
    if size > capacity or size > 4 * <size_t>WORDS_MAX:
        return 0
    out[0] = <uint8_t>(0x80 | count)
    out[1] = <uint8_t>packet_type
    store16(out + 2, <uint16_t>(size // 4 - 1))
    store32(out + 4, ssrc)
    return size


cdef size_t build_sender_report(uint8_t* out, size_t capacity, uint32_t ssrc, const SenderInfo* sender) noexcept nogil:
    if _begin(out, capacity, 0, RTCP_SR, ssrc, 8 + SENDER_INFO_SIZE) == 0:
        return 0
    store64(out + 8, sender.ntp)
    store32(out + 16, sender.rtp_timestamp)
    store32(out + 20, sender.packets)
    store32(out + 24, sender.octets)
    return 8 + SENDER_INFO_SIZE


cdef size_t build_receiver_report(uint8_t* out, size_t capacity, uint32_t ssrc, const ReportBlock* blocks,
                                  int count) noexcept nogil:
    cdef int index
    cdef uint8_t* at = out + 8
    if count < 0 or count > RTCP_REPORT_BLOCKS_MAX:
        return 0
    if _begin(out, capacity, count, RTCP_RR, ssrc, 8 + REPORT_BLOCK_SIZE * <size_t>count) == 0:
        return 0
    for index in range(count):
        store32(at, blocks[index].ssrc)
        at[4] = blocks[index].fraction_lost
        store24(at + 5, <uint32_t>blocks[index].cumulative_lost & 0xFFFFFF)
        store32(at + 8, blocks[index].highest_sequence)
        store32(at + 12, blocks[index].jitter)
        store32(at + 16, blocks[index].last_sr)
        store32(at + 20, blocks[index].delay_since_last_sr)
        at += REPORT_BLOCK_SIZE
    return 8 + REPORT_BLOCK_SIZE * <size_t>count


cdef size_t build_sdes_cname(uint8_t* out, size_t capacity, uint32_t ssrc, const uint8_t* cname,
                             size_t length) noexcept nogil:
    cdef size_t size
    if length > 255:
        return 0
    size = 8 + (2 + length + 4) // 4 * 4  # the chunk ends with one to four zero bytes (RFC 3550 section 6.5)
    if _begin(out, capacity, 1, RTCP_SDES, ssrc, size) == 0:
        return 0
    out[8] = SDES_CNAME
    out[9] = <uint8_t>length
    memcpy(out + 10, cname, length)
    memset(out + 10 + length, 0, size - 10 - length)
    return size


cdef size_t build_nack(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc,
                       const uint16_t* sorted_numbers, int count) noexcept nogil:
    cdef size_t size = 12
    cdef uint16_t first = 0, mask = 0, behind
    cdef int index
    if capacity < 12 or count <= 0:
        return 0
    for index in range(count):
        behind = <uint16_t>(sorted_numbers[index] - first)
        if index > 0 and behind == 0:
            continue
        if index > 0 and behind <= NACK_SPAN:
            mask |= <uint16_t>(1 << (behind - 1))
        else:
            if index > 0:
                size += 4
            if size + 4 > capacity:
                return 0
            first = sorted_numbers[index]
            mask = 0
            store16(out + size, first)
        store16(out + size + 2, mask)
    size += 4
    if _begin(out, capacity, RTCP_FMT_NACK, RTCP_RTPFB, sender_ssrc, size) == 0:
        return 0
    store32(out + 8, media_ssrc)
    return size


cdef size_t build_pli(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc) noexcept nogil:
    if _begin(out, capacity, RTCP_FMT_PLI, RTCP_PSFB, sender_ssrc, 12) == 0:
        return 0
    store32(out + 8, media_ssrc)
    return 12


cdef size_t build_fir(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc,
                      uint8_t command) noexcept nogil:
    if _begin(out, capacity, RTCP_FMT_FIR, RTCP_PSFB, sender_ssrc, 20) == 0:
        return 0
    store32(out + 8, 0)  # the media ssrc is in the entry (RFC 5104 section 4.3.1.2)
    store32(out + 12, media_ssrc)
    store32(out + 16, <uint32_t>command << 24)
    return 20


cdef size_t build_bye(uint8_t* out, size_t capacity, uint32_t ssrc) noexcept nogil:
    return _begin(out, capacity, 1, RTCP_BYE, ssrc, 8)


cdef size_t build_remb(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint64_t bitrate_bps,
                       const uint32_t* ssrcs, int count) noexcept nogil:
    cdef int index, exponent = 0
    if count < 0 or count > 255:
        return 0
    if _begin(out, capacity, RTCP_FMT_AFB, RTCP_PSFB, sender_ssrc, 8 + REMB_FIXED_SIZE + 4 * <size_t>count) == 0:
        return 0
    while bitrate_bps > REMB_MANTISSA_MAX:
        bitrate_bps >>= 1
        exponent += 1
    store32(out + 8, 0)
    memcpy(out + 12, b"REMB", 4)
    out[16] = <uint8_t>count
    store24(out + 17, <uint32_t>exponent << 18 | <uint32_t>bitrate_bps)
    for index in range(count):
        store32(out + 20 + 4 * index, ssrcs[index])
    return 8 + REMB_FIXED_SIZE + 4 * <size_t>count


cdef bytes _written(bytearray out, size_t size):
    """The bytes that a builder wrote; ValueError if it wrote none."""
    if size == 0:
        raise ValueError(f"RTCP packet does not fit in {len(out)} bytes, or has a count or length out of range")
    return bytes(out[:size])


def write_sender_report(uint32_t ssrc, sender: Sender, *, size_t capacity=1500) -> bytes:
    """Return a sender report without report blocks."""
    cdef SenderInfo info
    cdef bytearray out = bytearray(capacity)
    info.ntp, info.rtp_timestamp, info.packets, info.octets = sender
    return _written(out, build_sender_report(out, capacity, ssrc, &info))


def write_receiver_report(uint32_t ssrc, reports: Sequence[Report], *, size_t capacity=1500) -> bytes:
    """Return a receiver report of at most 31 blocks; of `cumulative_lost` the low 24 bits are written."""
    cdef ReportBlock blocks[RTCP_REPORT_BLOCKS_MAX]
    cdef bytearray out = bytearray(capacity)
    cdef int index
    for index in range(min(len(reports), RTCP_REPORT_BLOCKS_MAX)):
        (
            blocks[index].ssrc, blocks[index].fraction_lost, blocks[index].cumulative_lost,
            blocks[index].highest_sequence, blocks[index].jitter, blocks[index].last_sr,
            blocks[index].delay_since_last_sr,
        ) = reports[index]
    return _written(out, build_receiver_report(out, capacity, ssrc, blocks, len(reports)))


def write_sdes_cname(uint32_t ssrc, bytes cname not None, *, size_t capacity=1500) -> bytes:
    """Return a source description with a CNAME of at most 255 bytes."""
    cdef bytearray out = bytearray(capacity)
    return _written(out, build_sdes_cname(out, capacity, ssrc, cname, len(cname)))


def write_nack(uint32_t sender_ssrc, uint32_t media_ssrc, numbers: Sequence[int], *, size_t capacity=1500) -> bytes:
    """Return a generic NACK of sequence numbers in rising order (65535 before 0)."""
    cdef bytearray out = bytearray(capacity)
    cdef array sorted_numbers = python_array("H", numbers)
    return _written(out, build_nack(
        out, capacity, sender_ssrc, media_ssrc, sorted_numbers.data.as_ushorts, len(sorted_numbers)
    ))


def write_pli(uint32_t sender_ssrc, uint32_t media_ssrc, *, size_t capacity=1500) -> bytes:
    """Return a picture loss indication."""
    cdef bytearray out = bytearray(capacity)
    return _written(out, build_pli(out, capacity, sender_ssrc, media_ssrc))


def write_fir(uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command, *, size_t capacity=1500) -> bytes:
    """Return a full intra request of one entry; `command` is its sequence number."""
    cdef bytearray out = bytearray(capacity)
    return _written(out, build_fir(out, capacity, sender_ssrc, media_ssrc, command))


def write_bye(uint32_t ssrc, *, size_t capacity=1500) -> bytes:
    """Return a BYE of one source without a reason."""
    cdef bytearray out = bytearray(capacity)
    return _written(out, build_bye(out, capacity, ssrc))


def write_remb(uint32_t sender_ssrc, uint64_t bitrate_bps, ssrcs: Sequence[int], *, size_t capacity=1500) -> bytes:
    """Return a REMB for at most 255 streams; the bitrate is rounded down to 18 significant bits."""
    cdef uint32_t streams[255]
    cdef bytearray out = bytearray(capacity)
    cdef int index
    for index in range(min(len(ssrcs), 255)):
        streams[index] = ssrcs[index]
    return _written(out, build_remb(out, capacity, sender_ssrc, bitrate_bps, streams, len(ssrcs)))
