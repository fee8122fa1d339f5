# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Build one consumer's copy of a stored packet in a batch slot and seal it there; nothing shared is written to."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from media.native.bandwidth cimport bandwidth_spend
from media.native.dependency cimport write_active_targets
from media.native.forward cimport Rewrite
from media.native.history cimport HistoryEntry, history_bytes
from media.native.payload cimport (
    CODEC_VP8, CODEC_VP9, patch_dependency_frame_number, patch_vp8, peek_dependency_descriptor,
)
from media.native.playout cimport playout_write
from media.native.redundancy cimport red_depth, write_red
from media.native.rows cimport (
    CODECS_MAX, KIND_DEPENDENCY_DESCRIPTOR, KIND_PLAYOUT_DELAY, KIND_TWCC, KINDS_MAX, NONE8, Consumer, Core, Encoding,
    Producer, Transport,
)
from media.native.rtp cimport RTP_EXTENSIONS_MAX, RtpExtension, build_extensions, first_extension
from media.native.sealer cimport seal_packet
from media.native.send_log cimport send_log_add, send_log_number
from media.native.srtp cimport srtp_protect, srtp_protect_rtcp
from media.native.udp cimport SLOT_BYTES, send_commit, send_slot
from media.native.wire cimport load16, store16, store32

cdef enum:
    RTP_HEADER_BYTES = 12
    RTP_PADDING_BIT = 0x20
    RTX_HEADER_BYTES = 2          # original sequence number (RFC 4588 section 4)
    EXTENSIONS_ROOM = 320
    HEADER_ROOM = 640             # of a header whose dependency descriptor is written anew; a larger one stays as it is
    DESCRIPTOR_MAX = 255          # bytes of an extension in the two-byte form
    TRAILER_ROOM = 32             # tag and SRTCP index of every profile that we negotiate


cdef void patch_frame_number(uint8_t* block, size_t size, uint8_t id, uint16_t delta) noexcept nogil:
    """Add `delta` to the frame number of the dependency descriptor inside an extension block that we just built."""
    cdef size_t at = 4
    cdef size_t length
    cdef bint two_byte = load16(block) != 0xBEDE
    cdef uint16_t number
    cdef uint8_t first, structure
    while at < size:
        if block[at] == 0:
            at += 1
            continue
        if two_byte:
            if at + 2 > size:
                return
            length = block[at + 1]
            if block[at] == id:
                at += 2
                break
            at += 2 + length
        else:
            length = (block[at] & 0x0F) + 1
            if block[at] >> 4 == id:
                at += 1
                break
            at += 1 + length
    if at + length <= size and peek_dependency_descriptor(block + at, length, &number, &first, &structure) == 0:
        patch_dependency_frame_number(block + at, length, <uint16_t>(number + delta))


cdef inline bint has_rtx(const Consumer* consumer, uint8_t codec_index) noexcept nogil:
    return consumer.rtx_ssrc != 0 and consumer.rtx_payload_types[codec_index] != NONE8


cdef bint may_resend(const Consumer* consumer, const HistoryEntry* entry) noexcept nogil:
    """1 unless a resend would give one number to two packets: without RTX it must be what it was, byte for byte.

    With a new transport-wide number it would not be, and GCM would tell its key (SP 800-38D section 8).
    """
    cdef uint8_t codec_index = consumer.producer.codec_of[entry.header.payload_type & 0x7F]
    return number_id(consumer) == 0 or (codec_index < CODECS_MAX and has_rtx(consumer, codec_index))


cdef inline uint8_t number_id(const Consumer* consumer) noexcept nogil:
    """Return the extension id of transport-wide numbers on this slot, 0 if it has none."""
    return consumer.transport.out_ids[<int>KIND_TWCC] if consumer.numbered else 0


cdef uint8_t picture_delay(const Producer* producer, Consumer* consumer) noexcept nogil:
    """Return how long pictures wait for what is late on either side; a slot that was told ever is told of less, too.

    Only on slots that are numbered: others may be sent a packet again without RTX, and it must be what it was.
    """
    cdef uint8_t delay = max(producer.picture_delay, consumer.transport.picture_delay)
    if number_id(consumer) == 0:
        return 0
    if delay:
        consumer.told_delay = 1
    return delay or consumer.told_delay


