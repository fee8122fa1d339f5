from libc.stdint cimport uint8_t, uint64_t

from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Core, PlannedPacket, Producer

# Keep a stored packet for the next flush. It goes out at once if its plan is full.
cdef void plan_packet(Core* core, Producer* producer, uint8_t index, const HistoryEntry* entry, uint8_t codec_index,
        bint is_new, const uint8_t* data, uint64_t now_us) noexcept nogil

# Give every consumer its copies of what was planned. Must run before rows change or the rows' lock is given up.
cdef void flush_plans(Core* core) noexcept nogil

# Give them what ends with a frame, or has no frames; what does not stays planned.
cdef void flush_whole_frames(Core* core) noexcept nogil

# For how long the rest of a frame that is planned for many is worth waiting for, in microseconds; 0: it is not.
cdef uint64_t rest_worth_us(Core* core) noexcept nogil

# Fill in what is to be known of a stored packet; `data` are its bytes.
cdef void plan_of(Producer* producer, uint8_t index, const HistoryEntry* entry, uint8_t codec_index, bint is_new,
        const uint8_t* data, uint64_t now_us, PlannedPacket* packet) noexcept nogil

# Send one consumer its copy, or leave it out.
cdef void offer(Core* core, Consumer* consumer, Producer* producer, const PlannedPacket* packet,
        const HistoryEntry* entry) noexcept nogil
