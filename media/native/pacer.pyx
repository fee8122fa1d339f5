# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""What a narrow path is sent leaves no faster than it carries: sound at once, repeats next, pictures where room is.

Publishers pace their packets for their own way up. A key frame of a shared screen, or all that a viewer asks for again
after a jam, is a second of a narrow path: sent as it comes it fills the queue of the router there, which drops from
everything alike, sound too, and what is dropped is asked for again. So the queue stands here, where sound passes it.
What waits is a few numbers a packet: the payload is in the producer's history. A picture that would come seconds late
is given up for a key frame.

Most paths carry more than publishers send at: what they are sent is not looked at.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free

from media.native.bandwidth cimport Bandwidth
from media.native.egress cimport send_media, send_padding
from media.native.forward cimport Rewrite
from media.native.history cimport HistoryEntry, history_get
from media.native.rows cimport (
    PACED_PICTURES_MAX, PACED_REPEATS_MAX, Consumer, Core, Encoding, Pacer, PacedPacket, Producer, Transport,
)

cdef enum:
    AHEAD_US = 10000              # so much of what a path carries leaves in one burst
    WAIT_MAX_US = 2000000         # a picture that would come so late is given up,
    KEY_WAIT_MAX_US = 5000000     # a key frame only then: without it there is none at all
    PACKETS_PER_RUN_MAX = 1500    # of all paths together: some 3 ms of work
    LOOK_US = 5000                # between two looks at paths that wait: a packet of 200 kbit/s or more


cdef inline bint is_open(const Bandwidth* bandwidth, uint64_t now_us) noexcept nogil:
    """1 if a packet may leave now."""
    return bandwidth.pace_us_per_kib == 0 or bandwidth.taken_until_us <= now_us + AHEAD_US


cdef inline bint is_paced(const Consumer* consumer) noexcept nogil:
    """1 if what a slot is sent has to be looked at: its path is narrow, or something waits from when it was."""
    return consumer.numbered and consumer.transport.bandwidth != NULL and (
        consumer.transport.bandwidth.pace_us_per_kib != 0 or consumer.transport.pacer != NULL)


cdef void pace_media(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding,
        const HistoryEntry* entry, const Rewrite* rewrite, uint8_t padding) noexcept nogil:
    cdef Transport* transport = consumer.transport
    cdef Pacer* pacer = transport.pacer
    cdef PacedPacket* packet
    cdef bint is_key
    if not is_paced(consumer) or not producer.is_video or (
            is_open(transport.bandwidth, core.now_us) and (pacer == NULL or pacer.picture_count == 0)):
        send_media(core, consumer, producer, encoding, entry, rewrite, padding, False)
        return
    pacer = open_pacer(core, transport)
    if pacer == NULL:
        send_media(core, consumer, producer, encoding, entry, rewrite, padding, False)
        return
    if entry.facts.key_frame:
        pacer.key_timestamp = rewrite.timestamp
    is_key = entry.facts.key_frame or (pacer.key_count and rewrite.timestamp == pacer.key_timestamp)
    if is_late(pacer, transport.bandwidth):
        give_up(pacer)
        if consumer.forward.resync and not is_key:
            note_unsent(consumer, rewrite.number)
            return
    packet = add_picture(pacer, entry.size)
    packet.is_key = is_key
    pacer.key_count += is_key
    packet.padding = padding
    packet.is_padding = 0
    fill(packet, consumer, <uint8_t>(encoding - producer.encodings), entry, rewrite)


cdef void pace_padding(Core* core, Consumer* consumer, uint8_t payload_type, int64_t number) noexcept nogil:
    cdef Pacer* pacer = consumer.transport.pacer
    cdef PacedPacket* packet
    if not is_paced(consumer) or pacer == NULL or pacer.picture_count == 0:
        send_padding(core, consumer, payload_type, consumer.ssrc, number)
        return
    if pacer.picture_count == PACED_PICTURES_MAX:
        give_up(pacer)
    packet = add_picture(pacer, 0)
    packet.consumer = consumer
    packet.is_key = 0
    packet.is_padding = 1
    packet.payload_type = payload_type
    packet.rewrite.number = number


cdef bint pace_repeat(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding,
        const HistoryEntry* entry, const Rewrite* rewrite, bint twice) noexcept nogil:
    cdef Transport* transport = consumer.transport
    cdef Pacer* pacer = transport.pacer
    cdef PacedPacket* packet
    cdef int i
    if consumer.unsent_from <= rewrite.number < consumer.unsent_until:
        return False
    if not is_paced(consumer) or (
            is_open(transport.bandwidth, core.now_us) and (pacer == NULL or pacer.repeat_count == 0)):
        send_media(core, consumer, producer, encoding, entry, rewrite, 0, True)
        if twice:
            send_media(core, consumer, producer, encoding, entry, rewrite, 0, True)
        return True
    pacer = open_pacer(core, transport)
    if pacer == NULL or pacer.repeat_count == PACED_REPEATS_MAX:
        return False
    for i in range(pacer.repeat_count):
        packet = &pacer.repeats[(pacer.first_repeat + i) % PACED_REPEATS_MAX]
        if packet.consumer == consumer and packet.rewrite.number == rewrite.number:
            return False
    packet = &pacer.repeats[(pacer.first_repeat + pacer.repeat_count) % PACED_REPEATS_MAX]
    pacer.repeat_count += 1
    packet.twice = twice
    fill(packet, consumer, <uint8_t>(encoding - producer.encodings), entry, rewrite)
    return True


cdef inline void fill(PacedPacket* packet, Consumer* consumer, uint8_t encoding, const HistoryEntry* entry,
        const Rewrite* rewrite) noexcept nogil:
    """Note what a packet is to be made of when its turn comes."""
    packet.consumer = consumer
    packet.extended = entry.extended
    packet.encoding = encoding
    packet.rewrite = rewrite[0]


