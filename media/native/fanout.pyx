# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""From the packets of one batch to everybody's copies: viewer by viewer, so that equal sizes go out as one message.

What came in together is planned per producer and sent consumer by consumer: a viewer's row is fetched once for all of
its packets, and the kernel takes a run of them as one UDP GSO message. One byte of RTP padding (RFC 3550 section 5.1)
levels packets that differ by one, as encoders split frames.

The thread is faster than a sender: woken by the first packet of a frame it would send that alone to all, and then the
others. For many viewers it is worth waiting for the rest, as long as sending the first apart would take.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc

from media.native.clock cimport halqa_monotonic_us
from media.native.events cimport EVENT_SWITCH, Event, ring_publish, ring_reserve
from media.native.forward cimport (
    FORWARD_DROP, FORWARD_FILL, FORWARD_SWITCHED, Alignment, LayerContext, Rewrite, forward_decide, forward_skip,
)
from media.native.history cimport HistoryEntry, history_get
from media.native.pacer cimport pace_media, pace_padding
from media.native.payload cimport peek_dependency_descriptor
from media.native.prefetch cimport halqa_prefetch
from media.native.reception cimport Reception
from media.native.rows cimport (
    KIND_DEPENDENCY_DESCRIPTOR, KINDS_MAX, NONE8, PLAN_PACKETS_MAX, PLANS_MAX, Consumer, Core, Encoding, Plan,
    PlannedPacket, Producer, Transport,
)
from media.native.sealer cimport SEALER_CIPHER_BYTES, SEALER_STATE_BYTES, Sealer
from media.native.selection cimport LayerSelection, selection_start
from media.native.send_log cimport SEND_LOG_ENTRIES, SendLog, SentPacket
from media.native.seqmap cimport SEQMAP_RUNS, SequenceMap, SequenceRun

cdef enum:
    # Copies of one flush: about 10 ms of work, which is as long as Python may have to wait for the rows.
    PLAN_COPIES_MAX = 8192
    TRANSPORT_HEAD_BYTES = 72     # of a transport's row, up to the end of its address
    # what a message more costs at least (2 to 5 µs, November 2026): of a copy, and of the wait for the rest of a frame
    COPY_US = 2
    REST_WAIT_MIN_US = 100        # less is less than what the kernel lets a thread oversleep
    REST_WAIT_MAX_US = 1000
    HISTORY_SHARE = 4             # a plan holds at most this part of a ring, so that nothing is overwritten under it
    ALIGNMENT_SPAN_S = 3600       # reports of one machine that differ by more are nonsense


cdef int descriptor_number(Producer* producer, const HistoryEntry* entry, const uint8_t* data) noexcept nogil:
    """Return the frame number of the dependency descriptor, -1 without one."""
    cdef int i
    cdef uint16_t number
    cdef uint8_t first, structure
    for i in range(entry.header.extension_count):
        if producer.transport.in_kinds[entry.header.extensions[i].id] == KIND_DEPENDENCY_DESCRIPTOR:
            if peek_dependency_descriptor(data + entry.header.extensions[i].offset, entry.header.extensions[i].length,
                    &number, &first, &structure) == 0:
                return number
            return -1
    return -1


cdef void plan_packet(Core* core, Producer* producer, uint8_t index, const HistoryEntry* entry, uint8_t codec_index,
        bint is_new, const uint8_t* data, uint64_t now_us) noexcept nogil:
    """Keep a stored packet for the next flush."""
    cdef Plan* plan
    if producer.consumer_count == 0:
        return
    plan = find_plan(core, producer)
    if is_full(plan, &producer.encodings[index], entry.size):
        flush_plan(core, plan)
    plan_of(producer, index, entry, codec_index, is_new, data, now_us, &plan.packets[plan.count])
    plan.count += 1
    plan.bytes += entry.size


cdef void plan_of(Producer* producer, uint8_t index, const HistoryEntry* entry, uint8_t codec_index, bint is_new,
        const uint8_t* data, uint64_t now_us, PlannedPacket* packet) noexcept nogil:
    """Fill in what is to be known of a stored packet."""
    packet.extended = entry.extended
    packet.arrival_us = now_us
    packet.frame_number = descriptor_number(producer, entry, data) if producer.is_video else -1
    packet.length = entry.size
    packet.encoding = index
    packet.codec_index = codec_index
    packet.is_new = is_new
    packet.padding = 0


cdef Plan* find_plan(Core* core, Producer* producer) noexcept nogil:
    """Return the plan of a producer, a new one if it has none yet."""
    cdef int i
    cdef Plan* plan
    for i in range(core.plan_count):
        if core.plans[i].producer == producer:
            return &core.plans[i]
    if core.plan_count == PLANS_MAX:
        flush_plans(core)
    plan = &core.plans[core.plan_count]
    core.plan_count += 1
    plan.producer = producer
    plan.count = 0
    plan.bytes = 0
    return plan


