# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""A room on several workers: what a producer's home tells the workers that mirror it, and what they ask of it.

A packet is opened, repaired and numbered once, at home, where it came in; every worker with viewers of it gets a copy,
and does the rest as if the producer were its own.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from media.native.inbox cimport (
    LETTER_KEY_FRAME, LETTER_PACKET, LETTER_REPORT, InboxRing, Letter, inbox_put, inbox_wake,
)
from media.native.rows cimport TOLD_MAX, Core, Link, Producer
from media.native.table cimport table_put, table_remove


cdef int link_add(Core* core, Producer* producer, InboxRing* inbox) noexcept nogil:
    """Tell this inbox of a producer from now on; -1 if there is no memory."""
    cdef Link* link = producer.links
    while link != NULL:
        if link.inbox == inbox:
            return 0
        link = link.next
    link = <Link*>malloc(sizeof(Link))
    if link == NULL:
        return -1
    if producer.links == NULL and table_put(&core.streams, producer.id, 0, LINKED_KEY, producer) < 0:
        free(link)
        return -1
    link.inbox = inbox
    link.next = producer.links
    producer.links = link
    return 0


cdef void link_remove(Core* core, Producer* producer, const InboxRing* inbox) noexcept nogil:
    """Tell it no more."""
    cdef Link** at = &producer.links
    cdef Link* gone
    while at[0] != NULL:
        if at[0].inbox == inbox:
            gone = at[0]
            at[0] = gone.next
            free(gone)
            if producer.links == NULL:
                table_remove(&core.streams, producer.id, 0, LINKED_KEY)
            return
        at = &at[0].next


cdef void links_forget(Core* core, Producer* producer) noexcept nogil:
    """A producer or a mirror goes: no letter finds it any more."""
    while producer.links != NULL:
        link_remove(core, producer, producer.links.inbox)
    if producer.home_id:
        table_remove(&core.streams, producer.home_id, 0, MIRROR_KEY)


cdef void tell(Core* core, const Producer* producer, const Letter* letter, const uint8_t* octets) noexcept nogil:
    """Send a letter to every worker that mirrors a producer; they are woken together by wake_told."""
    cdef const Link* link = producer.links
    cdef int i
    cdef bint known
    while link != NULL:
        if inbox_put(link.inbox, letter, octets) < 0:
            core.counters.mirror_overflows += 1
        else:
            known = False
            for i in range(core.told_count):
                if core.told[i] == link.inbox:
                    known = True
                    break
            if not known:
                if core.told_count == TOLD_MAX:
                    wake_told(core)
                core.told[core.told_count] = link.inbox
                core.told_count += 1
        link = link.next


cdef void wake_told(Core* core) noexcept nogil:
    """Wake the workers that were told something since the last call."""
    cdef int i
    for i in range(core.told_count):
        inbox_wake(core.told[i])
    core.told_count = 0


cdef void tell_packet(Core* core, const Producer* producer, uint8_t encoding, uint8_t codec_index, int64_t extended,
        bint is_new, const uint8_t* data, size_t size, uint64_t now_us) noexcept nogil:
    """Tell of a packet that was stored."""
    cdef Letter letter
    memset(&letter, 0, sizeof(Letter))
    letter.kind = LETTER_PACKET
    letter.producer = producer.id
    letter.encoding = encoding
    letter.codec_index = codec_index
    letter.ssrc = producer.encodings[encoding].ssrc
    letter.extended = extended
    letter.is_new = is_new
    letter.arrival_us = now_us
    letter.size = <uint16_t>size
    tell(core, producer, &letter, data)


cdef void tell_report(Core* core, const Producer* producer, uint8_t encoding, uint64_t ntp, uint32_t rtp_timestamp,
        uint64_t now_us) noexcept nogil:
    """Tell of a sender report: viewers elsewhere need the publisher's clock too."""
    cdef Letter letter
    memset(&letter, 0, sizeof(Letter))
    letter.kind = LETTER_REPORT
    letter.producer = producer.id
    letter.encoding = encoding
    letter.ntp = ntp
    letter.rtp_timestamp = rtp_timestamp
    letter.arrival_us = now_us
    tell(core, producer, &letter, NULL)


cdef void tell_break(Core* core, const Producer* producer, uint8_t encoding, uint8_t kind) noexcept nogil:
    """Tell that an encoding began anew (LETTER_RESTART) or ended (LETTER_ENDED)."""
    cdef Letter letter
    memset(&letter, 0, sizeof(Letter))
    letter.kind = kind
    letter.producer = producer.id
    letter.encoding = encoding
    tell(core, producer, &letter, NULL)


cdef void ask_home(Core* core, const Producer* mirror, uint8_t encodings, bint patient) noexcept nogil:
    """Ask a mirror's home for key frames: its gates are those that count."""
    cdef Letter letter
    memset(&letter, 0, sizeof(Letter))
    letter.kind = LETTER_KEY_FRAME
    letter.producer = mirror.home_id
    letter.encodings = encodings
    letter.patient = patient
    if inbox_put(mirror.transport.home, &letter, NULL) < 0:
        core.counters.mirror_overflows += 1
    else:
        inbox_wake(mirror.transport.home)
