# Part of gcc.pyx: what arrives, at which rate, and whether it comes later and later.

cdef void take_acked(Gcc* gcc, const PacketResult* result) noexcept nogil:
    """Count what arrived; a window's rate moves the estimate the more, the less certain that was."""
    cdef int64_t length
    cdef double sample, uncertainty, sample_variance, predicted
    if gcc.window_us < 0 or result.received_us < gcc.window_us - SILENCE_US:
        gcc.window_us = result.received_us
        gcc.window_bytes = 0
    length = result.received_us - gcc.window_us
    if length > SILENCE_US:
        gcc.window_us = result.received_us
        gcc.window_bytes = 0
        length = 0
    if length >= (ACKED_WINDOW_US if gcc.acked_bps >= 0 else ACKED_FIRST_WINDOW_US):
        sample = 8e6 * gcc.window_bytes / length
        gcc.window_us = result.received_us
        gcc.window_bytes = 0
        gcc.acked_low = gcc.acked_low + 1 if sample < gcc.acked_bps * ACKED_FALL else 0
        gcc.acked_high = gcc.acked_high + 1 if sample > gcc.acked_bps * ACKED_RISE else 0
        if gcc.acked_bps < 0 or gcc.acked_low >= ACKED_LOW_MAX or gcc.acked_high >= ACKED_HIGH_MAX:
            gcc.acked_bps = sample
            gcc.acked_low = 0
            gcc.acked_high = 0
        else:
            uncertainty = 10.0 * fabs(gcc.acked_bps - sample) / (gcc.acked_bps + 1.0)
            sample_variance = uncertainty * uncertainty
            predicted = gcc.acked_variance + 5.0
            gcc.acked_bps = max(0.0, (sample_variance * gcc.acked_bps + predicted * sample)
                / (sample_variance + predicted))
            gcc.acked_variance = sample_variance * predicted / (sample_variance + predicted)
    gcc.window_bytes += result.size


cdef void take_arrival(Gcc* gcc, const PacketResult* result, uint64_t now_us) noexcept nogil:
    """Put a packet into its group; a group that is complete is compared with the one before."""
    cdef PacketGroup* group = &gcc.group
    if group.packets == 0:
        begin_group(group, result)
        return
    if result.sent_us < group.first_sent_us:
        return  # told late: its group is long judged
    if result.sent_us - group.last_sent_us > SILENCE_US:
        restart_trend(gcc)
        begin_group(group, result)
        return
    if belongs(group, result):
        group.last_sent_us = max(group.last_sent_us, result.sent_us)
        group.last_received_us = max(group.last_received_us, result.received_us)
        group.packets += 1
        group.bytes += result.size
        return
    if gcc.previous.packets:
        compare_groups(gcc, now_us)
    gcc.previous = group[0]
    begin_group(group, result)


cdef void begin_group(PacketGroup* group, const PacketResult* result) noexcept nogil:
    group.first_sent_us = result.sent_us
    group.last_sent_us = result.sent_us
    group.first_received_us = result.received_us
    group.last_received_us = result.received_us
    group.packets = 1
    group.bytes = result.size
    group.first_size = result.size


cdef bint belongs(const PacketGroup* group, const PacketResult* result) noexcept nogil:
    """1 if a packet was sent in the same burst, or came in one although it was sent a little later."""
    cdef int64_t sent = <int64_t>(result.sent_us - group.last_sent_us)
    cdef int64_t received = result.received_us - group.last_received_us
    if result.sent_us - group.first_sent_us <= GROUP_US:
        return True
    return (
        received - sent < 0 and received <= BURST_ARRIVAL_US
        and result.received_us - group.first_received_us < BURST_MAX_US
    )


cdef void restart_trend(Gcc* gcc) noexcept nogil:
    gcc.previous.packets = 0
    gcc.trend_count = 0
    gcc.deltas = 0
    gcc.accumulated_ms = 0
    gcc.smoothed_ms = 0
    gcc.floor_ms = 0
    gcc.queue_began_us = -1
    gcc.usage = USAGE_NORMAL
    gcc.over_ms = -1
    gcc.over_count = 0


