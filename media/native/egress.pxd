from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.native.forward cimport Rewrite
from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Core, Encoding, Producer, Transport

cdef enum:
    PADDING_MAX = 255             # bytes, which their last one tells
    RTCP_BYTES_MAX = 1200         # of what is built in rtcp_slot: one datagram, safe on every path

cdef void send_media(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding, const HistoryEntry* entry,
        const Rewrite* rewrite, uint8_t padding, bint resend) noexcept nogil
cdef bint may_resend(const Consumer* consumer, const HistoryEntry* entry) noexcept nogil
cdef void send_padding(Core* core, Consumer* consumer, uint8_t payload_type, uint32_t ssrc,
        int64_t number) noexcept nogil
cdef void send_rtcp(Core* core, Transport* transport, size_t size) noexcept nogil
cdef uint8_t* rtcp_slot(Core* core) noexcept nogil
