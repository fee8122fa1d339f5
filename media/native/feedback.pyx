# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""RTCP both ways: what viewers and publishers report and ask for, and what is sent to them on time."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.egress cimport RTCP_BYTES_MAX, may_resend, rtcp_slot, send_rtcp
from media.native.events cimport EVENT_BYE, Event, ring_publish, ring_reserve
from media.native.forward cimport Rewrite, forward_resend, forward_rewrite, forward_rewrite_layers
from media.native.history cimport HistoryEntry, history_get
from media.native.inbox cimport LETTER_ENDED
from media.native.layers cimport layers_measure
from media.native.lifecycle cimport SILENCE_AWAITED, SILENCE_MAX, find_stream, lowest_flowing, retarget
from media.native.links cimport tell_break, tell_report
from media.native.nack cimport NACK_PENDING_MAX, nack_due
from media.native.pacer cimport pace_repeat, pacer_run
from media.native.path_feedback cimport take_remb, take_round_trip, take_twcc
from media.native.probing cimport probing_run, probing_start
from media.native.reception cimport reception_report, reception_sender_report
from media.native.replay cimport replay_run, replay_start
from media.native.rows cimport STREAM_MEDIA, Consumer, Core, Encoding, Producer, Stream, Transport
from media.native.rtcp cimport (
    RTCP_BYE, RTCP_FMT_AFB, RTCP_FMT_FIR, RTCP_FMT_NACK, RTCP_FMT_PLI, RTCP_FMT_TWCC, RTCP_PSFB,
    RTCP_REPORT_BLOCKS_MAX, RTCP_RR, RTCP_RTPFB, RTCP_SR, ReportBlock, RtcpPacket, SenderInfo,
    build_nack, build_receiver_report, build_sdes_cname, build_sender_report, feedback_media_ssrc,
    next_rtcp, parse_fir, parse_nack,
    parse_report_block, parse_sender_info,
)
from media.native.seqmap cimport SequenceRun, seqmap_current, seqmap_may_resend
from media.native.table cimport table_get
from media.native.twcc cimport twcc_build, twcc_pending
from media.native.wishes cimport ask_for_key_frames, waits_for_key_frame, want_as_asked, want_key_frame, want_target

cdef enum:
    NACK_NUMBERS_MAX = 256        # answered per message; a viewer that misses more needs a key frame
    NACK_WINDOW_US = 100000
    # of all slots of a viewer in a window: a tenth of what 50 Mbit/s lose in whole
    NACK_NUMBERS_WINDOW_MAX = 512
    ACTIVE_US = 600000            # an encoding without packets for this long is not there,
    SILENCE_FRAMES = 6            # if its siblings sent so many frames meanwhile (a still screen sends nothing at all);
    BEHIND_FRAMES = 5             # so far behind a lower one its viewers are better off there,
    BEHIND_US = 120000            # unless its packets come: a large frame is under way
    PUBLISHING_US = 5000000       # a transport that sent no RTP for this long has nothing to be asked or told
    SCAN_US = 100000
    REPORT_US = 1000000           # receiver and sender reports, one a second
    FEEDBACK_US = 50000           # TWCC: what libwebrtc's estimator works best with
    FEEDBACK_EARLY = 100          # arrivals that make feedback due at once
    RESEND_SPACING_MIN_US = 10000
    RESEND_SPACING_US = 40000     # before the round trip is known
    RESEND_SPACING_MAX_US = 400000
    ROUND_TRIP_MAX_US = 10000000

# of a round trip: who asks again a little before a whole one has passed has lost the repeat all the same
cdef double RESEND_SPACING_SHARE = 0.75
cdef double OWN_LOSS_MANY = 0.07
cdef const char* CNAME = "halqa"
cdef enum: CNAME_BYTES = 5


cdef Consumer* find_consumer(const Core* core, const Transport* transport, uint32_t ssrc) noexcept nogil:
    cdef Stream* stream = <Stream*>table_get(&core.streams, transport.id, ssrc, 1)
    return stream.consumer if stream != NULL else NULL


