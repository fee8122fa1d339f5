# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""The life of an incoming datagram: classify, open, recognise, account, store, and plan its way out."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc
from libc.string cimport memcpy, memmove

from media.native.audio_levels cimport hearing_add
from media.native.consent cimport ANSWER_MAX, consent_answer
from media.native.events cimport EVENT_DTLS, EVENT_FORMAT, EVENT_STRAY, EVENT_STUN, Event, ring_publish, ring_reserve
from media.native.fanout cimport flush_plans, plan_packet
from media.native.feedback cimport note_busy, receive_rtcp
from media.native.history cimport HistoryEntry, history_get, history_put
from media.native.inbox cimport LETTER_RESTART
from media.native.lateness cimport lateness_note, lateness_tell
from media.native.layers cimport layers_new, layers_take_descriptor, layers_take_vp9
from media.native.lifecycle cimport (
    SILENCE_AWAITED, SILENCE_MAX, find_stream, lowest_flowing, open_history, resync_consumers, retarget,
)
from media.native.links cimport tell_break, tell_packet
from media.native.nack cimport nack_arrived, nack_clear, nack_expected, nack_forget_before
from media.native.payload cimport CODEC_VP8, CODEC_VP9, LAYER_UNKNOWN, audio_level, inspect_payload
from media.native.reception cimport (
    RECEPTION_LATE, RECEPTION_NEW, RECEPTION_RESTART, RECEPTION_SUSPECT, reception_recover, reception_update,
)
from media.native.recognise cimport is_stranger_too_many, recognise, remember_stranger
from media.native.replay cimport replay_note_key_frame
from media.native.rows cimport (
    KIND_AUDIO_LEVEL, KIND_DEPENDENCY_DESCRIPTOR, KIND_TWCC, NONE8, STREAM_RTX, Core, Encoding, Producer, Stream,
    Transport,
)
from media.native.rtp cimport RtpExtension, RtpHeader, parse_rtp
from media.native.srtp cimport srtp_unprotect, srtp_unprotect_rtcp
from media.native.strays cimport find_sender
from media.native.table cimport table_get
from media.native.twcc cimport TwccRecorder, twcc_init, twcc_received
from media.native.udp cimport AddressKey, UdpAddress, address_key, send_commit, send_slot
from media.native.wire cimport load16, load32, store16, store32
from media.native.wishes cimport answer_wishes, want_key_frame

cdef enum:
    STUN_LAST = 3
    STUN_HEADER_BYTES = 20
    STUN_MAGIC_COOKIE = 0x2112A442 # RFC 8489 section 5
    CONTROL_WINDOW_US = 100000
    # a DTLS handshake with repeats and a check every 50 ms on ten candidate pairs is half of it
    CONTROL_MAX = 64
    DTLS_FIRST = 20
    DTLS_LAST = 63
    RTP_FIRST = 128
    RTP_LAST = 191
    RTCP_TYPE_FIRST = 192         # RFC 5761 section 4
    RTCP_TYPE_LAST = 223
    RTP_HEADER_BYTES = 12
    RTCP_HEADER_BYTES = 8
    RTX_HEADER_BYTES = 2
    SRTP_REPLAY_FAIL = 9          # libsrtp's status numbers
    SRTP_REPLAY_OLD = 10
    FRAMES_PER_FRAME = 2          # of the lowest encoding, for each of one above
    BEHIND_MAX = 16               # packets behind a late one that may be missing, too
    STRUCTURE_AT = 3              # byte of a dependency descriptor whose first bit says that it brings a structure


