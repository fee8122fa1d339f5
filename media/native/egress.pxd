from libc.stdint cimport uint8_t, uint64_t

from media.native.forward cimport Rewrite
from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Core, Encoding, Producer, Transport

cdef void send_media(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding, const HistoryEntry* entry,
        const Rewrite* rewrite, uint8_t padding, bint resend) noexcept nogil
cdef void send_rtcp(Core* core, Transport* transport, size_t size) noexcept nogil
cdef uint8_t* rtcp_slot(Core* core) noexcept nogil
