# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Reception of one stream: extended sequence numbers, loss and jitter as RFC 3550 (A.1, A.3, A.8) counts them.

Two things differ from the RFC. The first packet counts at once: SRTP has proved its sender, no probation is needed. And
extended numbers never go back, even when a sender starts anew: what is keyed by them (history, sequence maps) cannot
mix old with new.
"""

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from media.native.rtcp cimport ReportBlock

cdef enum:
    AHEAD_MAX = 3000  # RFC 3550 A.1 MAX_DROPOUT
    BEHIND_MAX = 1000  # ten times RFC 3550 A.1 MAX_MISORDER: publishers answer NACKs late; below the SRTP replay window
    RECOVER_MAX = 3000  # a retransmission can be older than any reordered packet
    NO_SUSPECT = 65536  # no 16-bit number equals it
    TRANSIT_JUMP_MAX_SECONDS = 5  # more is a new media clock, not jitter
    LOST_MAX = 0x7FFFFF  # 24 bits, signed
    LOST_MIN = -0x800000

cdef uint64_t DELAY_MAX_US = 65535999999  # a report block's delay field holds less than 65536 seconds


cdef void reception_init(Reception* reception, uint32_t clock_rate_hz) noexcept nogil:
    """Begin a stream of which nothing came yet."""
    memset(reception, 0, sizeof(Reception))
    reception.clock_rate_hz = clock_rate_hz
    reception.expected_suspect = NO_SUSPECT


cdef inline void begin(Reception* reception, int64_t first) noexcept nogil:
    """Set the state that RFC 3550 A.1 init_seq sets, with `first` as the first packet's extended number."""
    reception.started = 1
    reception.epoch = first & ~<int64_t>0xFFFF
    reception.base = first
    reception.highest = first
    reception.lost_before = reception.lost
    reception.epoch_received = 0
    reception.expected_prior = 0
    reception.received_prior = 0
    reception.expected_suspect = NO_SUSPECT
    reception.has_transit = 0
    reception.jitter_scaled = 0
    reception.jitter = 0
    reception.has_sr = 0


cdef inline void count(Reception* reception) noexcept nogil:
    """Count one accepted packet, after `highest` is set."""
    reception.received += 1
    reception.epoch_received += 1
    reception.lost = (reception.lost_before + reception.highest - reception.base + 1
                      - <int64_t>reception.epoch_received)