cdef bint is_full(const Plan* plan, const Encoding* encoding, uint16_t size) noexcept nogil:
    """1 if one packet more would keep Python waiting, or could be overwritten before it is sent."""
    if plan.count == 0:
        return False
    return (
        plan.count == PLAN_PACKETS_MAX
        or (plan.count + 1) * plan.producer.consumer_count > PLAN_COPIES_MAX
        or (plan.bytes + size) * HISTORY_SHARE > encoding.history.byte_capacity
    )


cdef void flush_plans(Core* core) noexcept nogil:
    """Give every consumer its copies of what was planned."""
    cdef int i
    for i in range(core.plan_count):
        flush_plan(core, &core.plans[i])
    core.plan_count = 0


cdef void flush_whole_frames(Core* core) noexcept nogil:
    cdef int i
    for i in range(core.plan_count):
        if not ends_within_frame(&core.plans[i]):
            flush_plan(core, &core.plans[i])


cdef uint64_t rest_worth_us(Core* core) noexcept nogil:
    cdef uint64_t worth_us = 0
    cdef int i
    for i in range(core.plan_count):
        if ends_within_frame(&core.plans[i]):
            worth_us = max(worth_us, <uint64_t>core.plans[i].producer.consumer_count * COPY_US)
    return min(worth_us, <uint64_t>REST_WAIT_MAX_US) if worth_us >= REST_WAIT_MIN_US else 0


cdef bint ends_within_frame(const Plan* plan) noexcept nogil:
    """1 if the newest packet of a picture was planned, and is not its last."""
    cdef const PlannedPacket* last
    cdef const HistoryEntry* entry
    if plan.count == 0 or not plan.producer.is_video:
        return False
    last = &plan.packets[plan.count - 1]
    entry = history_get(&plan.producer.encodings[last.encoding].history, last.extended)
    return last.is_new and entry != NULL and not entry.header.marker


cdef void flush_plan(Core* core, Plan* plan) noexcept nogil:
    """Send the packets of one producer, consumer by consumer."""
    cdef HistoryEntry* entries[PLAN_PACKETS_MAX]
    cdef Producer* producer = plan.producer
    cdef Consumer* consumer
    cdef uint32_t i
    cdef int j
    if plan.count == 0:
        return
    for j in range(plan.count):
        entries[j] = history_get(&producer.encodings[plan.packets[j].encoding].history, plan.packets[j].extended)
        if entries[j] == NULL:
            core.counters.overtaken += 1
    level(plan)
    for i in range(producer.consumer_count):
        look_ahead(producer, i, plan.count)
        consumer = producer.consumers[i]
        if consumer.transport.outbound == NULL or not consumer.transport.has_address:
            consumer.forward.resync = consumer.forward.encoding >= 0
            continue
        if consumer.numbered and core.send.descriptor >= 0:
            core.now_us = halqa_monotonic_us()  # a batch to a thousand viewers takes longer than a queue may grow
        for j in range(plan.count):
            if entries[j] != NULL and not awaits_replay(consumer, &plan.packets[j]):
                offer(core, consumer, producer, &plan.packets[j], entries[j])
    plan.count = 0
    plan.bytes = 0


cdef inline void look_ahead(const Producer* producer, uint32_t at, int count) noexcept nogil:
    """Have the processor fetch what the next viewers are sent by, while this one is served.

    The rows of a thousand viewers are in no near cache, and each says where the next lies: a row comes four viewers
    ahead, what it points to three ahead, and so on. It saves a quarter of what user space does for a packet.
    """
    cdef const Consumer* consumer
    cdef const Transport* transport
    cdef const SequenceMap* map
    cdef const SendLog* log
    if at + 4 < producer.consumer_count:
        halqa_prefetch(producer.consumers[at + 4], sizeof(Consumer))
    if at + 3 < producer.consumer_count:
        consumer = producer.consumers[at + 3]
        transport = consumer.transport
        halqa_prefetch(transport, TRANSPORT_HEAD_BYTES)
        halqa_prefetch(&transport.outbound, 2 * sizeof(void*))  # and the sealer behind it
        halqa_prefetch(&transport.bandwidth, 2 * sizeof(void*))  # and the pacer
        halqa_prefetch(&transport.out_ids, KINDS_MAX)
        halqa_prefetch(consumer.forward.map, sizeof(uint64_t))
    if at + 2 < producer.consumer_count:
        consumer = producer.consumers[at + 2]
        transport = consumer.transport
        map = consumer.forward.map
        if map != NULL:
            halqa_prefetch(&map.runs[(map.opened - 1) % SEQMAP_RUNS], sizeof(SequenceRun))
        if transport.sealer != NULL:
            halqa_prefetch(transport.sealer, sizeof(Sealer))
        if transport.bandwidth != NULL:
            halqa_prefetch(&transport.bandwidth.log.next, sizeof(uint64_t))
            halqa_prefetch(&transport.bandwidth.pace_us_per_kib, 2 * sizeof(uint64_t))  # and what was taken, behind it
    if at + 1 < producer.consumer_count:
        transport = producer.consumers[at + 1].transport
        if transport.sealer != NULL:
            halqa_prefetch(transport.sealer.cipher, SEALER_CIPHER_BYTES)
            halqa_prefetch(transport.sealer.state, SEALER_STATE_BYTES)
        if transport.bandwidth != NULL:
            log = &transport.bandwidth.log
            halqa_prefetch(&log.entries[log.next % SEND_LOG_ENTRIES], count * sizeof(SentPacket))


