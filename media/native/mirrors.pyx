# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Mirrors: producers of other workers, whose packets come through the inbox instead of from a socket.

A mirror is a producer like any other, on a transport without peer: viewers attach to it, its packets are kept for
resends and for who comes late, its gate merges their wishes for key frames. Only what concerns the publisher is its
home's business: NACK, feedback, reports, how loud he is.
"""

from libc.stdint cimport uint8_t, uint64_t

from media.native.fanout cimport flush_plans
from media.native.feedback cimport note_busy
from media.native.inbox cimport (
    LETTER_ENDED, LETTER_KEY_FRAME, LETTER_PACKET, LETTER_REPORT, LETTER_RESTART, InboxRing, Letter, LetterSlot,
    inbox_first, inbox_pop,
)
from media.native.ingress cimport take_packet
from media.native.lifecycle cimport SILENCE_AWAITED, begin_encoding, resync_consumers, retarget
from media.native.links cimport LINKED_KEY, MIRROR_KEY
from media.native.reception cimport reception_sender_report
from media.native.rows cimport Core, Encoding, Producer, Transport
from media.native.rtp cimport RtpHeader, parse_rtp
from media.native.table cimport table_get, table_put
from media.native.wishes cimport want_key_frames, want_upgrades


cdef int mirror_register(Core* core, Producer* mirror, uint64_t home_id, InboxRing* home) noexcept nogil:
    """Let letters of a producer find its mirror; -1 if there is no memory."""
    if table_put(&core.streams, home_id, 0, MIRROR_KEY, mirror) < 0:
        return -1
    mirror.home_id = home_id
    mirror.transport.home = home
    return 0


cdef void read_letter(Core* core, InboxRing* inbox, uint64_t now_us) noexcept nogil:
    """Read the oldest letter and do what it says. What is for rows that have gone meanwhile, is nothing."""
    cdef LetterSlot* slot = inbox_first(inbox)
    cdef Letter* letter = &slot.letter
    cdef Producer* producer
    core.now_us = now_us
    producer = <Producer*>table_get(&core.streams, letter.producer, 0,
        LINKED_KEY if letter.kind == LETTER_KEY_FRAME else MIRROR_KEY)
    if producer != NULL and letter.encoding < producer.encoding_count:
        if letter.kind == LETTER_PACKET:
            take_mirrored(core, producer, letter, slot.octets, now_us)
        elif letter.kind == LETTER_REPORT:
            reception_sender_report(&producer.encodings[letter.encoding].reception, letter.ntp, letter.rtp_timestamp,
                letter.arrival_us)
        elif letter.kind == LETTER_RESTART:
            flush_plans(core)
            resync_consumers(producer, letter.encoding)
        elif letter.kind == LETTER_ENDED:
            flush_plans(core)
            producer.encodings[letter.encoding].active = 0
            producer.encodings[letter.encoding].silence = SILENCE_AWAITED
            retarget(producer)
        elif letter.kind == LETTER_KEY_FRAME:
            if letter.patient:
                want_upgrades(core, producer, letter.encodings, now_us)
            else:
                want_key_frames(core, producer, letter.encodings, now_us)
    inbox_pop(inbox)


cdef void take_mirrored(Core* core, Producer* mirror, const Letter* letter, uint8_t* data,
        uint64_t now_us) noexcept nogil:
    """Take a packet as its home took it: opened, repaired, numbered."""
    cdef Transport* transport = mirror.transport
    cdef Encoding* encoding = &mirror.encodings[letter.encoding]
    cdef RtpHeader header
    if parse_rtp(data, letter.size, &header) < 0 or letter.codec_index >= mirror.codec_count:
        return
    transport.last_packet_us = now_us
    if not transport.is_busy:
        note_busy(core, transport)
    if not encoding.bound or encoding.ssrc != letter.ssrc:
        flush_plans(core)
        begin_encoding(mirror, letter.encoding, letter.ssrc)
    encoding.packets += 1
    encoding.bytes += letter.size
    encoding.interval_bytes += letter.size
    if letter.extended > encoding.reception.highest:
        encoding.reception.highest = letter.extended
    core.counters.mirrored += 1
    take_packet(core, mirror, letter.encoding, data, &header, letter.codec_index, letter.extended, letter.is_new,
        now_us)
