# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""When each of the last packets to one peer went out, until the peer tells whether it came.

A ring of eight bytes a packet; there are as many rings as viewers.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

cdef enum:
    SENT_NOTHING = 0              # never sent, or told that it came
    SENT_UNDER_WAY = 1
    SENT_LOST = 2                 # told that it did not come; it may still


cdef void send_log_add(SendLog* log, uint16_t size, uint8_t probe, uint64_t now_us) noexcept nogil:
    cdef SentPacket* entry = &log.entries[log.next % SEND_LOG_ENTRIES]
    entry.sent_us = <uint32_t>now_us
    entry.size = size
    entry.probe = probe
    entry.state = SENT_UNDER_WAY
    log.next += 1


cdef bint send_log_tell(SendLog* log, uint16_t number, int64_t received_us, uint64_t now_us,
        PacketResult* result) noexcept nogil:
    cdef uint64_t behind = <uint16_t>(<uint16_t>log.next - 1 - number)
    cdef SentPacket* entry
    if behind >= SEND_LOG_ENTRIES or behind >= log.next:
        return False
    entry = &log.entries[(log.next - 1 - behind) % SEND_LOG_ENTRIES]
    if entry.state == SENT_NOTHING or (entry.state == SENT_LOST and received_us < 0):
        return False
    entry.state = SENT_LOST if received_us < 0 else SENT_NOTHING
    result.sent_us = now_us - <uint32_t>(<uint32_t>now_us - entry.sent_us)
    result.received_us = received_us
    result.size = entry.size
    result.probe = entry.probe
    return True


@cython.auto_pickle(False)
cdef class PacketLog:
    """Python face of one log, for tests."""

    cdef SendLog log

    def __cinit__(self):
        memset(&self.log, 0, sizeof(SendLog))

    def add(self, uint16_t size, uint64_t now_us, uint8_t probe=0) -> int:
        """Note that a packet went out; return its number."""
        number = send_log_number(&self.log)
        send_log_add(&self.log, size, probe, now_us)
        return number

    def tell(
        self, uint16_t number, received_us: int | None, uint64_t now_us
    ) -> tuple[int, int | None, int, int] | None:
        """Return (sent_us, received_us, size, probe) if this is news of a packet; `received_us` None: it did not come.

        ValueError for a negative `received_us`.
        """
        cdef PacketResult result
        if received_us is not None and received_us < 0:
            raise ValueError(f"received_us is {received_us}, expected None or at least 0")
        if not send_log_tell(&self.log, number, -1 if received_us is None else received_us, now_us, &result):
            return None
        return result.sent_us, received_us, result.size, result.probe