cdef PacedPacket* add_picture(Pacer* pacer, uint16_t size) noexcept nogil:
    cdef PacedPacket* packet = &pacer.pictures[(pacer.first_picture + pacer.picture_count) % PACED_PICTURES_MAX]
    pacer.picture_count += 1
    pacer.picture_bytes += size
    packet.size = size
    return packet


cdef Pacer* open_pacer(Core* core, Transport* transport) noexcept nogil:
    """Return what keeps what waits for a path, and have it looked at; NULL if there is no memory."""
    cdef Pacer* pacer = transport.pacer
    if pacer == NULL:
        pacer = transport.pacer = <Pacer*>calloc(1, sizeof(Pacer))
        if pacer == NULL:
            return NULL
        pacer.transport = transport
        pacer.next = core.pacing
        if core.pacing == NULL:
            core.pacing_due_us = core.now_us + LOOK_US
        core.pacing = pacer
    return pacer


cdef bint is_late(const Pacer* pacer, const Bandwidth* bandwidth) noexcept nogil:
    """1 if a packet would come too late for anybody to look at it, or finds no place."""
    cdef uint64_t wait_us = <uint64_t>pacer.picture_bytes * bandwidth.pace_us_per_kib >> 10
    return pacer.picture_count == PACED_PICTURES_MAX or wait_us > <uint64_t>(
        KEY_WAIT_MAX_US if pacer.key_count else WAIT_MAX_US)


cdef void give_up(Pacer* pacer) noexcept nogil:
    """Send nothing of all that waits: its slots begin anew at a key frame. What they ask for of it they do not get."""
    cdef PacedPacket* packet
    while pacer.picture_count:
        packet = take_picture(pacer)
        if packet.consumer == NULL:
            continue
        note_unsent(packet.consumer, packet.rewrite.number)
        packet.consumer.forward.resync = packet.consumer.forward.encoding >= 0


cdef void note_unsent(Consumer* consumer, int64_t number) noexcept nogil:
    if not consumer.unsent_from <= number <= consumer.unsent_until:
        consumer.unsent_from = number
    consumer.unsent_until = number + 1


cdef PacedPacket* take_picture(Pacer* pacer) noexcept nogil:
    cdef PacedPacket* packet = &pacer.pictures[pacer.first_picture]
    pacer.first_picture = (pacer.first_picture + 1) % PACED_PICTURES_MAX
    pacer.picture_count -= 1
    pacer.picture_bytes -= packet.size
    pacer.key_count -= packet.is_key
    return packet


cdef void pacer_run(Core* core) noexcept nogil:
    cdef Pacer** link = &core.pacing
    cdef Pacer* pacer
    cdef int left = PACKETS_PER_RUN_MAX
    core.pacing_due_us = core.now_us + LOOK_US
    while link[0] != NULL:
        pacer = link[0]
        left -= pay_out(core, pacer, left)
        if pacer.picture_count or pacer.repeat_count:
            link = &pacer.next
        else:
            link[0] = pacer.next
            pacer.transport.pacer = NULL
            free(pacer)  # most paths are narrow for their first second only


cdef int pay_out(Core* core, Pacer* pacer, int packets_max) noexcept nogil:
    """Send what has room on one path; return the number of packets."""
    cdef Transport* transport = pacer.transport
    cdef PacedPacket* packet
    cdef int count = 0
    if transport.outbound == NULL or not transport.has_address:
        give_up(pacer)
        pacer.repeat_count = 0
        return 0
    while count < packets_max and (pacer.repeat_count or pacer.picture_count) and is_open(
            transport.bandwidth, core.now_us):
        if pacer.repeat_count:
            packet = &pacer.repeats[pacer.first_repeat]
            send_paced(core, packet, True)
            if packet.twice:
                packet.twice = 0
                continue
            pacer.first_repeat = (pacer.first_repeat + 1) % PACED_REPEATS_MAX
            pacer.repeat_count -= 1
        else:
            send_paced(core, take_picture(pacer), False)
        count += 1
    return count


cdef void send_paced(Core* core, PacedPacket* packet, bint repeat) noexcept nogil:
    cdef Consumer* consumer = packet.consumer
    cdef Encoding* encoding
    cdef HistoryEntry* entry
    if consumer == NULL or consumer.producer == NULL:
        return
    if not repeat and packet.is_padding:
        send_padding(core, consumer, packet.payload_type, consumer.ssrc, packet.rewrite.number)
        return
    encoding = &consumer.producer.encodings[packet.encoding]
    entry = history_get(&encoding.history, packet.extended) if encoding.has_history else NULL
    if entry == NULL:
        core.counters.overtaken += 1
        return
    send_media(core, consumer, consumer.producer, encoding, entry, &packet.rewrite, 0 if repeat else packet.padding,
        repeat)


cdef void pacer_forget(Consumer* consumer) noexcept nogil:
    cdef Pacer* pacer = consumer.transport.pacer
    cdef int i
    consumer.unsent_from = consumer.unsent_until = 0
    if pacer == NULL:
        return
    for i in range(PACED_PICTURES_MAX):
        if pacer.pictures[i].consumer == consumer:
            pacer.pictures[i].consumer = NULL
    for i in range(PACED_REPEATS_MAX):
        if pacer.repeats[i].consumer == consumer:
            pacer.repeats[i].consumer = NULL


cdef void pacer_free(Core* core, Transport* transport) noexcept nogil:
    cdef Pacer** link = &core.pacing
    if transport.pacer == NULL:
        return
    while link[0] != transport.pacer:
        link = &link[0].next
    link[0] = transport.pacer.next
    free(transport.pacer)
    transport.pacer = NULL
