# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What a peer of the load generator hears: opened, counted by stream, asked for again, reported; no GIL, no decoding.

The latency of a frame is from the stamp in its last packet, put in when it was sent, to the kernel's note of its
arrival: how late this thread reads is no part of it.
"""

from libc.errno cimport ECONNREFUSED, errno
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc
from libc.string cimport memset

from media.native.load_outgoing cimport feed_hear_nack, feed_hear_pli
from media.native.load_peer cimport (
    LATENCY_BUCKETS,
    ROLE_RTX,
    ROLE_UNKNOWN,
    STAMP_BYTES,
    STAMP_MARK,
    STREAMS_MAX,
    LoadMoment,
    LoadPeer,
    LoadStream,
)
from media.native.nack cimport (
    NACK_PENDING_MAX,
    NackGenerator,
    nack_arrived,
    nack_clear,
    nack_due,
    nack_expected,
    nack_init,
)
from media.native.payload cimport CODEC_AUDIO, CODEC_OPUS, PAYLOAD_OK, PayloadFacts, inspect_payload
from media.native.reception cimport (
    RECEPTION_LATE,
    RECEPTION_NEW,
    RECEPTION_RESTART,
    RECEPTION_SUSPECT,
    reception_init,
    reception_recover,
    reception_report,
    reception_sender_report,
    reception_update,
)
from media.native.rtcp cimport (
    RTCP_FMT_NACK,
    RTCP_FMT_FIR,
    RTCP_FMT_PLI,
    RTCP_PSFB,
    RTCP_REPORT_BLOCKS_MAX,
    RTCP_RTPFB,
    RTCP_SR,
    ReportBlock,
    RtcpPacket,
    SenderInfo,
    build_nack,
    build_pli,
    build_receiver_report,
    feedback_media_ssrc,
    next_rtcp,
    parse_fir,
    parse_nack,
    parse_sender_info,
)
from media.native.rtp cimport RTP_OK, RtpHeader, find_extension, parse_rtp
from media.native.srtp cimport SRTP_TRAILER_MAX, srtp_protect_rtcp, srtp_unprotect, srtp_unprotect_rtcp
from media.native.twcc cimport twcc_build, twcc_pending, twcc_received
from media.native.wire cimport load16, load32

cdef extern from *:
    """
    #include <stdint.h>
    #include <sys/socket.h>
    #ifndef SO_MEMINFO
    #define SO_MEMINFO 55
    #endif
    /* Datagrams that found this socket's buffer full since it was made (SK_MEMINFO_DROPS). */
    static inline uint32_t halqa_socket_drops(int descriptor) {
        uint32_t facts[16] = { 0 };
        socklen_t size = sizeof facts;
        if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, facts, &size) < 0 || size < 9 * sizeof(uint32_t)) return 0;
        return facts[8];
    }
    """
    uint32_t halqa_socket_drops(int descriptor) noexcept nogil
    ssize_t send(int descriptor, const void* data, size_t size, int flags) noexcept nogil
    enum: MSG_DONTWAIT

cdef enum:
    REPLAY_FAIL = 9               # libsrtp: it came before
    REPLAY_OLD = 10
    RTCP_FIRST = 192              # RFC 5761 section 4
    RTCP_LAST = 223
    NS_IN_US = 1000
    REPORT_NS = 1000000000        # between receiver reports
    FEEDBACK_NS = 90000000        # between transport-wide feedback; with the pace of reading some 100 ms, as browsers
    CONTROL_SIZE = 1200
    PATIENCE_NS = 2000000000      # for a key frame until it is asked for (again)
    LIVE_NS = 100000000           # a frame that took no longer is no past that a late joiner is told
    SETTLING_NS = 5000000000      # after so long nothing is past any more
    OVERFLOW_NS = 1500000000      # what is missed so long after our socket overflowed is put down to that

cdef uint32_t CHANCE_STEP = 1664525     # Knuth's linear congruential generator: which packets `loss` takes
cdef uint32_t CHANCE_SHIFT = 1013904223


cdef void load_receive(LoadPeer* peer, uint8_t* datagram, size_t size, int64_t arrived_ns, const LoadMoment* now,
                       uint64_t* latencies) noexcept nogil:
    cdef int opened = <int>size
    cdef int status
    cdef RtpHeader header
    if size >= 2 and RTCP_FIRST <= datagram[1] <= RTCP_LAST:
        if srtp_unprotect_rtcp(peer.opener, datagram, &opened) != 0:
            peer.counters.refused += 1
            return
        peer.counters.control += 1
        hear_control(peer, datagram, opened, now)
        return
    if peer.loss and taken_away(peer, datagram, size):
        return
    status = srtp_unprotect(peer.opener, datagram, &opened)
    if status != 0:
        if status == REPLAY_FAIL or status == REPLAY_OLD:
            peer.counters.duplicates += 1
        else:
            peer.counters.refused += 1
        return
    if parse_rtp(datagram, opened, &header) != RTP_OK:
        peer.counters.refused += 1
        return
    peer.counters.packets += 1
    peer.counters.bytes += size
    if peer.counters.first_packet_ns == 0:
        peer.counters.first_packet_ns = arrived_ns
    if peer.arrivals != NULL:
        note_arrival(peer, datagram, &header, arrived_ns)
    hear_media(peer, datagram, &header, arrived_ns, now, latencies)


cdef inline void note_arrival(LoadPeer* peer, const uint8_t* packet, const RtpHeader* header,
                              int64_t arrived_ns) noexcept nogil:
    cdef int index = find_extension(header, peer.transport_id)
    if index >= 0 and header.extensions[index].length >= 2:
        twcc_received(peer.arrivals, load16(packet + header.extensions[index].offset), arrived_ns // NS_IN_US)


cdef void hear_media(LoadPeer* peer, const uint8_t* packet, const RtpHeader* header, int64_t arrived_ns,
                     const LoadMoment* now, uint64_t* latencies) noexcept nogil:
    """Count a packet in its stream, and what it tells of frames."""
    cdef LoadStream* stream = find_stream(peer, header, now)
    cdef int64_t extended = 0, before
    cdef int verdict
    if stream == NULL:
        return
    if stream.role == ROLE_RTX:
        hear_repair(peer, stream, packet, header, arrived_ns, now)
        return
    if stream.first_at_ns == 0:
        stream.first_at_ns = now.monotonic_ns
        stream.pli_at_ns = now.monotonic_ns
    before = stream.reception.highest
    verdict = reception_update(&stream.reception, header.sequence_number, header.timestamp,
        arrived_ns // NS_IN_US, &extended)
    if verdict == RECEPTION_SUSPECT:
        return
    if stream.dropped_ahead and verdict != RECEPTION_LATE:
        peer.counters.dropped += stream.dropped_ahead
        stream.dropped_ahead = 0
    if stream.nack != NULL:
        if verdict == RECEPTION_NEW and extended > before + 1 and before > 0:
            peer.has_pending = 1
            if nack_expected(stream.nack, before, extended, now.monotonic_ns // NS_IN_US) < 0:
                stream.waits_for_key = 1
        elif verdict == RECEPTION_LATE and nack_arrived(stream.nack, extended, now.monotonic_ns // NS_IN_US):
            stream.repeated += 1
            peer.counters.recovered += 1
        elif verdict == RECEPTION_RESTART:
            nack_clear(stream.nack)
    if stream.is_video:
        follow_key_frame(peer, stream, packet, header, extended, arrived_ns)
    if peer.counts and peer.link == NULL:  # how long a link of our own takes is not the server's latency
        read_stamp(peer, stream, packet, header, arrived_ns, now, latencies)


cdef LoadStream* find_stream(LoadPeer* peer, const RtpHeader* header, const LoadMoment* now) noexcept nogil:
    """Return the stream of a packet, a new one if need be; NULL for an unknown payload type or too many."""
    cdef int i
    cdef uint8_t role
    role = peer.roles[header.payload_type & 0x7F]
    for i in range(peer.stream_count):
        if peer.streams[i].ssrc == header.ssrc:
            if role != ROLE_UNKNOWN and role != ROLE_RTX:
                peer.streams[i].role = role  # a slot may change its codec with its track
            return &peer.streams[i]
    if role == ROLE_UNKNOWN or peer.stream_count == STREAMS_MAX:
        return NULL
    return load_add_stream(peer, header.ssrc, role, 0)


cdef LoadStream* load_add_stream(LoadPeer* peer, uint32_t ssrc, uint8_t role, uint32_t repairs) noexcept nogil:
    """Begin to count a stream; there must be room."""
    cdef LoadStream* stream = &peer.streams[peer.stream_count]
    memset(stream, 0, sizeof(LoadStream))
    stream.ssrc = ssrc
    stream.repairs = repairs
    stream.role = role
    stream.is_video = role != ROLE_RTX and role != CODEC_OPUS and role != CODEC_AUDIO
    stream.waits_for_key = stream.is_video
    reception_init(&stream.reception, 90000 if stream.is_video else 48000)
    if stream.is_video:
        stream.nack = <NackGenerator*>calloc(1, sizeof(NackGenerator))
        if stream.nack != NULL:
            nack_init(stream.nack)
        peer.has_pending = 1
    peer.stream_count += 1
    return stream


cdef bint taken_away(LoadPeer* peer, const uint8_t* datagram, size_t size) noexcept nogil:
    """Whether the user wishes this packet lost: decided before it is opened, so that it can come again.

    Only packets that nothing came behind yet are missed because of it; one that is missing already was missed before.
    """
    cdef LoadStream* stream
    cdef uint16_t ahead
    cdef int i
    peer.chance = peer.chance * CHANCE_STEP + CHANCE_SHIFT
    if peer.chance >= peer.loss or size < 12:
        return False
    for i in range(peer.stream_count):
        stream = &peer.streams[i]
        if stream.ssrc == load32(datagram + 8):
            if stream.role != ROLE_RTX:
                if not stream.reception.started:
                    return False
                ahead = <uint16_t>(load16(datagram + 2) - <uint16_t>stream.reception.highest)
                stream.dropped_ahead += 0 < ahead < 0x8000
            return True
    return False


cdef void hear_repair(LoadPeer* peer, const LoadStream* repair, const uint8_t* packet, const RtpHeader* header,
                      int64_t arrived_ns, const LoadMoment* now) noexcept nogil:
    """Take a packet that came by RTX (RFC 4588); one of padding alone probes for bandwidth."""
    cdef LoadStream* stream
    cdef RtpHeader inner
    cdef int64_t extended = 0
    cdef uint16_t number
    cdef int i
    if header.payload_length < 2:
        return
    number = load16(packet + header.payload_offset)
    for i in range(peer.stream_count):
        stream = &peer.streams[i]
        if stream.nack == NULL or (repair.repairs != 0 and repair.repairs != stream.ssrc):
            continue
        if reception_recover(&stream.reception, number, &extended) < 0:
            continue
        if nack_arrived(stream.nack, extended, now.monotonic_ns // NS_IN_US):
            peer.counters.recovered += 1
            inner = header[0]
            inner.payload_offset += 2
            inner.payload_length -= 2
            follow_key_frame(peer, stream, packet, &inner, extended, arrived_ns)
            return
        stream.reception.recovered -= 1


cdef inline void follow_key_frame(LoadPeer* peer, LoadStream* stream, const uint8_t* packet, const RtpHeader* header,
                                  int64_t extended, int64_t arrived_ns) noexcept nogil:
    """Notice when a key frame has come whole."""
    cdef PayloadFacts facts
    if not stream.waits_for_key:
        return
    if inspect_payload(stream.role, packet + header.payload_offset, header.payload_length, &facts) != PAYLOAD_OK:
        return
    if facts.key_frame and not (stream.in_key and header.timestamp == stream.key_timestamp):
        stream.in_key = 1
        stream.key_timestamp = header.timestamp
        stream.key_first = extended
        stream.key_last = 0
    if not stream.in_key:
        return
    if header.marker and header.timestamp == stream.key_timestamp:
        stream.key_last = extended
    if stream.key_last and not misses_some(stream.nack, stream.key_first, stream.key_last):
        stream.in_key = 0
        stream.waits_for_key = 0
        if peer.counters.first_key_ns == 0:
            peer.counters.first_key_ns = arrived_ns


cdef inline bint misses_some(const NackGenerator* nack, int64_t first, int64_t last) noexcept nogil:
    """Whether a packet of these numbers is awaited."""
    cdef int i
    if nack == NULL:
        return False
    for i in range(nack.count):
        if first <= nack.entries[i].extended <= last:
            return True
    return False


cdef inline void read_stamp(LoadPeer* peer, LoadStream* stream, const uint8_t* packet, const RtpHeader* header,
                            int64_t arrived_ns, const LoadMoment* now, uint64_t* latencies) noexcept nogil:
    cdef const uint8_t* stamp
    cdef int64_t sent_ns = 0, took_ns
    cdef int i
    if header.payload_length < STAMP_BYTES:
        return
    stamp = packet + header.payload_offset + header.payload_length - STAMP_BYTES
    if load32(stamp) != <uint32_t>STAMP_MARK:
        return
    for i in range(6, STAMP_BYTES):
        sent_ns = sent_ns << 7 | (stamp[i] & 0x7F)
    took_ns = arrived_ns - sent_ns
    peer.counters.frames += 1
    if not stream.settled:
        if took_ns > LIVE_NS and now.monotonic_ns - stream.first_at_ns < <int64_t>SETTLING_NS:
            return
        stream.settled = 1
    latencies[latency_bucket(took_ns)] += 1


cdef inline int latency_bucket(int64_t took_ns) noexcept nogil:
    """Return the bucket of a latency: below 16 µs one each, then 16 to a power of two."""
    cdef uint64_t took_us = <uint64_t>(took_ns // NS_IN_US) if took_ns > 0 else 0
    cdef int power = 4, bucket
    if took_us < 16:
        return <int>took_us
    while took_us >> (power + 1):
        power += 1
    bucket = (power - 3) * 16 + <int>((took_us >> (power - 4)) & 15)
    return bucket if bucket < LATENCY_BUCKETS else LATENCY_BUCKETS - 1


cdef void hear_control(LoadPeer* peer, const uint8_t* compound, size_t size, const LoadMoment* now) noexcept nogil:
    cdef RtcpPacket packet
    cdef SenderInfo sender
    cdef uint16_t numbers[512]
    cdef uint32_t ssrc = 0
    cdef uint8_t command
    cdef size_t offset = 0
    cdef int i, count
    cdef uint64_t plis_before = peer.counters.plis_heard
    while next_rtcp(compound, size, &offset, &packet) == 1:
        if packet.packet_type == RTCP_SR and parse_sender_info(&packet, &sender) == 0:
            for i in range(peer.stream_count):
                if peer.streams[i].ssrc == packet.ssrc:
                    reception_sender_report(&peer.streams[i].reception, sender.ntp, sender.rtp_timestamp,
                        now.wall_ns // NS_IN_US)
        elif packet.packet_type == RTCP_RTPFB and packet.count == RTCP_FMT_NACK:
            count = parse_nack(&packet, &ssrc, numbers, 512)
            if count > 0:
                feed_hear_nack(peer, ssrc, numbers, count)
        elif packet.packet_type == RTCP_PSFB and packet.count == RTCP_FMT_PLI:
            feed_hear_pli(peer, feedback_media_ssrc(&packet))
        elif packet.packet_type == RTCP_PSFB and packet.count == RTCP_FMT_FIR:
            i = 0
            while parse_fir(&packet, i, &ssrc, &command) == 0:
                feed_hear_pli(peer, ssrc)
                i += 1
    peer.counters.asked += peer.counters.plis_heard != plis_before


cdef void load_ask(LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    cdef uint8_t packet[CONTROL_SIZE + SRTP_TRAILER_MAX]
    cdef uint16_t numbers[NACK_PENDING_MAX]
    cdef LoadStream* stream
    cdef int i, count, abandoned = 0
    cdef bint waits = False
    for i in range(peer.stream_count):
        stream = &peer.streams[i]
        if not stream.is_video or stream.nack == NULL:
            continue
        if stream.nack.count:
            waits = True
            count = nack_due(stream.nack, now.monotonic_ns // NS_IN_US, numbers, NACK_PENDING_MAX, &abandoned)
            if count > 0:
                peer.counters.nacked += count
                load_send_control(peer, packet,
                    build_nack(packet, CONTROL_SIZE, peer.ssrc, stream.ssrc, numbers, count))
            if abandoned > 0:
                stream.waits_for_key = 1
        if stream.waits_for_key:
            waits = True
            if stream.first_at_ns and now.monotonic_ns - stream.pli_at_ns > PATIENCE_NS:
                stream.pli_at_ns = now.monotonic_ns
                peer.counters.plis += 1
                load_send_control(peer, packet, build_pli(packet, CONTROL_SIZE, peer.ssrc, stream.ssrc))
    peer.has_pending = waits


cdef void load_report(LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    cdef uint8_t packet[CONTROL_SIZE + SRTP_TRAILER_MAX]
    cdef ReportBlock blocks[RTCP_REPORT_BLOCKS_MAX]
    cdef LoadStream* stream
    cdef size_t size
    cdef int i, count = 0
    if peer.arrivals != NULL and now.monotonic_ns >= peer.feedback_due_ns and twcc_pending(peer.arrivals) > 0:
        peer.feedback_due_ns = now.monotonic_ns + FEEDBACK_NS
        while True:
            size = twcc_build(peer.arrivals, packet, CONTROL_SIZE, peer.ssrc, peer.streams[0].ssrc)
            if size == 0:
                break
            load_send_control(peer, packet, size)
    if now.monotonic_ns < peer.report_due_ns:
        return
    peer.report_due_ns += REPORT_NS
    if peer.report_due_ns <= now.monotonic_ns:
        peer.report_due_ns = now.monotonic_ns + REPORT_NS
    load_account(peer, now.wall_ns)
    for i in range(peer.stream_count):
        stream = &peer.streams[i]
        if stream.role != ROLE_RTX and stream.reception.started and count < RTCP_REPORT_BLOCKS_MAX:
            reception_report(&stream.reception, stream.ssrc, now.wall_ns // NS_IN_US, &blocks[count])
            count += 1
    if count:
        peer.has_pending = 1
        load_send_control(peer, packet, build_receiver_report(packet, CONTROL_SIZE, peer.ssrc, blocks, count))


cdef void load_account(LoadPeer* peer, int64_t wall_ns) noexcept nogil:
    cdef uint32_t drops = halqa_socket_drops(peer.descriptor)
    cdef int64_t missing = 0, fresh
    cdef int i
    for i in range(peer.stream_count):
        if peer.streams[i].role != ROLE_RTX:
            missing += peer.streams[i].reception.lost + peer.streams[i].repeated
    missing -= <int64_t>peer.counters.dropped
    fresh = missing - peer.lost_seen
    peer.lost_seen = missing
    if drops != peer.socket_drops:
        peer.socket_drops = drops
        peer.drops_at_ns = wall_ns
    if peer.drops_at_ns and wall_ns - peer.drops_at_ns < OVERFLOW_NS:
        peer.counters.lost_here += fresh
    else:
        peer.counters.lost += fresh


cdef void load_send_control(LoadPeer* peer, uint8_t* packet, size_t size) noexcept nogil:
    cdef int sealed = <int>size
    if size == 0 or srtp_protect_rtcp(peer.sealer, packet, &sealed) != 0:
        return
    if send(peer.descriptor, packet, sealed, MSG_DONTWAIT) < 0 and errno == ECONNREFUSED:
        peer.counters.unreachable += 1


def bucket_us(int bucket) -> int:
    """Return the lower bound of a bucket of latencies, in microseconds."""
    if bucket < 16:
        return bucket
    return (16 + bucket % 16) << (bucket // 16 - 1)


def bucket_of(int64_t took_ns) -> int:
    """Return the bucket of a latency in nanoseconds; what is negative counts as none."""
    return latency_bucket(took_ns)
