"""Twin of reception: RFC 3550 A.1, A.3 and A.8 as the RFC writes them, with the two differences that the module names.

The state is the RFC's own (max_seq, cycles, base_seq, bad_seq); extended numbers are `offset` plus the RFC's.
"""

from __future__ import annotations

SEQUENCE_MODULUS = 65536
MAX_DROPOUT = 3000
MAX_MISORDER = 1000
RECOVER_MAX = 3000

SUSPECT, LATE, NEW, RESTART = -1, 0, 1, 2


def signed(value: int, bits: int) -> int:
    """Return `value` modulo 2^bits as a signed number."""
    value %= 1 << bits
    return value - (1 << bits) if value >> bits - 1 else value


class StreamReception:
    def __init__(self, clock_rate_hz: int) -> None:
        self.clock_rate_hz = clock_rate_hz
        self.started = False
        self.total_received = 0
        self.total_recovered = 0
        self.suspect = 0
        self.restarts = 0
        self.lost_before = 0
        self.offset = 0
        self.jitter = 0
        self.sender_report_at: tuple[int, int] | None = None

    def _init_sequence(self, sequence_number: int, offset: int) -> None:
        self.offset = offset
        self.base_seq = self.max_seq = sequence_number
        self.bad_seq = SEQUENCE_MODULUS + 1
        self.cycles = 0
        self.received = 0
        self.received_prior = 0
        self.expected_prior = 0
        self.transit: int | None = None
        self.jitter = 0
        self.sender_report_at = None

    @property
    def expected(self) -> int:
        return self.cycles + self.max_seq - self.base_seq + 1

    def update(self, sequence_number: int, timestamp: int, now_us: int) -> tuple[int, int | None]:
        verdict = NEW
        if not self.started:
            self.started = True
            self._init_sequence(sequence_number, SEQUENCE_MODULUS)
        else:
            ahead = (sequence_number - self.max_seq) % SEQUENCE_MODULUS
            if 0 < ahead <= MAX_DROPOUT:
                if sequence_number < self.max_seq:
                    self.cycles += SEQUENCE_MODULUS
                self.max_seq = sequence_number
            elif ahead == 0 or SEQUENCE_MODULUS - ahead <= MAX_MISORDER:
                self._count()
                behind = (SEQUENCE_MODULUS - ahead) % SEQUENCE_MODULUS
                return LATE, self.offset + self.cycles + self.max_seq - behind
            elif sequence_number == self.bad_seq:
                verdict = RESTART
                self.restarts += 1
                self.lost_before += self.expected - self.received
                above = self.offset + self.cycles + 2 * SEQUENCE_MODULUS
                self._init_sequence(sequence_number, above)
            else:
                self.bad_seq = (sequence_number + 1) % SEQUENCE_MODULUS
                self.suspect += 1
                return SUSPECT, None
        self._count()
        self._measure_jitter(timestamp, now_us)
        return verdict, self.offset + self.cycles + self.max_seq

    def _count(self) -> None:
        self.received += 1
        self.total_received += 1

    def _measure_jitter(self, timestamp: int, now_us: int) -> None:
        transit = now_us * self.clock_rate_hz // 1_000_000 - timestamp
        if self.transit is not None:
            difference = abs(signed(transit - self.transit, 32))
            if difference <= 5 * self.clock_rate_hz:
                self.jitter += difference - ((self.jitter + 8) >> 4)
        self.transit = transit

    def recover(self, sequence_number: int) -> int | None:
        if not self.started:
            return None
        distance = signed(sequence_number - self.max_seq, 16)
        if abs(distance) > RECOVER_MAX:
            return None
        self.total_recovered += 1
        return self.offset + self.cycles + self.max_seq + distance

    def sender_report(self, ntp: int, rtp_timestamp: int, now_us: int) -> None:
        self.sender_report_at = (ntp, now_us)

    def report(self, ssrc: int, now_us: int) -> tuple[int, int, int, int, int, int, int]:
        last_sr = delay = 0
        if not self.started:
            return ssrc, 0, 0, 0, 0, 0, 0
        lost = self.expected - self.received
        expected_interval = self.expected - self.expected_prior
        lost_interval = expected_interval - (self.received - self.received_prior)
        self.expected_prior = self.expected
        self.received_prior = self.received
        fraction = 0
        if expected_interval != 0 and lost_interval > 0:
            fraction = (lost_interval << 8) // expected_interval
        if self.sender_report_at is not None:
            last_sr = (self.sender_report_at[0] >> 16) % (1 << 32)
            delay = min(max(now_us - self.sender_report_at[1], 0) * 65536 // 1_000_000, (1 << 32) - 1)
        cumulative = min(max(lost, -0x800000), 0x7FFFFF)
        highest = (self.cycles + self.max_seq) % (1 << 32)
        return ssrc, fraction, cumulative, highest, self.jitter >> 4, last_sr, delay

    def counters(self) -> tuple[int, int, int, int, int, int]:
        lost = self.lost_before + (self.expected - self.received if self.started else 0)
        return self.total_received, self.total_recovered, self.suspect, self.restarts, lost, self.jitter >> 4
