"""The C face of transport-wide feedback to a publisher: arrival times in, RTCP packets out."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    TWCC_WINDOW = 1024  # packets: two seconds at 500 a second, while feedback goes every 100 ms; a power of two
    TWCC_SIZE_MIN = 40  # the least capacity in which every build makes progress

ctypedef struct TwccRecorder:
    int64_t highest  # extended transport-wide number
    int64_t next_report  # the first number that the next feedback tells about
    int pending  # arrivals not reported yet
    uint8_t started
    uint8_t feedback_count  # of packets built, modulo 256
    uint32_t expected_stray  # the number after the last stray one; 65536 if there is none
    uint64_t received
    uint64_t duplicates
    uint64_t strays  # far behind: not recorded
    uint64_t overrun  # arrivals that left the window unreported
    uint64_t arrival_us[TWCC_WINDOW]
    uint8_t status[TWCC_WINDOW]  # TWCC_* of twcc.pyx

cdef void twcc_init(TwccRecorder* recorder) noexcept nogil
cdef void twcc_received(TwccRecorder* recorder, uint16_t sequence_number, uint64_t now_us) noexcept nogil

# Write one RTCP packet with all since the last, or as much as fits `capacity` and one reference time: call again until
# 0 (nothing new, or a capacity below TWCC_SIZE_MIN).
cdef size_t twcc_build(TwccRecorder* recorder, uint8_t* out, size_t capacity, uint32_t sender_ssrc,
                       uint32_t media_ssrc) noexcept nogil

# How many arrivals wait to be reported.
cdef int twcc_pending(const TwccRecorder* recorder) noexcept nogil