cdef size_t write_extensions(uint8_t* out, Producer* producer, Consumer* consumer, const HistoryEntry* entry,
        const uint8_t* packet, const Rewrite* rewrite) noexcept nogil:
    """Write the header extensions that the viewer negotiated too, under its ids; 0 if there is none.

    First stands the transport-wide number of a slot that is numbered, which `seal` fills in; last how long pictures
    are to wait, unless the publisher has said so.
    """
    cdef uint8_t ids[RTP_EXTENSIONS_MAX]
    cdef RtpExtension items[RTP_EXTENSIONS_MAX]
    cdef uint8_t told[HEADER_ROOM]
    cdef const RtpExtension* elements = &entry.header.extensions[0]
    cdef int i, descriptor = -1
    cdef uint8_t kind
    cdef uint8_t first_id = number_id(consumer)
    cdef uint8_t delay = picture_delay(producer, consumer) if producer.is_video else 0
    cdef bint any = first_id != 0
    cdef size_t size
    for i in range(entry.header.extension_count):
        kind = producer.transport.in_kinds[entry.header.extensions[i].id] & (KINDS_MAX - 1)
        ids[i] = consumer.transport.out_ids[kind] if kind != KIND_TWCC else 0
        any = any or ids[i] != 0
        if kind == KIND_DEPENDENCY_DESCRIPTOR and ids[i]:
            descriptor = i
        if kind == KIND_PLAYOUT_DELAY and ids[i]:
            delay = 0
    if not any and not delay:
        return 0
    if descriptor >= 0 and tells_targets(entry, rewrite):
        memcpy(items, elements, sizeof(items))
        if tell_targets(entry, packet, rewrite.targets_sent, &items[descriptor], told) == 0:
            packet, elements = told, items
    size = build_extensions(out, EXTENSIONS_ROOM, packet, elements, ids, entry.header.extension_count, first_id)
    if size and rewrite.frame_number_delta and descriptor >= 0:
        patch_frame_number(out, size, ids[descriptor], rewrite.frame_number_delta)
    if delay and (size or not any):
        size = playout_write(out, size, EXTENSIONS_ROOM, consumer.transport.out_ids[<int>KIND_PLAYOUT_DELAY], delay)
    return size


cdef inline bint tells_targets(const HistoryEntry* entry, const Rewrite* rewrite) noexcept nogil:
    """1 if this packet is to say which decode targets the viewer gets: those of the base layer do, in time.

    Often enough that a receiver who lost one soon has another, and seldom enough to cost nothing.
    """
    return (
        rewrite.targets_sent != 0 and entry.layers.starts and entry.layers.use.temporal == 0
        and entry.layers.target_count > 1
    )


cdef int tell_targets(const HistoryEntry* entry, const uint8_t* packet, uint32_t targets_sent, RtpExtension* element,
        uint8_t* told) noexcept nogil:
    """Copy a header with another value of its dependency descriptor to `told`; -1 if there is no room."""
    cdef size_t at = entry.header.payload_offset, size
    if at + DESCRIPTOR_MAX + 1 > HEADER_ROOM:
        return -1
    size = write_active_targets(packet + element.offset, element.length, entry.layers.target_count,
        targets_sent & entry.layers.active, told + at, HEADER_ROOM - at)
    if size == 0 or size > DESCRIPTOR_MAX:
        return -1
    memcpy(told, packet, at)
    element.offset = <uint16_t>at
    element.length = <uint8_t>size
    return 0