cdef inline void measure_jitter(Reception* reception, uint32_t timestamp, uint64_t now_us) noexcept nogil:
    """Update the interarrival jitter (RFC 3550 A.8) with a packet in order.

    Late packets are left out: without RTX a retransmission looks like one, and would be taken for jitter of a round
    trip.
    """
    cdef uint64_t rate = reception.clock_rate_hz
    cdef uint32_t arrival = <uint32_t>(now_us // 1000000 * rate + now_us % 1000000 * rate // 1000000)
    cdef uint32_t transit = arrival - timestamp
    cdef int64_t difference = <int32_t>(transit - reception.transit)
    if difference < 0:
        difference = -difference
    if reception.has_transit and difference <= <int64_t>(TRANSIT_JUMP_MAX_SECONDS * rate):
        reception.jitter_scaled += <uint64_t>difference - ((reception.jitter_scaled + 8) >> 4)
        reception.jitter = <uint32_t>(reception.jitter_scaled >> 4)
    reception.has_transit = 1
    reception.transit = transit


cdef int reception_update(Reception* reception, uint16_t sequence_number, uint32_t timestamp, uint64_t now_us,
                          int64_t* extended) noexcept nogil:
    """Take a packet that came under its own ssrc; RECEPTION_*."""
    cdef int verdict = RECEPTION_NEW
    cdef uint16_t ahead = <uint16_t>(sequence_number - <uint16_t>reception.highest)
    cdef uint16_t behind = <uint16_t>(-ahead)
    if not reception.started:
        begin(reception, 65536 + <int64_t>sequence_number)
    elif behind <= BEHIND_MAX:  # 0 is the highest once more
        extended[0] = reception.highest - behind
        count(reception)
        return RECEPTION_LATE
    elif ahead <= AHEAD_MAX:
        reception.highest += ahead
    elif sequence_number == reception.expected_suspect:
        verdict = RECEPTION_RESTART
        reception.restarts += 1
        begin(reception, (((reception.highest >> 16) + 2) << 16) + sequence_number)
    else:
        reception.expected_suspect = <uint16_t>(sequence_number + 1)
        reception.suspect += 1
        return RECEPTION_SUSPECT
    extended[0] = reception.highest
    count(reception)
    measure_jitter(reception, timestamp, now_us)
    return verdict


cdef int reception_recover(Reception* reception, uint16_t sequence_number, int64_t* extended) noexcept nogil:
    """Extend the original number of a packet that came by RTX (RFC 4588); -1 if it is far outside."""
    cdef int16_t distance = <int16_t>(sequence_number - <uint16_t>reception.highest)
    if not reception.started or distance > RECOVER_MAX or distance < -RECOVER_MAX:
        return -1
    extended[0] = reception.highest + distance
    reception.recovered += 1
    return 0


cdef void reception_sender_report(Reception* reception, uint64_t ntp, uint32_t rtp_timestamp,
                                  uint64_t now_us) noexcept nogil:
    """Keep what a sender report says, for LSR and DLSR and to map media time to wallclock."""
    reception.sr_ntp = ntp
    reception.sr_rtp = rtp_timestamp
    reception.sr_at_us = now_us
    reception.has_sr = 1


cdef inline uint64_t elapsed(uint64_t now_us, uint64_t then_us) noexcept nogil:
    return now_us - then_us if now_us > then_us else 0


cdef void reception_report(Reception* reception, uint32_t ssrc, uint64_t now_us, ReportBlock* out) noexcept nogil:
    """Fill the report block since the last call (RFC 3550 A.3); of a stream without a packet all but ssrc is zero."""
    cdef int64_t expected
    cdef int64_t lost
    cdef int64_t expected_interval
    cdef int64_t lost_interval
    cdef uint64_t delay_us
    memset(out, 0, sizeof(ReportBlock))
    out.ssrc = ssrc
    if not reception.started:
        return
    expected = reception.highest - reception.base + 1
    lost = expected - <int64_t>reception.epoch_received
    out.cumulative_lost = <int32_t>max(<int64_t>LOST_MIN, min(lost, <int64_t>LOST_MAX))
    expected_interval = expected - reception.expected_prior
    lost_interval = expected_interval - (<int64_t>reception.epoch_received - reception.received_prior)
    if expected_interval > 0 and lost_interval > 0:
        out.fraction_lost = <uint8_t>((lost_interval << 8) // expected_interval)
    reception.expected_prior = expected
    reception.received_prior = <int64_t>reception.epoch_received
    out.highest_sequence = <uint32_t>(reception.highest - reception.epoch)
    out.jitter = reception.jitter
    if reception.has_sr:
        out.last_sr = <uint32_t>(reception.sr_ntp >> 16)
        delay_us = min(elapsed(now_us, reception.sr_at_us), DELAY_MAX_US)
        out.delay_since_last_sr = <uint32_t>((delay_us << 16) // 1000000)


@cython.final
cdef class StreamReception:
    """Python face: reception of one stream whose RTP clock has `clock_rate_hz`."""

    cdef Reception reception

    def __cinit__(self, uint32_t clock_rate_hz):
        reception_init(&self.reception, clock_rate_hz)

    def update(self, uint16_t sequence_number, uint32_t timestamp, uint64_t now_us):
        """Return RECEPTION_* and the extended sequence number."""
        cdef int64_t extended = 0
        cdef int verdict = reception_update(&self.reception, sequence_number, timestamp, now_us, &extended)
        return verdict, None if verdict == RECEPTION_SUSPECT else extended

    def recover(self, uint16_t sequence_number):
        cdef int64_t extended = 0
        if reception_recover(&self.reception, sequence_number, &extended) < 0:
            return None
        return extended

    def sender_report(self, uint64_t ntp, uint32_t rtp_timestamp, uint64_t now_us):
        reception_sender_report(&self.reception, ntp, rtp_timestamp, now_us)

    def report(self, uint32_t ssrc, uint64_t now_us):
        """Return the fields of a report block in the order of RFC 3550 6.4.1."""
        cdef ReportBlock block
        reception_report(&self.reception, ssrc, now_us, &block)
        return (block.ssrc, block.fraction_lost, block.cumulative_lost, block.highest_sequence, block.jitter,
                block.last_sr, block.delay_since_last_sr)

    def counters(self):
        """Return received, recovered, suspect, restarts, lost, jitter."""
        return (self.reception.received, self.reception.recovered, self.reception.suspect, self.reception.restarts,
                self.reception.lost, self.reception.jitter)
