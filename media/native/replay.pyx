# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Who comes late gets the picture at once: the last key frame and what followed, from the history, faster than live.

A class joins within seconds. Were each of them given a key frame of its own, the publisher would send little else; were
they kept waiting for one, they would sit before an empty slot. So a slot without a picture starts at the last key frame
that the history holds, on the lowest encoding that has a fresh one, and is caught up at three times the encoding's
rate: three seconds are made up in one and a half. Encodings above are reached as ever, at their next key frame.

A path that is known to be narrow would drown in what is past: a slot waits for a key frame there, unless half of the
estimate holds it at that rate beside the others that are caught up.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from media.native.bandwidth cimport Bandwidth
from media.native.fanout cimport offer, plan_of
from media.native.forward cimport FORWARD_HASTE, forward_hasten
from media.native.history cimport HistoryEntry, history_bytes, history_get
from media.native.rows cimport NONE8, REPLAYS_MAX, Consumer, Core, Encoding, PlannedPacket, Producer

cdef enum:
    # Older pictures would be shown in haste for longer than a new key frame takes to come.
    AGE_MAX_US = 3000000
    RATE_MIN_BPS = 600000         # a key frame of the lowest encoding within a tenth of a second
    RATE_MAX_BPS = 12000000
    CREDIT_MAX_US = 30000         # what was not sent in time is not sent in one burst later
    PACKETS_PER_RUN_MAX = 1500    # of all slots together: some 3 ms of work
    SHARE = 2                     # of an estimate, one part in so many is for the past of all slots together


cdef void replay_note_key_frame(Producer* producer, uint8_t index, const HistoryEntry* entry) noexcept nogil:
    """Remember where a decoder can start in an encoding. It may come late: nobody could have started there before."""
    cdef Encoding* encoding = &producer.encodings[index]
    if encoding.key_us == 0 or entry.extended > encoding.key_extended:
        encoding.key_extended = entry.extended
        encoding.key_us = entry.arrival_us


