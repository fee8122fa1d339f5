# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Probes of the path to a viewer: packets that it has already, sent again at a rate that is to be tried.

A retransmission of what came is dropped by every receiver, tells the path's rate like any packet, and repairs now and
then what was just lost. While nothing flows, padding goes out on the retransmission stream of a slot; where there is
none, on the stream itself, behind a whole frame and under numbers of its own. Packets of a probe leave one by one
(some 1 to 10 ms apart): a burst would measure the queue of the nearest router.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.bandwidth cimport Bandwidth
from media.native.egress cimport PADDING_MAX, send_media, send_padding
from media.native.forward cimport (
    Rewrite, forward_pad, forward_resend, forward_rewrite, forward_rewrite_layers,
)
from media.native.gcc cimport gcc_probe
from media.native.history cimport HistoryEntry, history_get
from media.native.rows cimport NONE8, PROBES_MAX, Consumer, Core, Encoding, Producer, Transport
from media.native.seqmap cimport SequenceRun

cdef enum:
    LOOK_BACK = 32                # packets: some five frames, which the history surely holds
    SIZE_WANTED = 700             # bytes: smaller ones are passed over while there are larger ones
    LATE_MAX_US = 5000            # what was not sent in time is not sent in one burst
    ATTEMPT_US = 250000           # a probe that cannot be sent in this time is given up
    PACKETS_PER_RUN_MAX = 512     # of all probes together: about 1 ms of work


cdef bint flows(const Consumer* consumer) noexcept nogil:
    """1 if a slot shows a picture that goes on."""
    return (
        consumer.forward.is_video and consumer.producer != NULL and consumer.forward.started
        and consumer.forward.encoding >= 0 and not consumer.forward.resync and not consumer.replaying
    )


cdef inline bint can_pad(const Consumer* consumer) noexcept nogil:
    """1 if padding may go out on the RTX stream of a slot, whatever it shows."""
    return consumer.rtx_ssrc != 0 and consumer.padding_type != NONE8


cdef Consumer* find_carrier(const Transport* transport) noexcept nogil:
    """Return a slot that can carry a probe, best one whose packets can be repeated; NULL if there is none.

    An empty one will do: a room may well keep it empty until a probe has found the path to be wide enough.
    """
    cdef Consumer* consumer = transport.consumers
    cdef Consumer* second = NULL
    while consumer != NULL:
        if consumer.numbered and flows(consumer):
            if consumer.rtx_ssrc != 0:
                return consumer
            if second == NULL:
                second = consumer
        elif consumer.numbered and can_pad(consumer):
            second = consumer
        consumer = consumer.next
    return second


cdef void probing_start(Core* core, Transport* transport, uint64_t now_us) noexcept nogil:
    cdef Bandwidth* bandwidth = transport.bandwidth
    cdef uint32_t rate_bps, size_bytes
    if bandwidth.probe_id or bandwidth.gcc.wanted_bps <= bandwidth.gcc.target_bps:
        return
    if core.probing_count == PROBES_MAX or find_carrier(transport) == NULL:
        return
    bandwidth.probe_id = gcc_probe(&bandwidth.gcc, now_us, &rate_bps, &size_bytes)
    if bandwidth.probe_id == 0:
        return
    bandwidth.probe_rate_bps = max(rate_bps, <uint32_t>1)
    bandwidth.probe_left = size_bytes
    bandwidth.probe_due_us = now_us
    bandwidth.probe_ends_us = now_us + <uint64_t>size_bytes * 8000000 // bandwidth.probe_rate_bps + ATTEMPT_US
    core.probing[core.probing_count] = transport
    core.probing_count += 1
    core.counters.path_probes += 1


cdef void probing_run(Core* core, uint64_t now_us) noexcept nogil:
    cdef Transport* transport
    cdef int i = 0, left = PACKETS_PER_RUN_MAX
    core.probing_due_us = now_us + LATE_MAX_US
    while i < core.probing_count:
        transport = core.probing[i]
        left -= pay_out(core, transport, now_us, left)
        if transport.bandwidth.probe_id:
            core.probing_due_us = min(core.probing_due_us, max(transport.bandwidth.probe_due_us, now_us + 1))
            i += 1
        else:
            core.probing_count -= 1
            core.probing[i] = core.probing[core.probing_count]