cdef void receive_datagram(Core* core, uint8_t* data, int size, const UdpAddress* source,
        uint64_t now_us) noexcept nogil:
    """Take one datagram; `data` is decrypted in place."""
    cdef AddressKey key
    cdef Transport* transport
    cdef uint8_t first
    core.now_us = now_us
    core.counters.datagrams += 1
    if size < 1:
        core.counters.truncated += 1
        return
    first = data[0]
    key = address_key(source)
    transport = <Transport*>table_get(&core.addresses, key.words[0], key.words[1], key.words[2])
    if RTP_FIRST <= first <= RTP_LAST:
        if transport == NULL:
            core.counters.unknown_address += 1
            notice_stray(core, data, size, source, now_us)
        elif transport.inbound == NULL:
            core.counters.no_keys += 1
        elif size >= 2 and RTCP_TYPE_FIRST <= data[1] <= RTCP_TYPE_LAST:
            open_rtcp(core, transport, data, size, now_us)
        else:
            open_rtp(core, transport, data, size, now_us)
    elif first <= STUN_LAST:
        if size < STUN_HEADER_BYTES or load32(data + 4) != STUN_MAGIC_COOKIE:
            core.counters.unclassified += 1
            return
        core.counters.stun += 1
        if transport != NULL and answers_check(core, transport, data, size, source, now_us):
            return
        pass_on(core, EVENT_STUN, transport, data, size, source, now_us)
    elif DTLS_FIRST <= first <= DTLS_LAST:
        if transport == NULL:
            core.counters.unknown_address += 1
        else:
            core.counters.dtls += 1
            pass_on(core, EVENT_DTLS, transport, data, size, source, now_us)
    else:
        core.counters.unclassified += 1


cdef bint answers_check(Core* core, Transport* transport, const uint8_t* data, int size, const UdpAddress* source,
        uint64_t now_us) noexcept nogil:
    """Answer a check that only repeats what is known; 0 if it is for the ICE agent."""
    cdef uint8_t answer[ANSWER_MAX]
    cdef int answer_bytes
    if transport.consent == NULL or not transport.has_address:
        return False
    answer_bytes = consent_answer(transport.consent, data, size, source, now_us, answer)
    if answer_bytes == 0:
        return False
    memcpy(send_slot(&core.send), answer, answer_bytes)
    send_commit(&core.send, answer_bytes, source)
    core.counters.stun_answered += 1
    return True


cdef void notice_stray(Core* core, const uint8_t* data, int size, const UdpAddress* source,
        uint64_t now_us) noexcept nogil:
    """Tell Python if a peer sends from an address that no check came from; the packet is dropped."""
    cdef bint is_rtcp = size >= 2 and RTCP_TYPE_FIRST <= data[1] <= RTCP_TYPE_LAST
    cdef Transport* sender = find_sender(core, data, size, is_rtcp, now_us)
    if sender != NULL:
        core.counters.strays += 1
        pass_on(core, EVENT_STRAY, sender, data, 0, source, now_us)


cdef bint floods(Transport* transport, uint64_t now_us) noexcept nogil:
    """1 if a transport sends more control datagrams than it can need: others must find room in the ring too."""
    if now_us - transport.control_us >= CONTROL_WINDOW_US:
        transport.control_us = now_us
        transport.control_count = 0
    transport.control_count += 1
    return transport.control_count > CONTROL_MAX


cdef void pass_on(Core* core, uint8_t kind, Transport* transport, const uint8_t* data, int size,
        const UdpAddress* source, uint64_t now_us) noexcept nogil:
    """Hand a control datagram to Python."""
    cdef Event* event
    if transport != NULL and floods(transport, now_us):
        core.counters.control_flooded += 1
        return
    event = ring_reserve(&core.ring, transport != NULL)
    if event == NULL:
        return
    event.kind = kind
    event.transport = transport.id if transport != NULL else 0
    event.source = source[0]
    event.size = <uint16_t>size
    memcpy(event.payload, data, size)
    ring_publish(&core.ring)


cdef void reject(Core* core, int status) noexcept nogil:
    if status == SRTP_REPLAY_FAIL or status == SRTP_REPLAY_OLD:
        core.counters.srtp_replayed += 1
    else:
        core.counters.srtp_rejected += 1


cdef void open_rtcp(Core* core, Transport* transport, uint8_t* data, int size, uint64_t now_us) noexcept nogil:
    cdef int status
    cdef uint32_t ssrc
    cdef bint known
    if size < RTCP_HEADER_BYTES:
        core.counters.rtcp_malformed += 1
        return
    ssrc = load32(data + 4)
    known = find_stream(core, transport, ssrc) != NULL
    if not known and is_stranger_too_many(transport, ssrc):
        core.counters.strangers += 1
        return
    status = srtp_unprotect_rtcp(transport.inbound, data, &size)
    if status != 0:
        reject(core, status)
        return
    if not known:
        remember_stranger(transport, ssrc)
    core.counters.rtcp_packets += 1
    receive_rtcp(core, transport, data, size, now_us)