cdef bint replay_start(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil:
    """Show a slot that waits for a picture what is kept since the last key frame; 1 if something was sent."""
    cdef Producer* producer = consumer.producer
    cdef int8_t target = consumer.forward.target
    cdef int index
    if (
        consumer.replaying or not producer.is_video or producer.paused or core.replay_count == REPLAYS_MAX
        or (consumer.forward.encoding >= 0 and not consumer.forward.resync)
    ):
        return False
    index = find_start(consumer, now_us)
    if index < 0 or path_rate_bps(consumer, 1) < <uint64_t>producer.encodings[index].bitrate_bps * FORWARD_HASTE:
        return False
    consumer.replaying = 1
    consumer.replay_encoding = <uint8_t>index
    consumer.replay_next = producer.encodings[index].key_extended
    consumer.replay_us = now_us
    consumer.replay_credit = 1
    core.replays[core.replay_count] = consumer
    core.replay_count += 1
    consumer.forward.target = <int8_t>index
    hasten(consumer, &producer.encodings[index])
    catch_up(core, consumer, now_us, 1)
    consumer.forward.hastens = 0
    consumer.forward.target = target
    return True


cdef uint64_t path_rate_bps(const Consumer* consumer, uint32_t more) noexcept nogil:
    """Return what the path holds of each slot that is caught up, if there were so many more; RATE_MAX_BPS of any."""
    cdef const Bandwidth* bandwidth = consumer.transport.bandwidth
    cdef const Consumer* other = consumer.transport.consumers
    cdef uint32_t slots = more
    if bandwidth == NULL or bandwidth.gcc.started_us == 0 or bandwidth.gcc.starting:
        return RATE_MAX_BPS
    while other != NULL:
        slots += other.replaying
        other = other.next
    return bandwidth.gcc.target_bps // SHARE // max(slots, <uint32_t>1)


cdef void hasten(Consumer* consumer, Encoding* encoding) noexcept nogil:
    """Foresee where the replay will have caught up: what is new meanwhile has to be made up, too."""
    cdef HistoryEntry* oldest = history_get(&encoding.history, encoding.key_extended)
    cdef HistoryEntry* newest = history_get(&encoding.history, encoding.reception.highest)
    cdef int32_t behind
    if oldest == NULL or newest == NULL:
        return
    behind = <int32_t>(newest.header.timestamp - oldest.header.timestamp)
    if 0 < behind <= <int32_t>(encoding.reception.clock_rate_hz * (AGE_MAX_US // 1000000 + 1)):
        forward_hasten(&consumer.forward,
            oldest.header.timestamp + <uint32_t>(behind + behind // (FORWARD_HASTE - 1)))


cdef int find_start(const Consumer* consumer, uint64_t now_us) noexcept nogil:
    """Return the lowest encoding with a fresh key frame that this viewer can take, -1 if there is none."""
    cdef Producer* producer = consumer.producer
    cdef Encoding* encoding
    cdef HistoryEntry* entry
    cdef uint8_t codec_index
    cdef int i
    for i in range(producer.encoding_count):
        encoding = &producer.encodings[i]
        if not encoding.active or not encoding.has_history or encoding.key_us == 0:
            continue
        if now_us - encoding.key_us > AGE_MAX_US:
            continue
        entry = history_get(&encoding.history, encoding.key_extended)
        if entry == NULL:
            continue
        codec_index = producer.codec_of[entry.header.payload_type & 0x7F]
        if codec_index != NONE8 and consumer.payload_types[codec_index] != NONE8:
            return i
    return -1


cdef void replay_run(Core* core, uint64_t now_us) noexcept nogil:
    """Send what is due to all slots that are being caught up, each run beginning with another of them."""
    cdef Consumer* consumer
    cdef int i = 0, left = PACKETS_PER_RUN_MAX, turn
    if core.replay_count == 0:
        return
    core.replay_turn += 1
    turn = <int>(core.replay_turn % <uint32_t>core.replay_count)
    for i in range(core.replay_count):
        consumer = core.replays[(turn + i) % core.replay_count]
        if can_go_on(consumer):
            left -= pay_out(core, consumer, now_us, left)
        else:
            consumer.replaying = 0
    i = 0
    while i < core.replay_count:
        if core.replays[i].replaying:
            i += 1
        else:
            core.replay_count -= 1
            core.replays[i] = core.replays[core.replay_count]


cdef bint can_go_on(const Consumer* consumer) noexcept nogil:
    """1 unless the slot was emptied, switched, muted or cut off meanwhile."""
    return (
        consumer.replaying and consumer.producer != NULL and not consumer.producer.paused
        and consumer.transport.outbound != NULL and consumer.transport.has_address
        and consumer.forward.encoding == <int8_t>consumer.replay_encoding and not consumer.forward.resync
    )


cdef int pay_out(Core* core, Consumer* consumer, uint64_t now_us, int packets_max) noexcept nogil:
    """Add to a slot's credit what its rate gives and send as much; return the number of packets."""
    cdef Encoding* encoding = &consumer.producer.encodings[consumer.replay_encoding]
    cdef uint64_t rate_bps = max(<uint64_t>encoding.bitrate_bps * FORWARD_HASTE,
        min(path_rate_bps(consumer, 0), <uint64_t>RATE_MIN_BPS))
    cdef uint64_t elapsed = min(now_us - consumer.replay_us, <uint64_t>CREDIT_MAX_US)
    rate_bps = min(rate_bps, <uint64_t>RATE_MAX_BPS)
    consumer.replay_credit += <int64_t>(rate_bps * elapsed // 8000000)
    consumer.replay_us = now_us
    return catch_up(core, consumer, now_us, packets_max)


cdef int catch_up(Core* core, Consumer* consumer, uint64_t now_us, int packets_max) noexcept nogil:
    """Send the next packets of a replay while there is credit; it ends where live begins. Returns how many."""
    cdef Producer* producer = consumer.producer
    cdef Encoding* encoding = &producer.encodings[consumer.replay_encoding]
    cdef HistoryEntry* entry
    cdef PlannedPacket packet
    cdef int count = 0
    while consumer.replaying and consumer.replay_credit > 0 and count < packets_max:
        if consumer.replay_next > encoding.reception.highest:
            consumer.replaying = 0
            break
        entry = history_get(&encoding.history, consumer.replay_next)
        consumer.replay_next += 1
        if entry != NULL:
            consumer.replay_credit -= entry.size
            plan_of(producer, consumer.replay_encoding, entry, producer.codec_of[entry.header.payload_type & 0x7F],
                True, history_bytes(&encoding.history, entry), now_us, &packet)
            offer(core, consumer, producer, &packet, entry)
            core.counters.replayed += 1
            count += 1
    return count


cdef void replay_forget(Core* core, Consumer* consumer) noexcept nogil:
    """A slot goes away: nothing may point to it."""
    cdef int i = 0
    while i < core.replay_count:
        if core.replays[i] == consumer:
            core.replay_count -= 1
            core.replays[i] = core.replays[core.replay_count]
        else:
            i += 1


