"""The C face of the bandwidth estimate toward one peer: what was sent and came, in; bits per second, out."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    TREND_WINDOW = 20             # groups of packets that the line is fitted through
    LOSS_WINDOWS = 10             # seconds over which the least loss is taken for the path's own
    PROBES_MAX = 4                # clusters whose packets may be under way

cdef enum GccUsage:
    USAGE_NORMAL = 0
    USAGE_OVER = 1
    USAGE_UNDER = 2

ctypedef struct PacketResult:
    uint64_t sent_us              # our clock
    int64_t received_us           # the peer's clock, of any origin; negative: it did not come
    uint16_t size                 # bytes on the wire
    uint8_t probe                 # cluster it was sent for, 0: none

ctypedef struct PacketGroup:
    uint64_t first_sent_us
    uint64_t last_sent_us
    int64_t first_received_us
    int64_t last_received_us
    uint32_t packets              # 0: no group
    uint32_t bytes
    uint32_t first_size

ctypedef struct ProbeCluster:
    uint8_t id                    # 0: free
    uint32_t rate_bps             # at which it was to be sent
    int told                      # packets of which it is known whether they came
    int received
    uint64_t first_sent_us
    uint64_t last_sent_us
    int64_t first_received_us
    int64_t last_received_us
    uint32_t bytes
    uint32_t first_size
    uint32_t last_size

ctypedef struct Gcc:
    uint32_t target_bps           # the estimate
    uint32_t min_bps
    uint32_t max_bps
    uint64_t started_us           # of the first feedback, 0 before it
    # delay: groups, trend line, detector
    PacketGroup group
    PacketGroup previous
    double accumulated_ms
    double smoothed_ms
    double trend_x_ms[TREND_WINDOW]
    double trend_y_ms[TREND_WINDOW]
    int trend_count
    int deltas
    int64_t trend_origin_us
    double threshold_ms
    double previous_trend
    double over_ms                # for how long the delay has grown, -1: it has not
    int over_count
    uint64_t threshold_us
    uint8_t usage
    # rate control
    uint8_t state
    uint64_t changed_us
    uint64_t decreased_us
    double capacity_bps           # of the link, as it showed at over-use; negative: unknown
    double capacity_deviation
    double delay_bps              # what the delay allows
    # acknowledged bitrate
    double acked_bps              # negative: unknown
    double acked_variance
    int acked_low                 # windows in a row that brought less than half of it
    int acked_high                # windows in a row that brought four times of it
    uint64_t window_bytes
    int64_t window_us
    # what was sent, lost or not
    double sent_bps               # negative: unknown
    uint64_t sent_bytes
    uint64_t sent_window_us
    # queue
    double floor_ms               # of accumulated_ms: there was no queue then
    int64_t queue_began_us        # of the peer's clock; negative: there is none
    int64_t queue_ended_us
    uint64_t queue_bytes
    double decreased_queue_ms     # what queued at the last decrease
    # loss
    double loss_bps               # what the losses allow
    uint32_t loss_expected
    uint32_t loss_lost
    double loss                   # share of the last look
    uint8_t jammed                # so much queued then that losses are no surprise
    float loss_before             # share of the look before it
    double own_loss               # what the path loses whatever is sent
    double seconds_loss[LOSS_WINDOWS] # of each of the last seconds
    int seconds
    uint32_t second_expected
    uint32_t second_lost
    double second_queued_ms       # sum of what queued at each of
    uint32_t second_looks
    uint64_t second_us
    uint64_t loss_changed_us
    uint32_t round_trip_us
    # probes
    ProbeCluster probes[PROBES_MAX]
    uint8_t next_probe
    uint32_t wanted_bps           # what the allocator could use; 0: nothing more than there is
    uint32_t probed_for_bps       # what was wanted at the last probe
    uint64_t probed_us            # when the last probe was begun
    uint64_t probe_due_us
    uint64_t probe_pause_us
    uint8_t starting              # no probe has met the limit yet
    uint64_t grace_us             # until then over-use is the echo of a probe
    uint32_t before_drop_bps
    uint64_t dropped_us
    uint32_t remb_bps             # 0: the peer sent none
    uint64_t probes_sent
    uint64_t probes_used

cdef void gcc_init(Gcc* gcc, uint32_t start_bps, uint32_t min_bps, uint32_t max_bps) noexcept nogil

# Take one feedback message: its packets in the order in which they were sent.
cdef void gcc_feedback(Gcc* gcc, const PacketResult* results, int count, uint64_t now_us) noexcept nogil

# Take the limit of a peer that estimates by itself (REMB).
cdef void gcc_remb(Gcc* gcc, uint64_t bps, uint64_t now_us) noexcept nogil

# The round trip in microseconds, from receiver reports.
cdef void gcc_round_trip(Gcc* gcc, uint32_t round_trip_us) noexcept nogil

# If padding should be sent to learn of more bandwidth: the cluster's id (not 0), with its rate and bytes filled in.
cdef uint8_t gcc_probe(Gcc* gcc, uint64_t now_us, uint32_t* rate_bps, uint32_t* size_bytes) noexcept nogil
