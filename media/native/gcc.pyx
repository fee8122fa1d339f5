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
    ACKED_HIGH_MAX = 3            # windows: two may be a picture of a screen
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
cdef double ACKED_RISE = 4.0           # what was starved gets through again: by its variance it would take minutes
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


include "gcc_arrivals.pxi"
include "gcc_delay.pxi"
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
