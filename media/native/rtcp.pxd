"""The C face of RTCP: walk a compound packet, read its parts, build the packets that we send."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cpdef enum:
    RTCP_SR = 200
    RTCP_RR = 201
    RTCP_SDES = 202
    RTCP_BYE = 203
    RTCP_APP = 204
    RTCP_RTPFB = 205  # RFC 4585 6.2
    RTCP_PSFB = 206  # RFC 4585 6.3
    RTCP_XR = 207  # RFC 3611

cpdef enum:
    RTCP_FMT_NACK = 1  # RTPFB, RFC 4585 6.2.1
    RTCP_FMT_TWCC = 15  # RTPFB, draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1
    RTCP_FMT_PLI = 1  # PSFB, RFC 4585 6.3.1
    RTCP_FMT_FIR = 4  # PSFB, RFC 5104 4.3.1
    RTCP_FMT_AFB = 15  # PSFB, RFC 4585 6.4; REMB is one of these

cdef enum:
    RTCP_REPORT_BLOCKS_MAX = 31  # the count field has 5 bits

cdef enum:
    RTCP_TOO_SHORT = -1  # less than a header, or than the message needs
    RTCP_BAD_VERSION = -2
    RTCP_TRUNCATED = -3  # the length field leaves the datagram
    RTCP_BAD_PADDING = -4
    RTCP_OTHER_TYPE = -5  # the packet is not of the type asked for
    RTCP_NO_SUCH_ITEM = -6  # index beyond the items
    RTCP_BAD_VALUE = -7  # e.g. a REMB of more than 2^64 bit/s

ctypedef struct RtcpPacket:
    uint8_t packet_type
    uint8_t count  # report or source count, or the feedback message type (FMT)
    uint32_t ssrc  # of the sender; 0 if there is none
    const uint8_t* body  # after header and sender ssrc; NULL if the packet ends before
    uint32_t body_length  # without padding

ctypedef struct ReportBlock:
    uint32_t ssrc
    uint8_t fraction_lost
    int32_t cumulative_lost  # 24 bits, signed
    uint32_t highest_sequence
    uint32_t jitter
    uint32_t last_sr
    uint32_t delay_since_last_sr

ctypedef struct SenderInfo:
    uint64_t ntp
    uint32_t rtp_timestamp
    uint32_t packets
    uint32_t octets

# Take the packet at `offset` and move `offset` behind it: 1 a packet, 0 the end, negative malformed (offset unmoved).
cdef int next_rtcp(const uint8_t* data, size_t size, size_t* offset, RtcpPacket* out) noexcept nogil

# 0, or negative if the packet has none. Report blocks are those of a sender or receiver report.
cdef int parse_sender_info(const RtcpPacket* packet, SenderInfo* out) noexcept nogil
cdef int parse_report_block(const RtcpPacket* packet, int index, ReportBlock* out) noexcept nogil

# How many sequence numbers were written, at most `capacity`, in the order of the message; negative if no NACK.
cdef int parse_nack(const RtcpPacket* packet, uint32_t* media_ssrc, uint16_t* numbers, int capacity) noexcept nogil

# 0, or negative if no FIR or no such entry.
cdef int parse_fir(const RtcpPacket* packet, int index, uint32_t* media_ssrc, uint8_t* command) noexcept nogil

# How many ssrcs were written, at most `capacity`; negative if no REMB.
cdef int parse_remb(const RtcpPacket* packet, uint64_t* bitrate_bps, uint32_t* ssrcs, int capacity) noexcept nogil

# The media ssrc of a feedback message (RTPFB, PSFB); 0 of others.
cdef uint32_t feedback_media_ssrc(const RtcpPacket* packet) noexcept nogil

# Each builder returns the bytes written, a multiple of 4; 0 if `capacity` is short or a count or length out of range.
cdef size_t build_sender_report(uint8_t* out, size_t capacity, uint32_t ssrc, const SenderInfo* sender) noexcept nogil
cdef size_t build_receiver_report(uint8_t* out, size_t capacity, uint32_t ssrc, const ReportBlock* blocks,
                                  int count) noexcept nogil
cdef size_t build_sdes_cname(uint8_t* out, size_t capacity, uint32_t ssrc, const uint8_t* cname,
                             size_t length) noexcept nogil
cdef size_t build_nack(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc,
                       const uint16_t* sorted_numbers, int count) noexcept nogil
cdef size_t build_pli(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc) noexcept nogil
cdef size_t build_fir(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint32_t media_ssrc,
                      uint8_t command) noexcept nogil
cdef size_t build_bye(uint8_t* out, size_t capacity, uint32_t ssrc) noexcept nogil
cdef size_t build_remb(uint8_t* out, size_t capacity, uint32_t sender_ssrc, uint64_t bitrate_bps,
                       const uint32_t* ssrcs, int count) noexcept nogil