cdef void open_rtp(Core* core, Transport* transport, uint8_t* data, int size, uint64_t now_us) noexcept nogil:
    """Authenticate and decrypt, then find the stream that the packet belongs to."""
    cdef RtpHeader header
    cdef Stream* stream
    cdef uint32_t ssrc
    cdef int status
    if size < RTP_HEADER_BYTES:
        core.counters.rtp_malformed += 1
        return
    ssrc = load32(data + 8)
    stream = find_stream(core, transport, ssrc)
    if stream == NULL and is_stranger_too_many(transport, ssrc):
        core.counters.strangers += 1
        return
    status = srtp_unprotect(transport.inbound, data, &size)
    if status != 0:
        reject(core, status)
        return
    core.counters.rtp_packets += 1
    core.counters.rtp_bytes += size
    transport.packets_in += 1
    transport.bytes_in += size
    transport.last_packet_us = now_us
    if not transport.is_busy:
        note_busy(core, transport)
    if parse_rtp(data, size, &header) < 0:
        core.counters.rtp_malformed += 1
        return
    transport.last_media_ssrc = ssrc
    record_arrival(transport, data, &header, now_us)
    if stream == NULL:
        flush_plans(core)  # a new stream may empty the history that plans point into
        stream = recognise(core, transport, data, &header)
        if stream == NULL:
            remember_stranger(transport, ssrc)
            core.counters.unrouted += 1
            return
    receive_stream(core, stream, data, size, &header, now_us)


cdef void record_arrival(Transport* transport, const uint8_t* data, const RtpHeader* header,
        uint64_t now_us) noexcept nogil:
    """Note the transport-wide sequence number for feedback."""
    cdef int i
    for i in range(header.extension_count):
        if transport.in_kinds[header.extensions[i].id] == KIND_TWCC and header.extensions[i].length >= 2:
            if transport.twcc == NULL:
                transport.twcc = <TwccRecorder*>calloc(1, sizeof(TwccRecorder))
                if transport.twcc == NULL:
                    return
                twcc_init(transport.twcc)
            twcc_received(transport.twcc, load16(data + header.extensions[i].offset), now_us)
            return


cdef void receive_stream(Core* core, Stream* stream, uint8_t* data, int size, RtpHeader* header,
        uint64_t now_us) noexcept nogil:
    """Account a packet of a known stream; undo RTX, drop padding, then take it."""
    cdef Producer* producer = stream.producer
    cdef Encoding* encoding = &producer.encodings[stream.encoding]
    cdef int64_t extended, previous
    cdef uint64_t asked_and_arrived
    cdef int verdict
    cdef uint8_t codec_index
    encoding.bytes += size
    if stream.kind == STREAM_RTX:
        if header.payload_length <= RTX_HEADER_BYTES:
            core.counters.probes += 1
            return
        codec_index = producer.rtx_of[header.payload_type]
        if codec_index == NONE8 or not encoding.bound:
            core.counters.unknown_payload_type += 1
            return
        undo_rtx(data, header, encoding.ssrc, producer.codecs[codec_index].payload_type)
        if reception_recover(&encoding.reception, header.sequence_number, &extended) < 0:
            core.counters.suspect += 1
            return
        verdict = RECEPTION_LATE
    else:
        codec_index = producer.codec_of[header.payload_type]
        if codec_index == NONE8:
            core.counters.unknown_payload_type += 1
            return
        previous = encoding.reception.highest if encoding.reception.started else -1
        verdict = reception_update(&encoding.reception, header.sequence_number, header.timestamp, now_us, &extended)
        if verdict == RECEPTION_SUSPECT:
            core.counters.suspect += 1
            return
        count_offered(encoding, size)
        if verdict == RECEPTION_RESTART:
            flush_plans(core)
            nack_clear(&encoding.nack)
            resync_consumers(producer, stream.encoding)
            if producer.links != NULL:
                tell_break(core, producer, stream.encoding, LETTER_RESTART)
        elif verdict == RECEPTION_NEW and previous >= 0 and producer.codecs[codec_index].nacks and not producer.paused:
            if nack_expected(&encoding.nack, previous, extended, now_us) < 0:
                want_key_frame(core, producer, stream.encoding, now_us)
    if verdict == RECEPTION_LATE:
        asked_and_arrived = encoding.nack.arrived
        if nack_arrived(&encoding.nack, extended, now_us) and stream.kind == STREAM_RTX:
            count_offered(encoding, size)
        core.counters.nack_recovered += encoding.nack.arrived - asked_and_arrived
    encoding.packets += 1
    take_packet(core, producer, stream.encoding, data, header, codec_index, extended, verdict != RECEPTION_LATE, now_us)


