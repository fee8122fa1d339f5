"""The C face of mirrors: producers of other workers, fed through the inbox."""

from libc.stdint cimport uint64_t

from media.native.inbox cimport InboxRing
from media.native.rows cimport Core, Producer

cdef int mirror_register(Core* core, Producer* mirror, uint64_t home_id, InboxRing* home) noexcept nogil
cdef void read_letter(Core* core, InboxRing* inbox, uint64_t now_us) noexcept nogil
