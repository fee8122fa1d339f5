"""The C face of links: what a producer's home tells the workers that mirror it, and is asked by them."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from media.native.inbox cimport InboxRing
from media.native.rows cimport Core, Producer

cdef enum:
    LINKED_KEY = 2            # third part of a key in core.streams: (id at home, 0, LINKED_KEY) -> the producer
    MIRROR_KEY = 3            # and (id at home, 0, MIRROR_KEY) -> its mirror here

cdef int link_add(Core* core, Producer* producer, InboxRing* inbox) noexcept nogil
cdef void link_remove(Core* core, Producer* producer, const InboxRing* inbox) noexcept nogil
cdef void links_forget(Core* core, Producer* producer) noexcept nogil
cdef void tell_packet(Core* core, const Producer* producer, uint8_t encoding, uint8_t codec_index, int64_t extended,
        bint is_new, const uint8_t* data, size_t size, uint64_t now_us) noexcept nogil
cdef void tell_report(Core* core, const Producer* producer, uint8_t encoding, uint64_t ntp, uint32_t rtp_timestamp,
        uint64_t now_us) noexcept nogil
cdef void tell_break(Core* core, const Producer* producer, uint8_t encoding, uint8_t kind) noexcept nogil
cdef void ask_home(Core* core, const Producer* mirror, uint8_t encodings, bint patient) noexcept nogil
cdef void wake_told(Core* core) noexcept nogil
