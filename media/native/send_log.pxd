"""The C face of what was sent to one peer under transport-wide numbers and has not been told of yet."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.gcc cimport PacketResult

cdef enum:
    # Packets: 1.7 s at 5 Mbit/s, and feedback comes every 100 ms and a round trip later; 8 KB a viewer.
    SEND_LOG_ENTRIES = 1024

ctypedef struct SentPacket:
    uint32_t sent_us              # the low half of our clock
    uint16_t size                 # bytes of the UDP payload
    uint8_t probe                 # cluster it was sent for, 0: none
    uint8_t state                 # SENT_* of send_log.pyx

ctypedef struct SendLog:
    uint64_t next                 # how many were sent: the number of the next one, extended
    SentPacket entries[SEND_LOG_ENTRIES]

# The number that the next packet goes out under.
cdef inline uint16_t send_log_number(const SendLog* log) noexcept nogil:
    return <uint16_t>log.next

# The packet under that number went out.
cdef void send_log_add(SendLog* log, uint16_t size, uint8_t probe, uint64_t now_us) noexcept nogil

# 1 and `result` filled if this tells something new of a packet: that it came (`received_us` of any origin, not
# negative), or for the first time that it did not (negative). 0 of what is forgotten, told already or never sent.
cdef bint send_log_tell(SendLog* log, uint16_t number, int64_t received_us, uint64_t now_us,
        PacketResult* result) noexcept nogil
