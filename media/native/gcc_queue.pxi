# Part of gcc.pyx: what the link showed while packets queued before it, and whether the sender filled it at all.

cdef void take_sent(Gcc* gcc, const PacketResult* result) noexcept nogil:
    """Count what was sent, lost or not: a sender that leaves most of the estimate unused learns little of the link."""
    if gcc.sent_window_us == 0 or result.sent_us < gcc.sent_window_us or (
            result.sent_us - gcc.sent_window_us > SILENCE_US):
        gcc.sent_window_us = result.sent_us
        gcc.sent_bytes = 0
    elif result.sent_us - gcc.sent_window_us >= SENT_WINDOW_US:
        gcc.sent_bps = 8e6 * gcc.sent_bytes / (result.sent_us - gcc.sent_window_us)
        gcc.sent_window_us = result.sent_us
        gcc.sent_bytes = 0
    gcc.sent_bytes += result.size


cdef bint is_limited(const Gcc* gcc) noexcept nogil:
    """1 if it is the sender that has no more to send, not the path that carries no more (application-limited)."""
    return gcc.sent_bps >= 0 and gcc.sent_bps < gcc.delay_bps * LIMITED_USE


cdef void note_queue(Gcc* gcc) noexcept nogil:
    """Add a group to those that queued without a pause, or begin anew: while there is a queue, the link gives its all.

    How long a group queued is how much later it came than the least delayed; that is forgotten slowly: clocks drift.
    """
    cdef PacketGroup* group = &gcc.group
    gcc.floor_ms = min(gcc.floor_ms + FLOOR_RISE_MS, gcc.accumulated_ms)
    if queued_ms(gcc) < QUEUE_MS:
        gcc.queue_began_us = -1
        return
    if gcc.queue_began_us < 0 or group.last_received_us - gcc.queue_began_us > QUEUE_WINDOW_US:
        gcc.queue_began_us = group.first_received_us
        gcc.queue_bytes = group.bytes - group.first_size
    else:
        gcc.queue_bytes += group.bytes
    gcc.queue_ended_us = group.last_received_us


cdef double queued_ms(const Gcc* gcc) noexcept nogil:
    """Return how much later the last group came than if there were no queue."""
    return gcc.accumulated_ms - gcc.floor_ms


cdef bint queues(const Gcc* gcc) noexcept nogil:
    """1 if groups queue in the mean of the last: a single late one met a pause of a radio."""
    return gcc.smoothed_ms - gcc.floor_ms > QUEUE_MS


cdef bint drains(const Gcc* gcc) noexcept nogil:
    """1 if the queue is shorter than at the last decrease."""
    return queued_ms(gcc) < gcc.decreased_queue_ms * QUEUE_DRAINS


cdef double served_bps(const Gcc* gcc) noexcept nogil:
    """Return the rate at which a queue was emptied that there is now; negative if it says too little."""
    cdef int64_t span_us = gcc.queue_ended_us - gcc.queue_began_us
    if gcc.queue_began_us < 0 or span_us < QUEUE_SPAN_MIN_US:
        return -1
    if gcc.queue_bytes < QUEUE_BYTES_MIN and span_us < QUEUE_SPAN_LONG_US:
        return -1
    return 8e6 * gcc.queue_bytes / span_us
