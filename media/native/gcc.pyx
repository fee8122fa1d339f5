# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""How much a path carries: Google congestion control (draft-ietf-rmcat-gcc-02), with the constants that libwebrtc uses.

Three voices, the least of which counts. Delay: packets are grouped as they were sent, a line is fitted through how much
longer each group took than the one before, and a rising line means a queue that grows (trendline filter, adaptive
threshold); the rate then falls below what arrived, and rises again by percents, or by packets where the limit was met
before. Loss: what exceeds the path's own, that of its better seconds, lowers the rate; a radio that always loses five
percent is no congestion. Probes: short bursts of padding tell at once whether there is more.

Beyond libwebrtc: who sends far less than the estimate (application-limited) does not fall to what arrived, which was
never all that the link had; while something queues, the rate at which it is served is what the link carries.
"""

cimport cython
from libc.math cimport fabs, pow, sqrt
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef enum:
    # A burst of a frame leaves within it; longer groups would blur the delay that is looked for.
    GROUP_US = 5000
    BURST_ARRIVAL_US = 5000
    BURST_MAX_US = 100000
    SILENCE_US = 2000000          # after it the line begins anew: a path can have changed
    ACKED_FIRST_WINDOW_US = 500000
    ACKED_WINDOW_US = 150000
    ACKED_LOW_MAX = 2             # windows: one may be a pause of the sender
    SENT_WINDOW_US = 400000
    QUEUE_WINDOW_US = 500000      # a queue that lasts is looked at in parts: the link may have changed
    QUEUE_SPAN_MIN_US = 15000     # shorter ones are a router's or a radio's bursts
    QUEUE_SPAN_LONG_US = 200000   # long enough for any rate
    QUEUE_BYTES_MIN = 3000
    LOSS_PACKETS_MIN = 20
    LOSS_INTERVAL_US = 300000     # plus a round trip: an answer to a decrease takes so long
    OWN_LOSS_US = 1000000
    OWN_LOSS_RANK = 2             # the third best of the seconds: the best is luck
    STARTUP_US = 2000000
    ROUND_TRIP_DEFAULT_US = 200000
    PROBE_PACKETS_MIN = 4         # of which one may be lost
    PROBE_BYTES_MIN = 4000
    PROBE_DURATION_US = 15000
    PROBE_PAUSE_FIRST_US = 1000000
    PROBE_PAUSE_MAX_US = 16000000
    PROBE_PAUSE_LIMITED_US = 4000000  # of who sends little: only probes tell that there is more (libwebrtc: 5 s)
    # After a probe frames grow at once, and with them the time that each takes: that is no queue.
    GRACE_US = 300000
    PROBE_SOON_US = 200000        # after a probe that found what it sought: there may be more
    PROBE_START_US = 20000        # the same as long as none has met the limit: a picture is waited for
    RECOVERY_PROBE_US = 1500000   # after a drop, in which a short jam may have ended
    DROP_REMEMBERED_US = 30000000
    STATE_HOLD = 0
    STATE_INCREASE = 1
    STATE_DECREASE = 2

cdef double SMOOTHING = 0.9
cdef double TREND_GAIN = 4.0
cdef double DELTAS_MAX = 60.0
cdef double THRESHOLD_FIRST_MS = 12.5
cdef double THRESHOLD_MIN_MS = 6.0
cdef double THRESHOLD_MAX_MS = 600.0
cdef double THRESHOLD_JUMP_MS = 15.0   # a modified trend so far off is a route change, which is not learnt from
cdef double THRESHOLD_UP = 0.0087
cdef double THRESHOLD_DOWN = 0.039
cdef double OVER_TIME_MS = 10.0
cdef double ACKED_CHANGE_VARIANCE = 200.0  # what arrives will change at once: believe the next windows
cdef double BACK_OFF = 0.85
cdef double GROWTH_PER_S = 1.08
cdef double ACKED_FALL = 0.5           # of what arrived before: the link is another one now
cdef double ACKED_ROOM = 1.5           # nothing is believed that is far above what ever arrived
cdef double ACKED_ROOM_BPS = 10000.0
cdef double LIMITED_USE = 0.8         # of the estimate: who sends less has no more to send
cdef double QUEUE_MS = 8.0             # above the threshold's least, below what anybody notices
cdef double QUEUE_DRAIN_MS = 500.0     # in which a long queue is to be gone
cdef double QUEUE_DRAINS = 0.8         # of what queued at the last decrease: it was enough
cdef double BACK_OFF_MOST = 0.7
cdef double FLOOR_RISE_MS = 0.05       # a group: a millisecond a second, some ten times what clocks drift
cdef double CAPACITY_SMOOTHING = 0.05
cdef double LOSS_LOW = 0.02
cdef double LOSS_HIGH = 0.10
cdef double LOSS_CHANCES = 2.0         # standard deviations
cdef double LOSS_FLOOD = 0.30
cdef double LOSS_GROWTH_PER_S = 1.08
cdef double JAM_MS = 40.0              # a queue, in the mean of a second, that is near to where routers drop
cdef double OWN_LOSS_MAX = 0.25        # more is not taken for a property of any path
cdef double PROBE_FACTOR = 2.0
cdef double PROBE_START_FACTOR = 3.0   # as libwebrtc begins: three probes from 300 kbit/s to 8 Mbit/s
cdef double PROBE_MORE_WANTED = 1.5    # times what was wanted at the last probe: no pause is kept
cdef double PROBE_BYTES_SHARE = 0.6    # of the least size, with the lost one off
cdef double PROBE_ENOUGH = 0.7         # of the probed rate: worth a next probe
cdef double PROBE_CARE = 0.95          # of a receive rate below the send rate: that is the link's limit


cdef void gcc_init(Gcc* gcc, uint32_t start_bps, uint32_t min_bps, uint32_t max_bps) noexcept nogil:
    """Begin with a guess."""
    memset(gcc, 0, sizeof(Gcc))
    gcc.target_bps = start_bps
    gcc.min_bps = min_bps
    gcc.max_bps = max_bps
    gcc.delay_bps = start_bps
    gcc.loss_bps = start_bps
    gcc.threshold_ms = THRESHOLD_FIRST_MS
    gcc.over_ms = -1
    gcc.capacity_bps = -1
    gcc.capacity_deviation = 0.4
    gcc.acked_bps = -1
    gcc.acked_variance = 50.0
    gcc.window_us = -1
    gcc.sent_bps = -1
    gcc.queue_began_us = -1
    gcc.starting = 1
    gcc.round_trip_us = ROUND_TRIP_DEFAULT_US
    gcc.next_probe = 1
    gcc.probe_pause_us = PROBE_PAUSE_FIRST_US


cdef void gcc_round_trip(Gcc* gcc, uint32_t round_trip_us) noexcept nogil:
    gcc.round_trip_us = round_trip_us


cdef void gcc_feedback(Gcc* gcc, const PacketResult* results, int count, uint64_t now_us) noexcept nogil:
    """Take one feedback message: its packets in the order in which they were sent."""
    cdef int i
    cdef bint over = False
    if gcc.started_us == 0:
        gcc.started_us = now_us
        gcc.changed_us = now_us
        gcc.loss_changed_us = now_us
        gcc.second_us = now_us
    for i in range(count):
        gcc.loss_expected += 1
        take_sent(gcc, &results[i])
        if results[i].probe:
            take_probe(gcc, &results[i])
        if results[i].received_us < 0:
            gcc.loss_lost += 1
            continue
        take_acked(gcc, &results[i])
        take_arrival(gcc, &results[i], now_us)
        over = over or gcc.usage == USAGE_OVER
    control_by_delay(gcc, USAGE_OVER if over else gcc.usage, now_us)
    finish_probes(gcc, now_us)
    control_by_loss(gcc, now_us)
    settle(gcc, now_us)


cdef void gcc_remb(Gcc* gcc, uint64_t bps, uint64_t now_us) noexcept nogil:
    """Take the limit of a peer that estimates by itself; without other feedback it is the estimate."""
    gcc.remb_bps = <uint32_t>min(bps, <uint64_t>0xFFFFFFFF)
    if gcc.started_us == 0:
        gcc.delay_bps = gcc.remb_bps
        gcc.loss_bps = gcc.remb_bps
    settle(gcc, now_us)


cdef void settle(Gcc* gcc, uint64_t now_us) noexcept nogil:
    """Let the least voice count; remember what was before a drop."""
    cdef double bps
    if now_us - gcc.started_us < STARTUP_US and gcc.loss <= LOSS_LOW:
        gcc.loss_bps = gcc.delay_bps
    bps = min(gcc.delay_bps, gcc.loss_bps)
    if gcc.remb_bps:
        bps = min(bps, <double>gcc.remb_bps)
    bps = min(max(bps, <double>gcc.min_bps), <double>gcc.max_bps)
    if bps < gcc.target_bps * BACK_OFF:
        if now_us - gcc.dropped_us > DROP_REMEMBERED_US or gcc.target_bps > gcc.before_drop_bps:
            gcc.before_drop_bps = gcc.target_bps
        gcc.dropped_us = now_us
        gcc.probe_due_us = now_us + RECOVERY_PROBE_US
        gcc.probe_pause_us = PROBE_PAUSE_FIRST_US
    gcc.target_bps = <uint32_t>bps


# -- what arrives ---------------------------------------------------------------------------------------------------


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
        if gcc.acked_bps < 0 or gcc.acked_low >= ACKED_LOW_MAX:
            gcc.acked_bps = sample
            gcc.acked_low = 0
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


# -- what follows from delay ----------------------------------------------------------------------------------------


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


include "gcc_loss.pxi"
include "gcc_queue.pxi"
include "gcc_probes.pxi"


@cython.auto_pickle(False)
cdef class Estimator:
    """Python face of one estimate, for simulations and tests."""

    cdef Gcc gcc

    def __cinit__(self, uint32_t start_bps=300_000, uint32_t min_bps=30_000, uint32_t max_bps=50_000_000):
        gcc_init(&self.gcc, start_bps, min_bps, max_bps)

    def feedback(self, results, uint64_t now_us) -> int:
        """Take (sent_us, received_us or None, size, probe) of packets in the order sent; return bit/s."""
        cdef int i, count = len(results)
        cdef PacketResult* taken = <PacketResult*>malloc(max(count, 1) * sizeof(PacketResult))
        if taken == NULL:
            raise MemoryError
        try:
            for i, (sent_us, received_us, size, probe) in enumerate(results):
                taken[i].sent_us = sent_us
                taken[i].received_us = -1 if received_us is None else received_us
                taken[i].size = size
                taken[i].probe = probe
            gcc_feedback(&self.gcc, taken, count, now_us)
        finally:
            free(taken)
        return self.gcc.target_bps

    def remb(self, uint64_t bps, uint64_t now_us) -> int:
        """Take a limit of the peer's own; return the estimate in bit/s."""
        gcc_remb(&self.gcc, bps, now_us)
        return self.gcc.target_bps

    def round_trip(self, uint32_t round_trip_us) -> None:
        """Say how long the way there and back takes."""
        gcc_round_trip(&self.gcc, round_trip_us)

    def want(self, uint32_t bps) -> None:
        """Say how much could be used: beyond the estimate it is probed for."""
        self.gcc.wanted_bps = bps

    def probe(self, uint64_t now_us) -> tuple[int, int, int] | None:
        """Return (cluster, rate in bit/s, bytes) of padding to send now, or None."""
        cdef uint32_t rate_bps, size_bytes
        cluster = gcc_probe(&self.gcc, now_us, &rate_bps, &size_bytes)
        return (cluster, rate_bps, size_bytes) if cluster else None

    def facts(self) -> dict[str, float]:
        """Return what the estimate was made of: bit/s of each voice, loss, usage."""
        return {
            "target_bps": self.gcc.target_bps, "delay_bps": self.gcc.delay_bps, "loss_bps": self.gcc.loss_bps,
            "acked_bps": self.gcc.acked_bps, "capacity_bps": self.gcc.capacity_bps, "loss": self.gcc.loss,
            "usage": self.gcc.usage, "threshold_ms": self.gcc.threshold_ms, "probes_sent": self.gcc.probes_sent,
            "probes_used": self.gcc.probes_used, "sent_bps": self.gcc.sent_bps, "served_bps": served_bps(&self.gcc),
        }
