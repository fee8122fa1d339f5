# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What a peer of the load generator sends: prepared frames, stamped, sealed and sent in time, again when asked for.

The last packet of a frame ends with a stamp: mark, publisher, and the wall clock when it was sealed. A camera makes a
key frame at once; a clip has one at some places of each turn, so a feed changes to the turn that has one next.
"""

from libc.errno cimport ECONNREFUSED, errno
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from media.native.load_peer cimport (
    FEED_KEPT,
    FEED_PACKET_BYTES,
    FLOOD_BYTES_MAX,
    STAMP_BYTES,
    STAMP_MARK,
    LoadClip,
    LoadFeed,
    LoadFlood,
    LoadMoment,
    LoadPeer,
)
from media.native.payload cimport CODEC_OPUS, CODEC_VP8
from media.native.rtcp cimport SenderInfo, build_sender_report
from media.native.srtp cimport SRTP_TRAILER_MAX, srtp_protect, srtp_protect_rtcp
from media.native.wire cimport store16, store32

cdef extern from *:
    """
    #include <stdint.h>
    #include <sys/socket.h>
    #include <time.h>
    static inline int64_t halqa_wall_ns(void) {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
    }
    """
    int64_t halqa_wall_ns() noexcept nogil
    ssize_t send(int descriptor, const void* data, size_t size, int flags) noexcept nogil
    enum: MSG_DONTWAIT

cdef enum:
    HEADER_BYTES = 12
    LATE_FRAMES_MAX = 15          # who is further behind lets frames go: half a second at 30 a second
    REPORT_SIZE = 64
    FLOOD_RUN_MAX = 4096          # compounds at once: who is further behind lets them go
    VP8_NUMBER_AT = 2             # of the descriptor that `benchmarks.counted.payloads` writes: picture id, TL0PICIDX

cdef int64_t NEVER_NS = <int64_t>1 << 62
cdef int64_t EPOCH_1900_S = 2208988800  # seconds from NTP's epoch to that of Unix


cdef int64_t load_play(LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    cdef int64_t next_ns = NEVER_NS
    cdef LoadFeed* feed
    cdef int i
    for i in range(peer.feed_count):
        feed = &peer.feeds[i]
        if now.monotonic_ns - feed.due_ns > LATE_FRAMES_MAX * feed.clip.frame_ns:
            feed.due_ns = now.monotonic_ns
        while feed.due_ns <= now.monotonic_ns:
            if not feed.paused:
                send_frame(peer, feed)
            feed.timestamp += feed.clip.frame_ticks
            feed.due_ns += feed.clip.frame_ns
        if feed.due_ns < next_ns:
            next_ns = feed.due_ns
    return next_ns


cdef void send_frame(LoadPeer* peer, LoadFeed* feed) noexcept nogil:
    """Send the next frame of the clip."""
    cdef const LoadClip* clip = feed.clip
    cdef uint32_t at, end, place
    if feed.wants_key and clip.turn_of_key[feed.at] >= 0:
        feed.turn = <uint32_t>clip.turn_of_key[feed.at]
        feed.wants_key = 0
    if clip.codec != CODEC_OPUS and clip.key_at[feed.turn] == feed.at:
        feed.wants_key = 0
        peer.counters.keys_sent += 1
    place = feed.turn * clip.frames + feed.at
    at, end = clip.first[place], clip.first[place + 1]
    while at < end:
        send_packet(peer, feed, clip.payloads + clip.offset[at], clip.offset[at + 1] - clip.offset[at], at + 1 == end)
        at += 1
    feed.at = (feed.at + 1) % clip.frames
    feed.picture_id = (feed.picture_id + 1) & 0x7FFF
    feed.tl0 += 1


cdef void send_packet(LoadPeer* peer, LoadFeed* feed, const uint8_t* payload, size_t size, bint last) noexcept nogil:
    """Build a packet, keep it to send it again, seal and send it."""
    cdef uint8_t* packet = feed.kept + (feed.number % FEED_KEPT) * FEED_PACKET_BYTES
    cdef size_t start = HEADER_BYTES + feed.block_bytes
    cdef bint is_sound = feed.clip.codec == CODEC_OPUS
    packet[0] = 0x90 if feed.block_bytes else 0x80
    packet[1] = feed.payload_type | (0x80 if last and not is_sound else 0)
    store16(packet + 2, feed.number)
    store32(packet + 4, feed.timestamp)
    store32(packet + 8, feed.ssrc)
    memcpy(packet + HEADER_BYTES, feed.block, feed.block_bytes)
    memcpy(packet + start, payload, size)
    if feed.clip.codec == CODEC_VP8:
        store16(packet + start + VP8_NUMBER_AT, 0x8000 | feed.picture_id)
        packet[start + VP8_NUMBER_AT + 2] = feed.tl0
    if feed.transport_at >= 0:
        peer.transport_number += 1
        store16(packet + HEADER_BYTES + feed.transport_at, peer.transport_number)
    if last:
        write_stamp(packet + start + size - STAMP_BYTES, feed.publisher)
    feed.kept_bytes[feed.number % FEED_KEPT] = <uint16_t>(start + size)
    feed.number += 1
    feed.packets += 1
    feed.octets += <uint32_t>size
    seal_and_send(peer, packet, start + size)


cdef inline void write_stamp(uint8_t* out, uint16_t publisher) noexcept nogil:
    cdef uint64_t now_ns = <uint64_t>halqa_wall_ns()
    cdef int i
    store32(out, <uint32_t>STAMP_MARK)
    out[4] = <uint8_t>(0x80 | (publisher >> 7 & 0x7F))
    out[5] = <uint8_t>(0x80 | (publisher & 0x7F))
    for i in range(10):
        out[STAMP_BYTES - 1 - i] = <uint8_t>(0x80 | (now_ns & 0x7F))
        now_ns >>= 7


cdef void seal_and_send(LoadPeer* peer, const uint8_t* packet, size_t size) noexcept nogil:
    cdef uint8_t sealed[FEED_PACKET_BYTES + SRTP_TRAILER_MAX]
    cdef int sealed_bytes = <int>size
    memcpy(sealed, packet, size)
    if srtp_protect(peer.sealer, sealed, &sealed_bytes) != 0:
        peer.counters.unsent += 1
    elif send(peer.descriptor, sealed, sealed_bytes, MSG_DONTWAIT) < 0:
        peer.counters.unsent += 1
        peer.counters.unreachable += errno == ECONNREFUSED
    else:
        peer.counters.sent += 1
        peer.counters.sent_bytes += sealed_bytes


cdef void load_tell(LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    cdef uint8_t packet[REPORT_SIZE + SRTP_TRAILER_MAX]
    cdef SenderInfo sender
    cdef LoadFeed* feed
    cdef size_t size
    cdef int i, sealed
    cdef int64_t before_ns
    for i in range(peer.feed_count):
        feed = &peer.feeds[i]
        if feed.packets == 0:
            continue
        sender.ntp = <uint64_t>(now.wall_ns // 1000000000 + EPOCH_1900_S) << 32
        sender.ntp |= (<uint64_t>(now.wall_ns % 1000000000) << 32) // 1000000000
        before_ns = feed.due_ns - now.monotonic_ns  # the timestamp is that of the frame that comes next
        sender.rtp_timestamp = feed.timestamp - <uint32_t>(before_ns * feed.clip.frame_ticks // feed.clip.frame_ns)
        sender.packets = feed.packets
        sender.octets = feed.octets
        size = build_sender_report(packet, REPORT_SIZE, feed.ssrc, &sender)
        sealed = <int>size
        if srtp_protect_rtcp(peer.sealer, packet, &sealed) == 0:
            if send(peer.descriptor, packet, sealed, MSG_DONTWAIT) < 0 and errno == ECONNREFUSED:
                peer.counters.unreachable += 1


cdef void load_flood(LoadPeer* peer, const LoadMoment* now) noexcept nogil:
    cdef uint8_t packet[FLOOD_BYTES_MAX + SRTP_TRAILER_MAX]
    cdef LoadFlood* flood = peer.flood
    cdef uint32_t start
    cdef int size
    flood.due_ns = max(flood.due_ns, now.monotonic_ns - FLOOD_RUN_MAX * flood.every_ns)
    while flood.due_ns <= now.monotonic_ns:
        flood.due_ns += flood.every_ns
        start = flood.offset[flood.at]
        size = <int>(flood.offset[flood.at + 1] - start)
        flood.at = (flood.at + 1) % flood.count
        memcpy(packet, flood.octets + start, size)
        if srtp_protect_rtcp(peer.sealer, packet, &size) == 0 and send(peer.descriptor, packet, size,
                MSG_DONTWAIT) >= 0:
            flood.sent += 1


cdef void feed_hear_nack(LoadPeer* peer, uint32_t ssrc, const uint16_t* numbers, int count) noexcept nogil:
    cdef int i, j
    for i in range(peer.feed_count):
        if peer.feeds[i].ssrc == ssrc:
            peer.counters.nacks_heard += count
            for j in range(count):
                send_again(peer, &peer.feeds[i], numbers[j])


cdef void send_again(LoadPeer* peer, LoadFeed* feed, uint16_t number) noexcept nogil:
    """Send a packet that is kept once more: by RTX (RFC 4588) where that was agreed on."""
    cdef const uint8_t* kept = feed.kept + (number % FEED_KEPT) * FEED_PACKET_BYTES
    cdef size_t size = feed.kept_bytes[number % FEED_KEPT], start, body
    cdef uint8_t packet[FEED_PACKET_BYTES]
    if size == 0 or <uint16_t>(feed.number - 1 - number) >= FEED_KEPT:
        return
    peer.counters.resent += 1
    if feed.rtx_ssrc == 0:
        seal_and_send(peer, kept, size)
        return
    start = HEADER_BYTES + feed.rtx_block_bytes
    body = size - HEADER_BYTES - feed.block_bytes
    if start + 2 + body > FEED_PACKET_BYTES:
        return
    memcpy(packet, kept, HEADER_BYTES)
    packet[0] = 0x90 if feed.rtx_block_bytes else 0x80
    packet[1] = (kept[1] & 0x80) | feed.rtx_payload_type
    store16(packet + 2, feed.rtx_number)
    store32(packet + 8, feed.rtx_ssrc)
    memcpy(packet + HEADER_BYTES, feed.rtx_block, feed.rtx_block_bytes)
    if feed.rtx_transport_at >= 0:
        peer.transport_number += 1
        store16(packet + HEADER_BYTES + feed.rtx_transport_at, peer.transport_number)
    store16(packet + start, number)
    memcpy(packet + start + 2, kept + HEADER_BYTES + feed.block_bytes, body)
    feed.rtx_number += 1
    seal_and_send(peer, packet, start + 2 + body)


cdef void feed_hear_pli(LoadPeer* peer, uint32_t ssrc) noexcept nogil:
    cdef int i
    for i in range(peer.feed_count):
        if peer.feeds[i].ssrc == ssrc:
            peer.counters.plis_heard += 1
            peer.feeds[i].wants_key = 1