cdef void send_media(Core* core, Consumer* consumer, Producer* producer, Encoding* encoding, const HistoryEntry* entry,
        const Rewrite* rewrite, uint8_t padding, bint resend) noexcept nogil:
    """Send a stored packet under the numbers of `rewrite`; a resend goes out as RTX where that was negotiated.

    `padding` (0 or 1 byte) is left off where a resend would reuse the number: one number, one plaintext.
    """
    cdef Transport* transport = consumer.transport
    cdef uint8_t* out = send_slot(&core.send)
    cdef const uint8_t* packet = history_bytes(&encoding.history, entry)
    cdef uint8_t codec_index = producer.codec_of[entry.header.payload_type & 0x7F]
    cdef uint8_t marker = entry.header.marker | (rewrite.closes & entry.layers.ends)
    cdef uint8_t payload_type
    cdef size_t at, header, extension_size
    cdef int64_t number
    cdef int size, depth
    cdef bint repeats, rtx
    if codec_index >= CODECS_MAX:
        return
    payload_type = consumer.payload_types[codec_index]
    repeats = has_rtx(consumer, codec_index)
    rtx = resend and repeats
    if payload_type == NONE8:
        return
    extension_size = write_extensions(out + RTP_HEADER_BYTES, producer, consumer, entry, packet, rewrite)
    at = header = RTP_HEADER_BYTES + extension_size
    if at + RTX_HEADER_BYTES + entry.header.payload_length + TRAILER_ROOM > SLOT_BYTES:
        core.counters.sealed_failed += 1
        return
    out[0] = 0x90 if extension_size else 0x80
    store32(out + 4, rewrite.timestamp)
    if rtx:
        out[1] = consumer.rtx_payload_types[codec_index] | (marker << 7)
        number = consumer.rtx_number - consumer.first_rtx_number
        store16(out + 2, <uint16_t>consumer.rtx_number)
        consumer.rtx_number += 1
        store32(out + 8, consumer.rtx_ssrc)
        store16(out + at, <uint16_t>rewrite.number)
        at += RTX_HEADER_BYTES
    else:
        out[1] = payload_type | (marker << 7)
        number = rewrite.number - consumer.first_number
        store16(out + 2, <uint16_t>rewrite.number)
        store32(out + 8, consumer.ssrc)
    size = 0
    if not producer.is_video and consumer.rtx_payload_types[codec_index] != NONE8:
        depth = red_depth(consumer, core.now_us)
        if depth:
            size = write_red(out + at, encoding, entry, payload_type, depth)
    if size:
        out[1] = consumer.rtx_payload_types[codec_index] | (entry.header.marker << 7)
        core.counters.red_packets += 1
        size += <int>at
    else:
        memcpy(out + at, packet + entry.header.payload_offset, entry.header.payload_length)
        size = <int>(at + entry.header.payload_length)
    if producer.codecs[codec_index].codec == CODEC_VP8 or producer.codecs[codec_index].codec == CODEC_VP9:
        patch_vp8(out + at, &entry.facts, rewrite.picture_id, rewrite.tl0)
    consumer.packets += 1
    consumer.octets += <uint32_t>(size - at)
    if padding and not resend and repeats:
        out[0] |= RTP_PADDING_BIT
        out[size] = padding
        size += padding
    if seal(core, consumer, out, <int>header, size, number) == 0:
        core.counters.forwarded += 1


cdef void send_padding(Core* core, Consumer* consumer, uint8_t payload_type, uint32_t ssrc,
        int64_t number) noexcept nogil:
    """Send a packet of PADDING_MAX bytes of padding alone (RFC 3550 section 5.1), at the newest timestamp.

    `number` is extended, of the stream of this SSRC.
    """
    cdef uint8_t* out = send_slot(&core.send)
    cdef size_t at = RTP_HEADER_BYTES + build_extensions(out + RTP_HEADER_BYTES, EXTENSIONS_ROOM, NULL, NULL, NULL, 0,
        number_id(consumer))
    out[0] = (0x90 if at > RTP_HEADER_BYTES else 0x80) | RTP_PADDING_BIT
    out[1] = payload_type
    store16(out + 2, <uint16_t>number)
    store32(out + 4, consumer.forward.last_timestamp)
    store32(out + 8, ssrc)
    memset(out + at, 0, PADDING_MAX)
    out[at + PADDING_MAX - 1] = PADDING_MAX
    number -= consumer.first_number if ssrc == consumer.ssrc else consumer.first_rtx_number
    seal(core, consumer, out, <int>at, <int>(at + PADDING_MAX), number)


cdef int seal(Core* core, Consumer* consumer, uint8_t* out, int header, int size, int64_t index) noexcept nogil:
    """Number a packet among all of its transport where that was negotiated, seal and send it; -1 if it cannot be.

    `index` counts the packets of its SSRC under the present keys: negative is one that was sent under others.
    """
    cdef Transport* transport = consumer.transport
    cdef bint numbered = number_id(consumer) != 0
    if numbered:
        store16(out + RTP_HEADER_BYTES + first_extension(out + RTP_HEADER_BYTES),
            send_log_number(&transport.bandwidth.log))
    if index < 0 or (
        seal_packet(transport.sealer, out, header, &size, <uint64_t>index) if transport.sealer != NULL
        else srtp_protect(transport.outbound, out, &size)
    ) != 0:
        core.counters.sealed_failed += 1
        return -1
    if numbered:
        send_log_add(&transport.bandwidth.log, <uint16_t>size, core.probe, core.now_us)
        bandwidth_spend(transport.bandwidth, size, core.now_us)
    send_commit(&core.send, size, &transport.address)
    return 0


cdef uint8_t* rtcp_slot(Core* core) noexcept nogil:
    """Return where to build an RTCP packet of at most RTCP_BYTES_MAX bytes."""
    return send_slot(&core.send)


cdef void send_rtcp(Core* core, Transport* transport, size_t size) noexcept nogil:
    """Seal and send what was built in rtcp_slot."""
    cdef int sealed = <int>size
    if size == 0 or transport.outbound == NULL or not transport.has_address:
        return
    if srtp_protect_rtcp(transport.outbound, send_slot(&core.send), &sealed) != 0:
        core.counters.sealed_failed += 1
        return
    send_commit(&core.send, sealed, &transport.address)
