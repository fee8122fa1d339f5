from libc.stdint cimport uint8_t, uint64_t

from media.native.history cimport HistoryEntry
from media.native.rows cimport Consumer, Core, Producer

# Remember where a decoder can start in an encoding.
cdef void replay_note_key_frame(Producer* producer, uint8_t index, const HistoryEntry* entry) noexcept nogil

# Show a slot that waits for a picture what is kept since the last key frame; 1 if something was sent.
cdef bint replay_start(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil

# Send what is due to all slots that are being caught up.
cdef void replay_run(Core* core, uint64_t now_us) noexcept nogil

# A slot goes away.
cdef void replay_forget(Core* core, Consumer* consumer) noexcept nogil