cdef int pay_out(Core* core, Transport* transport, uint64_t now_us, int packets_max) noexcept nogil:
    """Send what is due of one probe; return the number of packets."""
    cdef Bandwidth* bandwidth = transport.bandwidth
    cdef Consumer* carrier
    cdef int size, count = 0
    if now_us > bandwidth.probe_due_us + LATE_MAX_US:
        bandwidth.probe_due_us = now_us - LATE_MAX_US
    carrier = find_carrier(transport) if transport.outbound != NULL and transport.has_address else NULL
    if carrier == NULL or now_us >= bandwidth.probe_ends_us:
        bandwidth.probe_id = 0
        return 0
    while bandwidth.probe_left > 0 and bandwidth.probe_due_us <= now_us and count < packets_max:
        core.probe = bandwidth.probe_id
        size = send_probe(core, carrier, count)
        core.probe = 0
        if size == 0:
            break  # within a frame, where no padding may stand: the next run tries again
        core.counters.path_probe_packets += 1
        core.counters.path_probe_bytes += size
        bandwidth.probe_left -= size
        bandwidth.probe_due_us += <uint64_t>size * 8000000 // bandwidth.probe_rate_bps
        count += 1
    if bandwidth.probe_left <= 0:
        bandwidth.probe_id = 0
    return count


cdef int send_probe(Core* core, Consumer* carrier, int turn) noexcept nogil:
    """Send one packet of a probe through a slot; return about its bytes, 0 if nothing can be sent now."""
    cdef HistoryEntry* entry
    cdef SequenceRun* run
    cdef Rewrite rewrite
    cdef Producer* producer = carrier.producer
    cdef Encoding* encoding
    cdef uint8_t codec_index
    if not flows(carrier):
        return pad_beside(core, carrier, carrier.padding_type) if can_pad(carrier) else 0
    encoding = &producer.encodings[carrier.forward.encoding]
    codec_index = encoding.codec_index
    if codec_index == NONE8 or carrier.payload_types[codec_index] == NONE8:
        return 0
    if carrier.rtx_ssrc != 0 and carrier.rtx_payload_types[codec_index] != NONE8:
        entry = find_recent(carrier, &run)
        if entry == NULL:
            return pad_beside(core, carrier, carrier.rtx_payload_types[codec_index])
        forward_rewrite(run, entry, &rewrite)
        if entry.layers.target_count and (run.source != carrier.forward.encoding or forward_rewrite_layers(
                &carrier.forward, entry, &producer.encodings[run.source].layers.structure.targets, &rewrite) < 0):
            return pad_beside(core, carrier, carrier.rtx_payload_types[codec_index])
        send_media(core, carrier, producer, &producer.encodings[run.source], entry, &rewrite, 0, True)
        return entry.size
    entry = history_get(&encoding.history, carrier.forward.highest_source) if encoding.has_history else NULL
    if entry == NULL or not entry.header.marker:
        return 0
    send_padding(core, carrier, carrier.payload_types[codec_index], carrier.ssrc, forward_pad(&carrier.forward))
    return PADDING_MAX


cdef int pad_beside(Core* core, Consumer* carrier, uint8_t payload_type) noexcept nogil:
    """Send padding on the RTX stream of a slot, which has numbers of its own; return its bytes."""
    send_padding(core, carrier, payload_type, carrier.rtx_ssrc, carrier.rtx_number)
    carrier.rtx_number += 1
    return PADDING_MAX


cdef HistoryEntry* find_recent(Consumer* carrier, SequenceRun** run) noexcept nogil:
    """Return one of the last packets that this slot sent, another each time, rather a large one; NULL without any."""
    cdef HistoryEntry* entry
    cdef HistoryEntry* best = NULL
    cdef SequenceRun* run_of
    cdef uint8_t source
    cdef int64_t extended
    cdef uint16_t number
    cdef int i
    for i in range(LOOK_BACK):
        carrier.probe_turn = (carrier.probe_turn + 1) % LOOK_BACK
        number = <uint16_t>(carrier.forward.next_output - 1 - carrier.probe_turn)
        if forward_resend(&carrier.forward, number, &source, &extended, &run_of) < 0:
            continue
        if source >= carrier.producer.encoding_count or not carrier.producer.encodings[source].has_history:
            continue
        entry = history_get(&carrier.producer.encodings[source].history, extended)
        if entry == NULL or entry.header.payload_length == 0:
            continue
        if best == NULL or entry.size > best.size:
            best = entry
            run[0] = run_of
        if entry.size >= SIZE_WANTED:
            break
    return best


cdef void probing_forget(Core* core, Transport* transport) noexcept nogil:
    cdef int i = 0
    while i < core.probing_count:
        if core.probing[i] == transport:
            core.probing_count -= 1
            core.probing[i] = core.probing[core.probing_count]
        else:
            i += 1
