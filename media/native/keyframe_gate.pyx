# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Gate that all key frame requests for one encoding pass: viewers ask often, the publisher is asked seldom.

A key frame costs the publisher's whole uplink for a moment, and every viewer of the encoding gets it. So requests merge
while one is open; the next may go out an interval later; and the interval grows while key frames come faster than they
help.
"""

cimport cython
from libc.stdint cimport uint64_t
from libc.string cimport memset

cdef enum:
    INTERVAL_MIN_US = 1000000  # between two requests
    INTERVAL_MAX_US = 4000000  # a viewer that lost a key frame waits no longer than this
    REPEAT_US = 1000000  # an unanswered request was lost, or the encoder is busy
    CROWDED_US = 2000000  # key frames closer than this double the interval
    QUIET_US = 10000000  # no key frame for so long: the interval is the least again
    SAME_FRAME_US = 100000  # parameter sets, slices and repeats of one key frame; no encoder makes two so fast

cdef uint64_t NEVER_US = 0xFFFFFFFFFFFFFFFF


cdef inline uint64_t elapsed(uint64_t now_us, uint64_t then_us) noexcept nogil:
    return now_us - then_us if now_us > then_us else 0


cdef inline uint64_t interval_at(const KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    """Return what must lie between two requests, as it is now."""
    if gate.has_key_frame and elapsed(now_us, gate.key_frame_us) >= QUIET_US:
        return INTERVAL_MIN_US
    return gate.interval_us


cdef inline int ask(KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    gate.asked_us = now_us
    gate.has_asked = 1
    gate.open = 1
    gate.waiting = 0
    gate.requested += 1
    return 1


cdef void gate_init(KeyframeGate* gate) noexcept nogil:
    """Begin with nothing asked."""
    memset(gate, 0, sizeof(KeyframeGate))
    gate.interval_us = INTERVAL_MIN_US


cdef bint gate_is_due(const KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    """Return 1 if a request is let through."""
    return not gate.open and (not gate.has_asked or elapsed(now_us, gate.asked_us) >= interval_at(gate, now_us))


cdef int gate_request(KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    """Take a request; 1: send a PLI now, 0: it is merged or remembered."""
    if gate_is_due(gate, now_us):
        return ask(gate, now_us)
    if not gate.open:
        gate.waiting = 1
    gate.merged += 1
    return 0


cdef int gate_poll(KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    """Return 1 if a PLI is due now, for a remembered or an unanswered request."""
    if gate.open:
        return ask(gate, now_us) if elapsed(now_us, gate.asked_us) >= REPEAT_US else 0
    if gate.waiting and elapsed(now_us, gate.asked_us) >= interval_at(gate, now_us):
        return ask(gate, now_us)
    return 0


cdef uint64_t gate_next_us(const KeyframeGate* gate) noexcept nogil:
    """Return when gate_poll can next be due, 2^64 - 1 if nothing is wanted; early by up to 3 s after a quiet time."""
    cdef uint64_t due
    if gate.open:
        return gate.asked_us + REPEAT_US
    if not gate.waiting:
        return NEVER_US
    due = gate.asked_us + gate.interval_us
    if gate.has_key_frame and gate.key_frame_us + QUIET_US < due:
        return max(gate.key_frame_us + QUIET_US, gate.asked_us + INTERVAL_MIN_US)
    return due


cdef void gate_key_frame(KeyframeGate* gate, uint64_t now_us) noexcept nogil:
    """Note that a key frame began to come.

    A second call for the same key frame is ignored: who asked after its first packet may have missed that one.
    """
    cdef uint64_t since = elapsed(now_us, gate.key_frame_us)
    if gate.has_key_frame and since < SAME_FRAME_US:
        return
    if gate.has_key_frame and since < CROWDED_US:
        gate.interval_us = min(2 * gate.interval_us, <uint64_t>INTERVAL_MAX_US)
    elif gate.has_key_frame and since >= QUIET_US:
        gate.interval_us = INTERVAL_MIN_US
    gate.key_frame_us = now_us
    gate.has_key_frame = 1
    gate.open = 0
    gate.waiting = 0
    gate.key_frames += 1


@cython.final
cdef class RequestGate:
    """Python face: the gate of one encoding."""

    cdef KeyframeGate gate

    def __cinit__(self):
        gate_init(&self.gate)

    def request(self, uint64_t now_us):
        """Take a request; True: send a PLI now."""
        return gate_request(&self.gate, now_us) == 1

    def poll(self, uint64_t now_us):
        """Return True if a PLI is due now."""
        return gate_poll(&self.gate, now_us) == 1

    def next_us(self):
        """Return when `poll` can next be due."""
        cdef uint64_t due_us = gate_next_us(&self.gate)
        return None if due_us == NEVER_US else due_us

    def key_frame(self, uint64_t now_us):
        gate_key_frame(&self.gate, now_us)

    def counters(self):
        """Return requested, merged, key_frames."""
        return self.gate.requested, self.gate.merged, self.gate.key_frames
