# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Sound for viewers who lose packets: each packet repeats one or two before it (RED, RFC 2198).

Sound that is sent again on request comes too late, or makes everybody wait. A viewer who reports loss, and only he,
gets his slots' packets with the blocks before them from the history: one beside a few losses, two beside many. At 5 %
random loss one in 400 is missing then, at 10 % with two one in 1000.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from media.native.gcc cimport Gcc
from media.native.history cimport HistoryEntry, history_bytes, history_get
from media.native.rows cimport Consumer, Encoding

cdef enum:
    DEPTH_MAX = 2
    BLOCK_HEADER_BYTES = 4        # RFC 2198 section 3
    PRIMARY_HEADER_BYTES = 1
    FOLLOWS = 0x80
    OFFSET_MAX = 0x3FFF           # of the timestamp: 341 ms of Opus
    LENGTH_MAX = 0x3FF
    PACKET_MAX = 1100             # bytes: with all headers below what every path carries
    HOLD_US = 10000000            # browsers report once in up to five seconds
    # For each packet that is repeated: it takes a quarter of that, and is to leave room for a screen.
    NARROW_BPS = 125000

cdef double LOSS_FEW = 0.01
cdef double LOSS_MANY = 0.07


cdef int red_depth(Consumer* consumer, uint64_t now_us) noexcept nogil:
    """Return how many packets before it the next one is to repeat: 0 for a viewer who loses nothing."""
    cdef double loss = consumer.fraction_lost / 256.0
    cdef int wanted, most = DEPTH_MAX
    cdef const Gcc* gcc
    if consumer.numbered and consumer.transport.bandwidth != NULL and consumer.transport.bandwidth.gcc.started_us:
        gcc = &consumer.transport.bandwidth.gcc
        loss = 0 if gcc.jammed else gcc.loss  # what a full queue drops comes of too much, not of too little
        most = <int>min(gcc.target_bps // NARROW_BPS, <uint32_t>DEPTH_MAX)
    wanted = DEPTH_MAX if loss >= LOSS_MANY else (1 if loss >= LOSS_FEW else 0)
    if wanted and wanted >= consumer.red_depth:
        consumer.red_depth = <uint8_t>wanted
        consumer.red_until_us = now_us + HOLD_US
    elif consumer.red_depth and now_us >= consumer.red_until_us:
        consumer.red_depth = <uint8_t>wanted
        consumer.red_until_us = now_us + HOLD_US
    return min(<int>consumer.red_depth, most)


cdef int write_red(uint8_t* out, Encoding* encoding, const HistoryEntry* entry, uint8_t payload_type,
        int depth) noexcept nogil:
    """Write the payload of a packet together with those of up to `depth` before it; return its bytes, 0 for none.

    What is not in the history, of another kind, or too far away is left out; `payload_type` is the viewer's.
    """
    cdef HistoryEntry* earlier[DEPTH_MAX]
    cdef uint32_t offset
    cdef int i, count = 0, at = 0, total = entry.header.payload_length + PRIMARY_HEADER_BYTES
    for i in range(1, min(depth, <int>DEPTH_MAX) + 1):
        earlier[count] = history_get(&encoding.history, entry.extended - i)
        if earlier[count] == NULL or earlier[count].header.payload_type != entry.header.payload_type:
            break
        offset = entry.header.timestamp - earlier[count].header.timestamp
        if not 0 < offset <= OFFSET_MAX or not 0 < earlier[count].header.payload_length <= LENGTH_MAX:
            break
        total += earlier[count].header.payload_length + BLOCK_HEADER_BYTES
        if total > PACKET_MAX:
            break
        count += 1
    if count == 0:
        return 0
    for i in range(count - 1, -1, -1):
        offset = entry.header.timestamp - earlier[i].header.timestamp
        out[at] = FOLLOWS | payload_type
        out[at + 1] = <uint8_t>(offset >> 6)
        out[at + 2] = <uint8_t>((offset & 0x3F) << 2 | earlier[i].header.payload_length >> 8)
        out[at + 3] = <uint8_t>(earlier[i].header.payload_length & 0xFF)
        at += BLOCK_HEADER_BYTES
    out[at] = payload_type
    at += PRIMARY_HEADER_BYTES
    for i in range(count - 1, -1, -1):
        memcpy(out + at, history_bytes(&encoding.history, earlier[i]) + earlier[i].header.payload_offset,
            earlier[i].header.payload_length)
        at += earlier[i].header.payload_length
    memcpy(out + at, history_bytes(&encoding.history, entry) + entry.header.payload_offset,
        entry.header.payload_length)
    return at + entry.header.payload_length
