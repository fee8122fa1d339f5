# Part of gcc.pyx: short bursts of padding, from which it is learnt at once whether a path carries more.

cdef uint8_t gcc_probe(Gcc* gcc, uint64_t now_us, uint32_t* rate_bps, uint32_t* size_bytes) noexcept nogil:
    """Return the id of a cluster to send now, 0 if there is nothing to learn or it is too early."""
    cdef ProbeCluster* cluster
    cdef double rate
    if gcc.started_us == 0 or gcc.wanted_bps <= gcc.target_bps or gcc.remb_bps:
        return 0
    if gcc.wanted_bps > gcc.probed_for_bps * PROBE_MORE_WANTED and (
            gcc.dropped_us == 0 or now_us >= gcc.dropped_us + RECOVERY_PROBE_US):
        gcc.probe_pause_us = PROBE_PAUSE_FIRST_US
    elif now_us < gcc.probe_due_us and not (is_limited(gcc) and now_us - gcc.probed_us >= PROBE_PAUSE_LIMITED_US):
        return 0
    if gcc.usage != USAGE_NORMAL or gcc.loss > gcc.own_loss + LOSS_HIGH:
        return 0
    rate = gcc.target_bps * (PROBE_START_FACTOR if gcc.starting else PROBE_FACTOR)
    if now_us - gcc.dropped_us < DROP_REMEMBERED_US and gcc.before_drop_bps:
        rate = max(rate, gcc.before_drop_bps * BACK_OFF)
    rate = min(min(rate, gcc.wanted_bps * 1.2), <double>gcc.max_bps)
    cluster = &gcc.probes[gcc.next_probe % PROBES_MAX]
    memset(cluster, 0, sizeof(ProbeCluster))
    cluster.id = gcc.next_probe
    cluster.rate_bps = <uint32_t>rate
    gcc.probed_for_bps = gcc.wanted_bps
    gcc.next_probe = gcc.next_probe + 1 if gcc.next_probe < 255 else 1
    gcc.probe_due_us = now_us + gcc.probe_pause_us
    gcc.probe_pause_us = min(gcc.probe_pause_us * 2, <uint64_t>PROBE_PAUSE_MAX_US)
    gcc.probed_us = now_us
    gcc.probes_sent += 1
    rate_bps[0] = cluster.rate_bps
    size_bytes[0] = max(<uint32_t>(rate * PROBE_DURATION_US / 8e6), <uint32_t>PROBE_BYTES_MIN)
    return cluster.id


cdef void take_probe(Gcc* gcc, const PacketResult* result) noexcept nogil:
    """Note what became of a packet that was sent for a cluster."""
    cdef ProbeCluster* cluster = &gcc.probes[result.probe % PROBES_MAX]
    if cluster.id != result.probe:
        return
    cluster.told += 1
    if result.received_us < 0:
        return
    if cluster.received == 0 or result.sent_us < cluster.first_sent_us:
        cluster.first_sent_us = result.sent_us
    if cluster.received == 0 or result.received_us < cluster.first_received_us:
        cluster.first_received_us = result.received_us
        cluster.first_size = result.size
    if result.sent_us >= cluster.last_sent_us:
        cluster.last_sent_us = result.sent_us
        cluster.last_size = result.size
    cluster.last_received_us = max(cluster.last_received_us, result.received_us)
    cluster.received += 1
    cluster.bytes += result.size


cdef void finish_probes(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Draw what clusters tell as soon as enough of them came; each is used once."""
    cdef ProbeCluster* cluster
    cdef double sent_us, received_us, sent_bps, received_bps, found
    cdef int i
    for i in range(PROBES_MAX):
        cluster = &gcc.probes[i]
        if not cluster.id or cluster.told < PROBE_PACKETS_MIN or cluster.received < PROBE_PACKETS_MIN - 1:
            continue
        if cluster.bytes < PROBE_BYTES_MIN * PROBE_BYTES_SHARE:
            continue
        cluster.id = 0
        sent_us = <double>(cluster.last_sent_us - cluster.first_sent_us)
        received_us = <double>(cluster.last_received_us - cluster.first_received_us)
        if sent_us < 1000 or received_us < 1000:
            continue  # too short to be timed: a burst that a router held back, or a clock too coarse
        sent_bps = 8e6 * (cluster.bytes - cluster.last_size) / sent_us
        received_bps = 8e6 * (cluster.bytes - cluster.first_size) / received_us
        if received_bps > 2 * sent_bps:
            continue
        found = min(sent_bps, received_bps)
        if received_bps < 0.9 * sent_bps:
            found = PROBE_CARE * received_bps
        found = min(found, <double>gcc.max_bps)
        if gcc.usage != USAGE_OVER and (found > gcc.delay_bps or (found > gcc.loss_bps and gcc.own_loss > LOSS_LOW)):
            if found > gcc.delay_bps:
                gcc.delay_bps = found
                gcc.capacity_bps = -1
            gcc.loss_bps = max(gcc.loss_bps, found)  # of a path that loses by itself a probe knows more than losses
            gcc.acked_variance += ACKED_CHANGE_VARIANCE
            gcc.probes_used += 1
            gcc.grace_us = now_us + 2 * gcc.round_trip_us + GRACE_US
            restart_trend(gcc)
        elif is_limited(gcc):
            restart_trend(gcc)  # the queue is the probe's own, and drains
        if found >= PROBE_ENOUGH * cluster.rate_bps:
            gcc.probe_pause_us = PROBE_PAUSE_FIRST_US
            gcc.probe_due_us = now_us + (PROBE_START_US if gcc.starting else PROBE_SOON_US)
        else:
            gcc.starting = 0
