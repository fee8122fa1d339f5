"""The C face of wishes for key frames: what viewers wait for, and when the publisher is asked."""

from libc.stdint cimport uint8_t, uint64_t

from media.native.rows cimport Consumer, Core, Producer

# Somebody has no picture, or a broken one: ask for a key frame of this encoding as soon as its gate lets it through.
cdef void want_key_frame(Core* core, Producer* producer, uint8_t index, uint64_t now_us) noexcept nogil

# The same because a viewer says so (PLI, FIR); one for whom many came lately is not heard for a while.
cdef void want_as_asked(Core* core, Consumer* consumer, uint8_t index, uint64_t now_us) noexcept nogil

# The same for several encodings, as bits, in one request.
cdef void want_key_frames(Core* core, Producer* producer, uint8_t encodings, uint64_t now_us) noexcept nogil

# Some have a picture and wait for a better one (bits): ask when the publisher was left in peace for a while.
cdef void want_upgrades(Core* core, Producer* producer, uint8_t encodings, uint64_t now_us) noexcept nogil

# Ask for what a slot waits for: one of the two, or not yet if many came for it lately.
cdef void want_target(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil

# A key frame began to come.
cdef void answer_wishes(Producer* producer, uint8_t index, uint64_t now_us) noexcept nogil

# Ask for what is due, remembered or unanswered.
cdef void ask_for_key_frames(Core* core, Producer* producer, uint64_t now_us) noexcept nogil

# 1 if a slot is to be sent other layers of the stream that flows, which only a key frame brings.
cdef bint layers_wait(const Consumer* consumer) noexcept nogil

# 1 if a slot cannot go on without a key frame that nobody has asked for yet.
cdef bint waits_for_key_frame(const Consumer* consumer) noexcept nogil