cdef inline void count_offered(Encoding* encoding, int size) noexcept nogil:
    """Count what viewers are offered. Browsers probe their way up with repeats of what came: those cost no viewer."""
    encoding.reception.bytes += size
    encoding.interval_bytes += size


cdef void undo_rtx(uint8_t* data, RtpHeader* header, uint32_t ssrc, uint8_t payload_type) noexcept nogil:
    """Turn a retransmission into the packet that it repeats (RFC 4588 section 4), in place."""
    cdef uint8_t* payload = data + header.payload_offset
    header.sequence_number = load16(payload)
    header.payload_length -= RTX_HEADER_BYTES
    memmove(payload, payload + RTX_HEADER_BYTES, header.payload_length)
    header.ssrc = ssrc
    header.payload_type = payload_type
    store16(data + 2, header.sequence_number)
    data[1] = payload_type | (header.marker << 7)
    store32(data + 8, ssrc)


cdef void take_packet(Core* core, Producer* producer, uint8_t index, uint8_t* data, RtpHeader* header,
        uint8_t codec_index, int64_t extended, bint is_new,
                      uint64_t now_us) noexcept nogil:
    """Store a packet once and fan it out."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef HistoryEntry* entry
    note_arrival(producer, index, now_us)
    if not encoding.active and encoding.silence <= FRAMES_PER_FRAME:
        flush_plans(core)
        encoding.active = 1
        retarget(producer)
    if producer.paused:
        core.counters.paused += 1
        return
    if open_history(producer, index) < 0:
        return
    header.padding_length = 0
    data[0] &= 0xDF
    entry = history_put(&encoding.history, extended, data, header.payload_offset + header.payload_length, now_us)
    if entry == NULL:
        core.counters.duplicates += 1
        return
    if producer.links != NULL:
        tell_packet(core, producer, index, codec_index, extended, is_new, data,
            header.payload_offset + header.payload_length, now_us)
    if header.marker:
        note_frame(producer, index)
    entry.header = header[0]
    if header.payload_length == 0:
        core.counters.probes += 1
        entry.facts.temporal_id = LAYER_UNKNOWN
    elif inspect_payload(producer.codecs[codec_index].codec, data + header.payload_offset, header.payload_length,
            &entry.facts) < 0:
        core.counters.rtp_malformed += 1  # forwarded all the same: the viewer's decoder is the judge
    if producer.is_video:
        note_lateness(producer, encoding, entry, is_new, now_us)
    if producer.is_video and header.payload_length:
        note_layers(core, producer, encoding, entry, data, producer.codecs[codec_index].codec)
    if entry.facts.key_frame and producer.is_video and header.payload_length:
        note_key_frame(core, producer, index, entry, is_new, now_us)
    if encoding.codec_index != codec_index or (encoding.layers != NULL and encoding.layers.is_new) or (
            entry.facts.height and (entry.facts.width != encoding.width or entry.facts.height != encoding.height)):
        note_format(core, producer, index, entry, codec_index)
    if not producer.is_video and producer.home_id == 0:
        note_level(core, producer, header, data)
    plan_packet(core, producer, index, entry, codec_index, is_new, data, now_us)


cdef void note_lateness(Producer* producer, Encoding* encoding, const HistoryEntry* entry, bint is_new,
        uint64_t now_us) noexcept nogil:
    """Measure by how much a late packet came after the one behind it, here and on mirrors alike."""
    cdef const HistoryEntry* behind = NULL
    cdef int i
    if not is_new:
        for i in range(1, BEHIND_MAX + 1):
            behind = history_get(&encoding.history, entry.extended + i)
            if behind != NULL:
                lateness_note(&producer.lateness, now_us - min(behind.arrival_us, now_us), now_us)
                break
    producer.picture_delay = lateness_tell(&producer.lateness, now_us)


cdef void note_layers(Core* core, Producer* producer, Encoding* encoding, HistoryEntry* entry, const uint8_t* data,
        uint8_t codec) noexcept nogil:
    """Keep which frame of which layers a packet belongs to, if it says so. VP8 has one size, and its own rules."""
    cdef const RtpExtension* descriptor = NULL
    cdef int i
    if codec == CODEC_VP8:
        return
    for i in range(entry.header.extension_count):
        if producer.transport.in_kinds[entry.header.extensions[i].id] == KIND_DEPENDENCY_DESCRIPTOR:
            descriptor = &entry.header.extensions[i]
            break
    if descriptor == NULL and (codec != CODEC_VP9 or entry.facts.spatial_id == LAYER_UNKNOWN):
        return
    if encoding.layers == NULL:
        encoding.layers = layers_new()
        if encoding.layers == NULL:
            return
    if descriptor != NULL:
        if descriptor.length > STRUCTURE_AT and data[descriptor.offset + STRUCTURE_AT] & 0x80:
            flush_plans(core)  # what was planned means the targets that there were
        layers_take_descriptor(encoding.layers, data + descriptor.offset, descriptor.length, entry.size, &entry.layers)
    else:
        layers_take_vp9(encoding.layers, &entry.facts, entry.size, &entry.layers)


cdef void note_level(Core* core, Producer* producer, const RtpHeader* header, const uint8_t* data) noexcept nogil:
    """Keep how loud a packet says that it is, for whoever looks for speakers."""
    cdef int i
    cdef uint8_t level, voice
    for i in range(header.extension_count):
        if producer.transport.in_kinds[header.extensions[i].id] == KIND_AUDIO_LEVEL:
            if audio_level(data + header.extensions[i].offset, header.extensions[i].length, &level, &voice) == 0:
                hearing_add(&core.hearing, &producer.levels, level, voice)
            return


cdef void note_arrival(Producer* producer, uint8_t index, uint64_t now_us) noexcept nogil:
    """Note that an encoding is not silent now; the lowest, and who is awaited, need not keep pace with any other."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef int lowest = lowest_flowing(producer)
    encoding.last_packet_us = now_us
    if index <= lowest or lowest < 0 or encoding.silence == SILENCE_AWAITED:
        encoding.silence = 0