cdef void receive_rtcp(Core* core, Transport* transport, const uint8_t* data, size_t size,
        uint64_t now_us) noexcept nogil:
    """Take one decrypted compound packet of a peer."""
    cdef size_t offset = 0
    cdef RtcpPacket packet
    cdef int result = next_rtcp(data, size, &offset, &packet)
    while result == 1:
        if packet.packet_type == RTCP_SR or packet.packet_type == RTCP_RR:
            take_reports(core, transport, &packet, now_us)
        elif packet.packet_type == RTCP_RTPFB and packet.count == RTCP_FMT_NACK:
            take_nack(core, transport, &packet, now_us)
        elif packet.packet_type == RTCP_RTPFB and packet.count == RTCP_FMT_TWCC:
            take_twcc(core, transport, &packet, now_us)
        elif packet.packet_type == RTCP_PSFB and packet.count == RTCP_FMT_AFB:
            take_remb(core, transport, &packet, now_us)
        elif packet.packet_type == RTCP_PSFB and packet.count == RTCP_FMT_PLI:
            take_key_frame_request(core, transport, feedback_media_ssrc(&packet), now_us)
        elif packet.packet_type == RTCP_PSFB and packet.count == RTCP_FMT_FIR:
            take_fir(core, transport, &packet, now_us)
        elif packet.packet_type == RTCP_BYE:
            take_bye(core, transport, &packet)
        result = next_rtcp(data, size, &offset, &packet)
    if result < 0:
        core.counters.rtcp_malformed += 1