cdef void compare_groups(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Add to the line how much longer the last group took than the one before."""
    cdef double sent_ms = (gcc.group.last_sent_us - gcc.previous.last_sent_us) / 1000.0
    cdef double received_ms = (gcc.group.last_received_us - gcc.previous.last_received_us) / 1000.0
    cdef double trend
    cdef int i
    if received_ms < 0:
        return  # reordered beyond what a group can say
    if received_ms - sent_ms > SILENCE_US / 1000.0:
        restart_trend(gcc)  # the peer's clock jumped
        return
    if gcc.deltas == 0:
        gcc.trend_origin_us = gcc.group.last_received_us
    gcc.deltas = min(gcc.deltas + 1, 1000)
    gcc.accumulated_ms += received_ms - sent_ms
    note_queue(gcc)
    gcc.smoothed_ms = SMOOTHING * gcc.smoothed_ms + (1 - SMOOTHING) * gcc.accumulated_ms
    if gcc.trend_count == TREND_WINDOW:
        for i in range(TREND_WINDOW - 1):
            gcc.trend_x_ms[i] = gcc.trend_x_ms[i + 1]
            gcc.trend_y_ms[i] = gcc.trend_y_ms[i + 1]
        gcc.trend_count -= 1
    gcc.trend_x_ms[gcc.trend_count] = (gcc.group.last_received_us - gcc.trend_origin_us) / 1000.0
    gcc.trend_y_ms[gcc.trend_count] = gcc.smoothed_ms
    gcc.trend_count += 1
    trend = fit_slope(gcc) if gcc.trend_count == TREND_WINDOW else gcc.previous_trend
    detect(gcc, trend, sent_ms, now_us)


cdef double fit_slope(const Gcc* gcc) noexcept nogil:
    """Return the slope of the line of least squares: ms of queue a ms of time."""
    cdef double mean_x = 0, mean_y = 0, over = 0, under = 0
    cdef int i
    for i in range(gcc.trend_count):
        mean_x += gcc.trend_x_ms[i]
        mean_y += gcc.trend_y_ms[i]
    mean_x /= gcc.trend_count
    mean_y /= gcc.trend_count
    for i in range(gcc.trend_count):
        over += (gcc.trend_x_ms[i] - mean_x) * (gcc.trend_y_ms[i] - mean_y)
        under += (gcc.trend_x_ms[i] - mean_x) * (gcc.trend_x_ms[i] - mean_x)
    return over / under if under > 0 else 0.0


cdef void detect(Gcc* gcc, double trend, double sent_ms, uint64_t now_us) noexcept nogil:
    """Judge the trend by a threshold that follows the path's jitter, so that a competing flow is no over-use."""
    cdef double modified = min(<double>gcc.deltas, DELTAS_MAX) * trend * TREND_GAIN
    cdef double elapsed_ms
    if gcc.deltas < 2:
        gcc.usage = USAGE_NORMAL
    elif modified > gcc.threshold_ms:
        gcc.over_ms = sent_ms / 2 if gcc.over_ms < 0 else gcc.over_ms + sent_ms
        gcc.over_count += 1
        if gcc.over_ms > OVER_TIME_MS and gcc.over_count > 1 and trend >= gcc.previous_trend:
            gcc.over_ms = 0
            gcc.over_count = 0
            gcc.usage = USAGE_OVER
    else:
        gcc.over_ms = -1
        gcc.over_count = 0
        gcc.usage = USAGE_UNDER if modified < -gcc.threshold_ms else USAGE_NORMAL
    gcc.previous_trend = trend
    if gcc.threshold_us == 0:
        gcc.threshold_us = now_us
    if fabs(modified) <= gcc.threshold_ms + THRESHOLD_JUMP_MS:
        elapsed_ms = min((now_us - gcc.threshold_us) / 1000.0, 100.0)
        gcc.threshold_ms += (
            (THRESHOLD_DOWN if fabs(modified) < gcc.threshold_ms else THRESHOLD_UP)
            * (fabs(modified) - gcc.threshold_ms) * elapsed_ms
        )
        gcc.threshold_ms = min(max(gcc.threshold_ms, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS)
    gcc.threshold_us = now_us
