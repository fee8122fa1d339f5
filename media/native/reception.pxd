"""The C face of one stream's reception: extended sequence numbers and RFC 3550 statistics."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.rtcp cimport ReportBlock

cpdef enum:
    RECEPTION_SUSPECT = -1  # a wild jump: drop the packet
    RECEPTION_LATE = 0  # reordered, retransmitted or duplicate
    RECEPTION_NEW = 1  # the highest so far
    RECEPTION_RESTART = 2  # the stream began anew; this is its first packet

ctypedef struct Reception:
    int64_t highest  # extended; 65536 or more once a packet came
    uint64_t received  # packets accepted by reception_update over all restarts, duplicates included
    uint64_t recovered  # packets that came by RTX, over all restarts; not in `received`
    uint64_t suspect  # packets dropped as RECEPTION_SUSPECT
    uint64_t restarts
    uint64_t bytes  # counted by the caller, who knows the size
    int64_t lost  # expected minus received over all restarts (RFC 3550 A.3); recovered ones stay in; may be negative
    uint32_t jitter  # RTP units (RFC 3550 A.8)
    uint32_t clock_rate_hz
    uint64_t sr_ntp  # of the last sender report
    uint64_t sr_at_us  # when it came
    uint32_t sr_rtp
    uint8_t has_sr  # since init or the last restart
    uint8_t started
    uint8_t has_transit
    int64_t epoch  # what to take off `highest` for the report: extended numbers never go back, reported ones do
    int64_t base  # extended number of the first packet since init or the last restart
    int64_t lost_before  # `lost` at the last restart
    uint64_t epoch_received  # packets since init or the last restart
    int64_t expected_prior  # at the last report
    int64_t received_prior
    uint64_t jitter_scaled  # 16 times the jitter
    uint32_t transit  # of the last packet in order, RTP units modulo 2^32
    uint32_t expected_suspect  # the number after the last suspect one; 65536 if there is none

cdef void reception_init(Reception* reception, uint32_t clock_rate_hz) noexcept nogil

# RECEPTION_*; `extended` is set but for RECEPTION_SUSPECT.
cdef int reception_update(Reception* reception, uint16_t sequence_number, uint32_t timestamp, uint64_t now_us,
                          int64_t* extended) noexcept nogil

# Extend the number of a packet that came by RTX: 0, or -1 (far outside, or nothing came before). No jitter, no
# `highest`.
cdef int reception_recover(Reception* reception, uint16_t sequence_number, int64_t* extended) noexcept nogil

cdef void reception_sender_report(Reception* reception, uint64_t ntp, uint32_t rtp_timestamp,
                                  uint64_t now_us) noexcept nogil

# Fill the report block of the interval since the last call, and start a new interval (RFC 3550 A.3). Of a stream
# without a packet all is zero: do not send that.
cdef void reception_report(Reception* reception, uint32_t ssrc, uint64_t now_us, ReportBlock* out) noexcept nogil