cdef void take_reports(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil:
    """Sender information of a publisher's stream; report blocks of a viewer about our streams."""
    cdef SenderInfo sender
    cdef ReportBlock block
    cdef Stream* stream
    cdef Consumer* consumer
    cdef int i
    if packet.packet_type == RTCP_SR and parse_sender_info(packet, &sender) == 0:
        stream = find_stream(core, transport, packet.ssrc)
        if stream != NULL and stream.kind == STREAM_MEDIA:
            reception_sender_report(&stream.producer.encodings[stream.encoding].reception, sender.ntp,
                sender.rtp_timestamp, now_us)
            if stream.producer.links != NULL:
                tell_report(core, stream.producer, stream.encoding, sender.ntp, sender.rtp_timestamp, now_us)
    for i in range(packet.count):
        if parse_report_block(packet, i, &block) < 0:
            break
        consumer = find_consumer(core, transport, block.ssrc)
        if consumer != NULL:
            take_report_block(core, consumer, &block, now_us)


cdef void take_report_block(Core* core, Consumer* consumer, const ReportBlock* block, uint64_t now_us) noexcept nogil:
    """Keep what a viewer says of one slot; the round trip comes from our last sender report (RFC 3550 6.4.1)."""
    cdef int64_t round_trip
    consumer.fraction_lost = block.fraction_lost
    consumer.jitter = block.jitter
    if block.last_sr == 0 or block.last_sr != consumer.report_ntp_middle:
        return
    round_trip = <int64_t>(now_us - consumer.report_us)
    round_trip -= <int64_t>((<uint64_t>block.delay_since_last_sr * 1000000) >> 16)
    if 0 <= round_trip < ROUND_TRIP_MAX_US:
        consumer.round_trip_us = <uint32_t>round_trip
        consumer.round_trip_known = 1
        take_round_trip(core, consumer.transport, consumer.round_trip_us)


cdef void take_nack(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil:
    """Answer a viewer's NACK from the producer's history."""
    cdef uint16_t numbers[NACK_NUMBERS_MAX]
    cdef uint32_t ssrc
    cdef uint64_t spacing = RESEND_SPACING_US
    cdef int i, count = parse_nack(packet, &ssrc, numbers, NACK_NUMBERS_MAX)
    cdef Consumer* consumer
    if count <= 0:
        return
    consumer = find_consumer(core, transport, ssrc)
    if consumer == NULL or consumer.producer == NULL or transport.outbound == NULL or not transport.has_address:
        return
    if now_us - transport.nack_us >= NACK_WINDOW_US:
        transport.nack_us = now_us
        transport.nack_count = 0
    if consumer.round_trip_known:
        spacing = min(max(<uint64_t>(consumer.round_trip_us * RESEND_SPACING_SHARE), <uint64_t>RESEND_SPACING_MIN_US),
            <uint64_t>RESEND_SPACING_MAX_US)
    for i in range(count):
        if transport.nack_count == NACK_NUMBERS_WINDOW_MAX:
            core.counters.nack_flooded += count - i
            break
        transport.nack_count += 1
        consumer.nacked += 1
        core.counters.nack_requested += 1
        resend(core, consumer, numbers[i], spacing, now_us)


cdef inline bint loses_repeats(const Consumer* consumer) noexcept nogil:
    """1 if so much is lost, whatever is sent, that one repeat in ten would be lost too: two of each go out then."""
    return (
        consumer.rtx_ssrc != 0 and consumer.numbered and consumer.transport.bandwidth != NULL
        and consumer.transport.bandwidth.gcc.own_loss >= OWN_LOSS_MANY
    )


cdef void resend(Core* core, Consumer* consumer, uint16_t number, uint64_t spacing_us, uint64_t now_us) noexcept nogil:
    """Send one packet again under the numbers that this viewer knows it by."""
    cdef uint8_t source
    cdef int64_t extended
    cdef SequenceRun* run
    cdef HistoryEntry* entry
    cdef Rewrite rewrite
    cdef Producer* producer = consumer.producer
    if forward_resend(&consumer.forward, number, &source, &extended, &run) < 0 or source >= producer.encoding_count:
        consumer.missed += 1
        core.counters.nack_missed += 1
        return
    entry = history_get(&producer.encodings[source].history,
        extended) if producer.encodings[source].has_history else NULL
    if entry == NULL or entry.header.payload_length == 0 or not may_resend(consumer, entry):
        consumer.missed += 1
        core.counters.nack_missed += 1
        return
    forward_rewrite(run, entry, &rewrite)
    if entry.layers.target_count and (
        source != consumer.forward.encoding
        or forward_rewrite_layers(&consumer.forward, entry, &producer.encodings[source].layers.structure.targets,
            &rewrite) < 0
    ):
        consumer.missed += 1
        core.counters.nack_missed += 1
        return
    if not seqmap_may_resend(consumer.forward.map, number, now_us, spacing_us):
        core.counters.nack_suppressed += 1
        return
    if not pace_repeat(core, consumer, producer, &producer.encodings[source], entry, &rewrite,
            loses_repeats(consumer)):
        core.counters.nack_suppressed += 1
        return
    consumer.resent += 1
    core.counters.nack_served += 1


cdef void take_key_frame_request(Core* core, Transport* transport, uint32_t ssrc, uint64_t now_us) noexcept nogil:
    """PLI or FIR for one slot: the encoding that flows there (or is awaited) needs a key frame."""
    cdef Consumer* consumer = find_consumer(core, transport, ssrc)
    if consumer == NULL or consumer.producer == NULL:
        return
    consumer.key_frames_asked += 1
    if consumer.forward.encoding >= 0:
        want_as_asked(core, consumer, <uint8_t>consumer.forward.encoding, now_us)
    elif consumer.forward.target >= 0:
        want_as_asked(core, consumer, <uint8_t>consumer.forward.target, now_us)


cdef void take_fir(Core* core, Transport* transport, const RtcpPacket* packet, uint64_t now_us) noexcept nogil:
    cdef uint32_t ssrc
    cdef uint8_t command
    cdef int i = 0
    while parse_fir(packet, i, &ssrc, &command) == 0:
        take_key_frame_request(core, transport, ssrc, now_us)
        i += 1


cdef void take_bye(Core* core, Transport* transport, const RtcpPacket* packet) noexcept nogil:
    """An encoding ends (RFC 3550 section 6.6): viewers are aimed at another at once; a later packet begins it anew."""
    cdef Stream* stream = find_stream(core, transport, packet.ssrc)
    cdef Event* event
    if stream == NULL or stream.kind != STREAM_MEDIA:
        return
    if stream.producer.encodings[stream.encoding].active:
        stream.producer.encodings[stream.encoding].active = 0
        stream.producer.encodings[stream.encoding].silence = SILENCE_AWAITED
        retarget(stream.producer)
        if stream.producer.links != NULL:
            tell_break(core, stream.producer, stream.encoding, LETTER_ENDED)
    event = ring_reserve(&core.ring, True)
    if event != NULL:
        event.kind = EVENT_BYE
        event.transport = transport.id
        event.first = stream.producer.id
        event.second = stream.encoding
        ring_publish(&core.ring)


cdef void tick(Core* core, uint64_t now_us) noexcept nogil:
    """Do what is due: NACK, key frame requests, feedback and reports to publishers; every 100 ms a look at all rows.

    Between those looks the rows of mere viewers are not touched: a thousand of them would cost more than the work.
    """
    cdef Transport* transport
    core.now_us = now_us
    if now_us >= core.scan_due_us:
        core.scan_due_us = now_us + SCAN_US
        scan(core, now_us)
    transport = core.busy
    while transport != NULL:
        if transport.home != NULL:
            ask_publisher(core, transport, now_us)
        elif transport.outbound != NULL and transport.has_address:
            if transport.producers != NULL:
                ask_publisher(core, transport, now_us)
                report_to_publisher(core, transport, now_us)
            if transport.bandwidth != NULL:
                probing_start(core, transport, now_us)
        transport = transport.next_busy
    replay_run(core, now_us)
    pacer_run(core)
    probing_run(core, now_us)


cdef void scan(Core* core, uint64_t now_us) noexcept nogil:
    """Look at every row: who publishes, which encodings flow, what viewers wait for, what is worth a probe."""
    cdef Transport* transport = core.transports
    core.busy = NULL
    while transport != NULL:
        transport.is_busy = 0
        if transport.home != NULL:
            if now_us - transport.last_packet_us < PUBLISHING_US:
                note_busy(core, transport)
                refresh_encodings(core, transport, now_us)
        elif transport.outbound != NULL and transport.has_address:
            if transport.producers != NULL and now_us - transport.last_packet_us < PUBLISHING_US:
                note_busy(core, transport)
                refresh_encodings(core, transport, now_us)
            elif (transport.bandwidth != NULL
                    and transport.bandwidth.gcc.wanted_bps > transport.bandwidth.gcc.target_bps):
                note_busy(core, transport)
            if transport.filled_count:  # the empty slots of who only waits would cost a miss of the cache each
                serve_consumers(core, transport, now_us)
        transport = transport.next


cdef void note_busy(Core* core, Transport* transport) noexcept nogil:
    """Take a transport into the list of those that are looked at often."""
    transport.is_busy = 1
    transport.next_busy = core.busy
    core.busy = transport


cdef void ask_publisher(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    """Ask for lost packets and key frames that are due."""
    cdef Producer* producer = transport.producers
    cdef Encoding* encoding
    cdef uint16_t numbers[NACK_PENDING_MAX]
    cdef int i, count, abandoned
    while producer != NULL:
        for i in range(producer.encoding_count):
            encoding = &producer.encodings[i]
            if not encoding.bound or producer.paused:
                continue
            if encoding.nack.next_due_us <= now_us or encoding.nack.given_up:
                abandoned = 0
                count = nack_due(&encoding.nack, now_us, numbers, NACK_PENDING_MAX, &abandoned)
                if count > 0:
                    core.counters.nack_asked += count
                    send_rtcp(core, transport, build_nack(rtcp_slot(core), RTCP_BYTES_MAX, transport.ssrc,
                        encoding.ssrc, numbers, count))
                if abandoned > 0:
                    core.counters.nack_abandoned += abandoned
                    want_key_frame(core, producer, <uint8_t>i, now_us)
        ask_for_key_frames(core, producer, now_us)
        producer = producer.next


cdef void refresh_encodings(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    """See which encodings flow and how fast."""
    cdef Producer* producer = transport.producers
    cdef Encoding* encoding
    cdef int i
    cdef bint changed
    cdef uint64_t elapsed
    while producer != NULL:
        changed = False
        for i in range(producer.encoding_count):
            encoding = &producer.encodings[i]
            if encoding.active and is_left_behind(producer, i, now_us):
                if i > lowest_flowing(producer):
                    encoding.silence = SILENCE_MAX
                encoding.active = 0
                changed = True
            elapsed = now_us - encoding.interval_us
            if elapsed >= REPORT_US:
                if encoding.layers != NULL:
                    layers_measure(encoding.layers, elapsed)
                encoding.bitrate_bps = <uint32_t>(encoding.interval_bytes * 8 * 1000000 // elapsed)
                encoding.interval_bytes = 0
                encoding.interval_us = now_us
        if changed:
            retarget(producer)
            start_below(core, producer, now_us)
        producer = producer.next


cdef bint is_left_behind(const Producer* producer, int index, uint64_t now_us) noexcept nogil:
    """1 if an encoding has stopped, or sends so few frames that a lower one shows more of what happens."""
    cdef const Encoding* encoding = &producer.encodings[index]
    if index > lowest_flowing(producer):
        return encoding.silence >= BEHIND_FRAMES and now_us - encoding.last_packet_us > BEHIND_US
    return encoding.silence >= SILENCE_FRAMES and now_us - encoding.last_packet_us > ACTIVE_US


cdef void start_below(Core* core, Producer* producer, uint64_t now_us) noexcept nogil:
    """Ask at once for what slots wait for whose encoding has just stopped: their pictures stand still."""
    cdef const Consumer* consumer
    cdef uint8_t asked = 0, target
    cdef uint32_t i
    for i in range(producer.consumer_count):
        consumer = producer.consumers[i]
        target = <uint8_t>1 << consumer.forward.target
        if (consumer.forward.encoding >= 0 and not producer.encodings[consumer.forward.encoding].active
                and producer.encodings[consumer.forward.target].active and not asked & target):
            asked |= target
            want_key_frame(core, producer, <uint8_t>consumer.forward.target, now_us)


cdef void report_to_publisher(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    """Send TWCC feedback and receiver reports when they are due."""
    cdef size_t size
    cdef int pending
    if transport.twcc != NULL:
        pending = twcc_pending(transport.twcc)
        if pending and (now_us >= transport.feedback_due_us or pending >= FEEDBACK_EARLY):
            transport.feedback_due_us = now_us + FEEDBACK_US
            size = twcc_build(transport.twcc, rtcp_slot(core), RTCP_BYTES_MAX, transport.ssrc,
                transport.last_media_ssrc)
            while size:
                send_rtcp(core, transport, size)
                size = twcc_build(transport.twcc, rtcp_slot(core), RTCP_BYTES_MAX, transport.ssrc,
                    transport.last_media_ssrc)
    if now_us >= transport.report_due_us:
        transport.report_due_us = now_us + REPORT_US
        send_receiver_report(core, transport, now_us)


cdef void send_receiver_report(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    cdef ReportBlock blocks[RTCP_REPORT_BLOCKS_MAX]
    cdef Producer* producer = transport.producers
    cdef Encoding* encoding
    cdef int i, count = 0
    cdef size_t size
    while producer != NULL:
        for i in range(producer.encoding_count):
            encoding = &producer.encodings[i]
            if encoding.bound and encoding.reception.started and count < RTCP_REPORT_BLOCKS_MAX:
                reception_report(&encoding.reception, encoding.ssrc, now_us, &blocks[count])
                count += 1
        producer = producer.next
    if count == 0:
        return
    size = build_receiver_report(rtcp_slot(core), RTCP_BYTES_MAX, transport.ssrc, blocks, count)
    size += build_sdes_cname(rtcp_slot(core) + size, RTCP_BYTES_MAX - size, transport.ssrc, <const uint8_t*>CNAME,
        CNAME_BYTES)
    send_rtcp(core, transport, size)


cdef void need_picture(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil:
    """Show a slot that has no picture what is kept, and ask for the key frame that it still waits for."""
    core.now_us = now_us
    replay_start(core, consumer, now_us)
    if waits_for_key_frame(consumer):
        want_target(core, consumer, now_us)


cdef void serve_consumers(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    """Repeat key frame requests of slots that still wait for one, and send the sender reports that are due."""
    cdef Consumer* consumer = transport.consumers
    while consumer != NULL:
        if consumer.producer != NULL:
            need_picture(core, consumer, now_us)
            if consumer.forward.encoding >= 0 and consumer.packets and now_us >= consumer.report_due_us:
                send_sender_report(core, consumer, now_us)
        consumer = consumer.next


cdef void send_sender_report(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil:
    """Tell a viewer the publisher's clock for its slot, so that picture and sound of one person stay together."""
    cdef Encoding* encoding = &consumer.producer.encodings[consumer.forward.encoding]
    cdef SequenceRun* run = seqmap_current(consumer.forward.map)
    cdef SenderInfo sender
    cdef uint64_t elapsed
    cdef size_t size
    if run == NULL or not encoding.reception.has_sr:
        return
    elapsed = now_us - encoding.reception.sr_at_us
    sender.ntp = encoding.reception.sr_ntp + (elapsed // 1000000 << 32) + ((elapsed % 1000000 << 32) // 1000000)
    sender.rtp_timestamp = <uint32_t>(encoding.reception.sr_rtp + elapsed * encoding.reception.clock_rate_hz // 1000000
        + run.timestamp_delta)
    sender.packets = consumer.packets
    sender.octets = consumer.octets
    size = build_sender_report(rtcp_slot(core), RTCP_BYTES_MAX, consumer.ssrc, &sender)
    size += build_sdes_cname(rtcp_slot(core) + size, RTCP_BYTES_MAX - size, consumer.ssrc, <const uint8_t*>CNAME,
        CNAME_BYTES)
    consumer.report_ntp_middle = <uint32_t>(sender.ntp >> 16)
    consumer.report_us = now_us
    consumer.report_due_us = now_us + REPORT_US
    send_rtcp(core, consumer.transport, size)
