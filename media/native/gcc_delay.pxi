# Part of gcc.pyx: what follows from delay.

cdef void control_by_delay(Gcc* gcc, uint8_t usage, uint64_t now_us) noexcept nogil:
    """Additive and multiplicative increase, multiplicative decrease."""
    cdef double elapsed_s = min((now_us - gcc.changed_us) / 1e6, 1.0)
    if usage == USAGE_OVER and (now_us < gcc.grace_us or queued_ms(gcc) < QUEUE_MS):
        usage = USAGE_NORMAL  # the trend is behind: what queued is through
    if usage == USAGE_OVER:
        if gcc.state != STATE_DECREASE or (
                now_us - gcc.decreased_us >= further_decrease_us(gcc) and not drains(gcc)):
            decrease(gcc, now_us)
    elif usage == USAGE_UNDER:
        gcc.state = STATE_HOLD  # the queue drains: let it
    else:
        if gcc.state != STATE_INCREASE:
            gcc.state = STATE_INCREASE
        elif gcc.acked_bps >= 0 and not is_limited(gcc):
            increase(gcc, elapsed_s)
    gcc.changed_us = now_us


cdef uint64_t further_decrease_us(const Gcc* gcc) noexcept nogil:
    """Return after how long a decrease can have shown its effect."""
    return min(max(<uint64_t>gcc.round_trip_us, <uint64_t>10000), <uint64_t>200000) + 100000


cdef void increase(Gcc* gcc, double elapsed_s) noexcept nogil:
    cdef double limit = max(gcc.acked_bps * ACKED_ROOM + ACKED_ROOM_BPS, gcc.delay_bps)
    cdef double frame_bits = gcc.delay_bps / 30.0
    cdef double packets, packet_bits, response_s
    if gcc.capacity_bps >= 0 and gcc.acked_bps > gcc.capacity_bps + capacity_spread(gcc):
        gcc.capacity_bps = -1  # more arrives than the link was thought to carry
    if gcc.capacity_bps >= 0:
        packets = <double>(<int>(frame_bits / 9600.0) + 1)
        packet_bits = frame_bits / packets
        response_s = gcc.round_trip_us / 1e6 + 0.1
        gcc.delay_bps += max(4000.0, packet_bits / response_s) * elapsed_s
    else:
        gcc.delay_bps += max(gcc.delay_bps * (pow(GROWTH_PER_S, elapsed_s) - 1.0), 1000.0 * elapsed_s)
    gcc.delay_bps = min(min(gcc.delay_bps, limit), <double>gcc.max_bps)


cdef void decrease(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Fall below what the link carried, and take that for its capacity.

    What arrived is that, if the link was full. If little was sent, a short queue of a key frame or a probe says more:
    it shows the link at its best. With neither, the fall is gentle, and goes on as long as the queue grows.
    """
    cdef double arrived = gcc.acked_bps if gcc.acked_bps >= 0 else gcc.delay_bps
    cdef double served = served_bps(gcc)
    cdef double lowered, error, norm
    if served > arrived and gcc.state != STATE_DECREASE:
        arrived = served
    lowered = arrived * BACK_OFF
    gcc.state = STATE_DECREASE
    gcc.decreased_us = now_us
    gcc.decreased_queue_ms = queued_ms(gcc)
    if is_limited(gcc):
        if served < 0:
            lowered = max(lowered, gcc.delay_bps * BACK_OFF)
        gcc.delay_bps = min(gcc.delay_bps, max(lowered, <double>gcc.min_bps))
        return
    if served >= 0:
        lowered = arrived * min(BACK_OFF, max(1.0 - queued_ms(gcc) / QUEUE_DRAIN_MS, BACK_OFF_MOST))
    if lowered > gcc.delay_bps and gcc.capacity_bps >= 0:
        lowered = gcc.capacity_bps * BACK_OFF
    if lowered < gcc.delay_bps:
        gcc.delay_bps = max(lowered, <double>gcc.min_bps)
    if gcc.capacity_bps >= 0 and arrived < gcc.capacity_bps - capacity_spread(gcc):
        gcc.capacity_bps = -1
    if gcc.capacity_bps < 0:
        gcc.capacity_bps = arrived
    else:
        gcc.capacity_bps += CAPACITY_SMOOTHING * (arrived - gcc.capacity_bps)
    norm = max(gcc.capacity_bps / 1000.0, 1.0)
    error = (gcc.capacity_bps - arrived) / 1000.0
    gcc.capacity_deviation += CAPACITY_SMOOTHING * (error * error / norm - gcc.capacity_deviation)
    gcc.capacity_deviation = min(max(gcc.capacity_deviation, 0.4), 2.5)


cdef double capacity_spread(const Gcc* gcc) noexcept nogil:
    """Return three standard deviations of the link's capacity."""
    return 3000.0 * sqrt(gcc.capacity_deviation * max(gcc.capacity_bps / 1000.0, 1.0))
