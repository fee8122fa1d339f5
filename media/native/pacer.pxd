from libc.stdint cimport int64_t, uint8_t

from media.native.forward cimport Rewrite
from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Core, Encoding, Producer, Transport

# Send a picture's packet of a slot now, or when its path has room.
cdef void pace_media(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding,
        const HistoryEntry* entry, const Rewrite* rewrite, uint8_t padding) noexcept nogil

# Send padding in the place of a picture's packet, behind those that wait.
cdef void pace_padding(Core* core, Consumer* consumer, uint8_t payload_type, int64_t number) noexcept nogil

# Repeat a packet, once or twice, before any new picture; 0 if too many wait, or this one does already.
cdef bint pace_repeat(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding,
        const HistoryEntry* entry, const Rewrite* rewrite, bint twice) noexcept nogil

# Send what has room by now; core.pacing_due_us says when there is more.
cdef void pacer_run(Core* core) noexcept nogil

# What waits of a slot is not sent any more.
cdef void pacer_forget(Consumer* consumer) noexcept nogil

# A transport goes away.
cdef void pacer_free(Core* core, Transport* transport) noexcept nogil
