# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Whose packet is it: SSRCs that nobody announced are bound by mid, rid and payload type, and only so many of them."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp

from media.native.lifecycle cimport bind, find_stream
from media.native.rows cimport (
    BOUND_MAX, KIND_MID, KIND_REPAIRED_RID, KIND_RID, NONE8, STRANGERS_MAX, Core, Name, Producer, Stream, Transport,
)
from media.native.rtp cimport RtpHeader


cdef bint is_stranger_too_many(const Transport* transport, uint32_t ssrc) noexcept nogil:
    """1 if libsrtp must not be given another unknown SSRC: it would keep state for each."""
    cdef int i
    if transport.bound_count >= BOUND_MAX:
        return True
    for i in range(transport.stranger_count):
        if transport.strangers[i] == ssrc:
            return False
    return transport.stranger_count == STRANGERS_MAX


cdef void remember_stranger(Transport* transport, uint32_t ssrc) noexcept nogil:
    cdef int i
    for i in range(transport.stranger_count):
        if transport.strangers[i] == ssrc:
            return
    if transport.stranger_count < STRANGERS_MAX:
        transport.strangers[transport.stranger_count] = ssrc
        transport.stranger_count += 1


cdef bint same_name(const Name* name, const uint8_t* text, size_t size) noexcept nogil:
    return name.size == size and memcmp(name.text, text, size) == 0


cdef Producer* find_section(Transport* transport, const uint8_t* mid, size_t mid_size,
        uint8_t payload_type) noexcept nogil:
    """Return the section that a packet names by mid or, without one, the only one that knows its payload type.

    RFC 8843 section 9.2.
    """
    cdef Producer* producer = transport.producers
    cdef Producer* found = NULL
    while producer != NULL:
        if mid != NULL:
            if same_name(&producer.mid, mid, mid_size):
                return producer
        elif producer.codec_of[payload_type] != NONE8 or producer.rtx_of[payload_type] != NONE8:
            if found != NULL:
                return NULL
            found = producer
        producer = producer.next
    return found


cdef Stream* recognise(Core* core, Transport* transport, const uint8_t* data, const RtpHeader* header) noexcept nogil:
    """Bind a new SSRC to the section and encoding that its mid and rid name (RFC 8843, 8852); NULL if none."""
    cdef const uint8_t* mid = NULL
    cdef const uint8_t* rid = NULL
    cdef size_t mid_size = 0, rid_size = 0
    cdef uint8_t kind
    cdef bint is_rtx
    cdef int i, index = -1
    cdef Producer* producer
    for i in range(header.extension_count):
        kind = transport.in_kinds[header.extensions[i].id]
        if kind == KIND_MID:
            mid = data + header.extensions[i].offset
            mid_size = header.extensions[i].length
        elif kind == KIND_RID or kind == KIND_REPAIRED_RID:
            rid = data + header.extensions[i].offset
            rid_size = header.extensions[i].length
    producer = find_section(transport, mid, mid_size, header.payload_type)
    if producer == NULL:
        return NULL
    is_rtx = producer.rtx_of[header.payload_type] != NONE8
    if not is_rtx and producer.codec_of[header.payload_type] == NONE8:
        return NULL
    for i in range(producer.encoding_count):
        if (rid == NULL and producer.encoding_count == 1) or (rid != NULL
                and same_name(&producer.encodings[i].rid, rid, rid_size)):
            index = i
            break
    if index < 0 or bind(core, producer, <uint8_t>index, header.ssrc, is_rtx) < 0:
        return NULL
    transport.bound_count += 1
    return find_stream(core, transport, header.ssrc)