cdef inline bint awaits_replay(const Consumer* consumer, const PlannedPacket* packet) noexcept nogil:
    """1 if a packet will reach a slot that is being caught up when its turn comes: the past goes out first."""
    return (
        consumer.replaying and packet.encoding == consumer.replay_encoding
        and (packet.is_new or packet.extended >= consumer.replay_next)
    )


cdef void level(Plan* plan) noexcept nogil:
    """Pad by one byte what stands in a stretch of packets whose sizes differ by one, its last packet apart.

    An encoder that splits a frame about equally makes packets of n and n + 1 bytes; a run may end in a shorter one.
    """
    cdef int first = 0, after, i
    cdef uint16_t longest, shortest
    while first < plan.count:
        longest = shortest = plan.packets[first].length
        after = first + 1
        while after < plan.count and plan.packets[after].length <= shortest + 1 \
                and plan.packets[after].length + 1 >= longest:
            longest = max(longest, plan.packets[after].length)
            shortest = min(shortest, plan.packets[after].length)
            after += 1
        for i in range(first, after - 1):
            if plan.packets[i].length < longest:
                plan.packets[i].padding = 1
        first = after


cdef void offer(Core* core, Consumer* consumer, Producer* producer, const PlannedPacket* packet,
        const HistoryEntry* entry) noexcept nogil:
    """Send one consumer its copy, or leave it out."""
    cdef Alignment alignment
    cdef Rewrite rewrite
    cdef int verdict
    cdef uint8_t index = packet.encoding
    cdef Encoding* encoding = &producer.encodings[index]
    cdef LayerContext layers
    cdef bint layered = entry.layers.target_count != 0 and open_selection(consumer)
    if consumer.payload_types[packet.codec_index] == NONE8:
        if packet.is_new:
            forward_skip(&consumer.forward, index, packet.extended)
        return
    if layered:
        layers.targets = &encoding.layers.structure.targets
        layers.version = encoding.layers.version
    alignment.valid = 0
    if entry.facts.key_frame and consumer.forward.encoding >= 0 and consumer.forward.encoding != index:
        align(&producer.encodings[consumer.forward.encoding].reception, &encoding.reception, &alignment)
    verdict = forward_decide(&consumer.forward, index, entry, packet.is_new, producer.codecs[packet.codec_index].codec,
        producer.codecs[packet.codec_index].clock_rate_hz, &alignment, packet.frame_number,
        &layers if layered else NULL, packet.arrival_us, &rewrite)
    if verdict == FORWARD_DROP:
        return
    if verdict == FORWARD_FILL:
        pace_padding(core, consumer, consumer.payload_types[packet.codec_index], rewrite.number)
        return
    pace_media(core, consumer, producer, encoding, entry, &rewrite, packet.padding)
    if verdict == FORWARD_SWITCHED:
        core.counters.switches += 1
        tell_switch(core, consumer, index)


cdef bint open_selection(Consumer* consumer) noexcept nogil:
    """Make room for what a slot is sent of layered streams, at its first packet of one; 0 if there is no memory."""
    if consumer.forward.layers == NULL:
        consumer.forward.layers = <LayerSelection*>calloc(1, sizeof(LayerSelection))
        if consumer.forward.layers == NULL:
            return False
        selection_start(consumer.forward.layers)
    return True


cdef void tell_switch(Core* core, const Consumer* consumer, uint8_t index) noexcept nogil:
    cdef Event* event = ring_reserve(&core.ring, True)
    if event == NULL:
        return
    event.kind = EVENT_SWITCH
    event.transport = consumer.transport.id
    event.first = consumer.id
    event.second = index
    ring_publish(&core.ring)


cdef void align(const Reception* current, const Reception* wanted, Alignment* alignment) noexcept nogil:
    """Join the media clocks of two encodings by their sender reports (RFC 3550 6.4.1)."""
    cdef int64_t span
    alignment.valid = 0
    if not current.has_sr or not wanted.has_sr or current.clock_rate_hz != wanted.clock_rate_hz:
        return
    span = <int64_t>(wanted.sr_ntp - current.sr_ntp)
    if span > (<int64_t>ALIGNMENT_SPAN_S << 32) or span < -(<int64_t>ALIGNMENT_SPAN_S << 32):
        return
    alignment.valid = 1
    alignment.timestamp_delta = <uint32_t>(current.sr_rtp - wanted.sr_rtp
        + ((span >> 16) * <int64_t>current.clock_rate_hz >> 16))