cdef void note_frame(Producer* producer, uint8_t index) noexcept nogil:
    """Count the frames that each encoding is behind the others: silence in time alone may be a still picture.

    The lowest may be as slow as it likes while it sends anything. Those above are to send at least half as many frames
    as it does: a browser with little uplink starves them to one or two a second, long before it stops them.
    """
    cdef int lowest = lowest_flowing(producer)
    cdef Encoding* encoding = &producer.encodings[index]
    cdef int i
    if index > lowest >= 0:
        encoding.silence -= min(encoding.silence, <uint32_t>FRAMES_PER_FRAME)
        producer.encodings[lowest].silence += 1
        return
    for i in range(index + 1, producer.encoding_count):
        encoding = &producer.encodings[i]
        if encoding.bound and encoding.silence < SILENCE_MAX:
            encoding.silence += 1


cdef void note_key_frame(Core* core, Producer* producer, uint8_t index, HistoryEntry* entry, bint is_new,
        uint64_t now_us) noexcept nogil:
    replay_note_key_frame(producer, index, entry)
    if is_new:
        core.counters.key_frames += producer.home_id == 0
        answer_wishes(producer, index, now_us)
        nack_forget_before(&producer.encodings[index].nack, entry.extended)


cdef void note_format(Core* core, Producer* producer, uint8_t index, HistoryEntry* entry,
        uint8_t codec_index) noexcept nogil:
    """Tell Python the payload type and, where a key frame shows it, the picture size."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef Event* event = ring_reserve(&core.ring, True)
    encoding.codec_index = codec_index
    if encoding.layers != NULL:
        encoding.layers.is_new = 0
    if encoding.reception.clock_rate_hz != producer.codecs[codec_index].clock_rate_hz:
        encoding.reception.clock_rate_hz = producer.codecs[codec_index].clock_rate_hz
    if entry.facts.height:
        encoding.width = entry.facts.width
        encoding.height = entry.facts.height
    if event == NULL:
        return
    event.kind = EVENT_FORMAT
    event.transport = producer.transport.id
    event.first = producer.id
    event.second = index
    event.third = producer.codecs[codec_index].payload_type
    event.fourth = (<uint32_t>encoding.width << 16) | encoding.height
    ring_publish(&core.ring)
