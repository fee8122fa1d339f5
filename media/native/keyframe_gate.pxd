"""The C face of the gate that all key frame requests for one encoding pass."""

from libc.stdint cimport uint8_t, uint64_t

ctypedef struct KeyframeGate:
    uint64_t asked_us  # when the last PLI went out
    uint64_t key_frame_us  # when the last key frame began to come
    uint64_t interval_us  # at least this much between two requests
    uint8_t has_asked
    uint8_t has_key_frame
    uint8_t open  # a PLI is out and unanswered
    uint8_t waiting  # a request is remembered until the interval is over
    uint64_t requested  # PLIs sent
    uint64_t merged  # requests that cost no PLI of their own
    uint64_t key_frames

cdef void gate_init(KeyframeGate* gate) noexcept nogil

# Somebody needs a key frame. 1: send a PLI now; 0: merged into one already asked or remembered.
cdef int gate_request(KeyframeGate* gate, uint64_t now_us) noexcept nogil

# 1 if gate_request would let a request through.
cdef bint gate_is_due(const KeyframeGate* gate, uint64_t now_us) noexcept nogil

# 1: send a PLI now, for a remembered or an unanswered request.
cdef int gate_poll(KeyframeGate* gate, uint64_t now_us) noexcept nogil

# When gate_poll can next return 1; 2^64 - 1 if nothing is wanted.
cdef uint64_t gate_next_us(const KeyframeGate* gate) noexcept nogil

# A key frame began to come: open and remembered requests are answered.
cdef void gate_key_frame(KeyframeGate* gate, uint64_t now_us) noexcept nogil
