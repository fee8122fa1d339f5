# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Whose sealed packet came from an address that no check came from: a NAT has given its sender another port.

Such a packet is never taken: that an address is the peer's, only a check proves. But whoever's keys it opens with has
moved, and can be asked for a check at once, long before browsers send the next one by themselves.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from media.native.lifecycle cimport find_stream
from media.native.rows cimport Core, Transport
from media.native.srtp cimport srtp_function, srtp_unprotect, srtp_unprotect_rtcp
from media.native.udp cimport DATAGRAM_MAX
from media.native.wire cimport load32

cdef enum:
    HEADER_BYTES = 12
    WINDOW_US = 100000
    # Packets looked at in a window: a flood from made-up addresses costs a thousandth of a core, and no more.
    STRAYS_MAX = 20
    # Transports whose keys are tried on one packet. Streams that are published differ; viewers that publish nothing
    # all report as SSRC 1, and the first of them are asked.
    TRIES_MAX = 32


cdef bint may_be_of(const Core* core, const Transport* transport, uint32_t ssrc) noexcept nogil:
    """1 if this peer has sent under this SSRC before."""
    cdef int i
    if transport.inbound == NULL:
        return False
    if find_stream(core, transport, ssrc) != NULL:
        return True
    for i in range(transport.stranger_count):
        if transport.strangers[i] == ssrc:
            return True
    return False


cdef Transport* find_sender(Core* core, const uint8_t* data, int size, bint is_rtcp, uint64_t now_us) noexcept nogil:
    """Return the transport whose peer sealed this packet, or NULL; `data` stays as it is."""
    cdef uint8_t copy[DATAGRAM_MAX]
    cdef srtp_function unprotect = srtp_unprotect_rtcp if is_rtcp else srtp_unprotect
    cdef Transport* transport = core.transports
    cdef uint32_t ssrc
    cdef int opened_size, tries = 0
    if size < HEADER_BYTES or size > DATAGRAM_MAX:
        return NULL
    if now_us - core.strays_us >= WINDOW_US:
        core.strays_us = now_us
        core.strays_count = 0
    core.strays_count += 1
    if core.strays_count > STRAYS_MAX:
        return NULL
    ssrc = load32(data + 4) if is_rtcp else load32(data + 8)
    while transport != NULL and tries < TRIES_MAX:
        if may_be_of(core, transport, ssrc):
            tries += 1
            memcpy(copy, data, size)
            opened_size = size
            if unprotect(transport.inbound, copy, &opened_size) == 0:
                return transport
        transport = transport.next
    return NULL
