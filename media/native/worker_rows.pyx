# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Rows of one worker, put in and taken out by Python under the lock that the data-plane thread gives up in between."""

cimport cython
from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from media.native.audio_levels cimport hearing_forget
from media.native.bandwidth cimport Bandwidth
from media.native.feedback cimport need_picture
from media.native.lifecycle cimport (
    add_consumer, add_producer, add_transport, allow_address, attach, await_wanted, bind, detach, forget_address,
    open_bandwidth, remove_consumer, remove_producer, remove_transport, resync_consumers, retarget_consumer,
    set_address,
)
from media.native.nack cimport nack_clear
from media.native.plane cimport plane_free, plane_init, plane_lock, plane_now_us, plane_stop, plane_unlock
from media.native.rows cimport (
    CODECS_MAX, ENCODINGS_MAX, KINDS_MAX, NAME_MAX, NONE8, Consumer, Core, Name, Producer, Transport,
)
from media.native.sealer cimport Sealer
from media.native.udp cimport AF_INET_FAMILY, UdpAddress, parse_address, send_flush
from media.native.wishes cimport layers_wait, want_key_frame, want_target


cdef inline bint is_reachable(const Transport* transport) noexcept nogil:
    """1 if a packet can be sealed for this transport and sent."""
    return transport.outbound != NULL and transport.has_address


cdef int fill_name(Name* name, bytes text) except -1:
    if len(text) > NAME_MAX:
        raise ValueError(f"{text!r} is {len(text)} bytes, expected at most {NAME_MAX}")
    name.size = <uint8_t>len(text)
    memcpy(name.text, <const uint8_t*>text, len(text))
    return 0


@cython.auto_pickle(False)
cdef class WorkerRows:
    """The rows. All ids are chosen by the caller, unique, and not 0; an unknown id is a KeyError."""

    def __cinit__(
        self, int descriptor=-1, int wake_descriptor=-1, int event_descriptor=-1, int family=AF_INET_FAMILY, int nice=0
    ):
        if plane_init(&self.plane, descriptor, wake_descriptor, event_descriptor) < 0:
            raise MemoryError
        self.plane.nice = nice
        self.ready = True
        self.family = family
        self.transports = {}
        self.producers = {}
        self.consumers = {}

    def __dealloc__(self):
        if self.ready:
            with nogil:
                plane_stop(&self.plane)
            plane_free(&self.plane)

    cdef Transport* transport(self, uint64_t id) except NULL:
        value = self.transports.get(id)
        if value is None:
            raise KeyError(f"no transport {id}")
        return <Transport*><uintptr_t>value

    cdef Producer* producer(self, uint64_t id) except NULL:
        value = self.producers.get(id)
        if value is None:
            raise KeyError(f"no producer {id}")
        return <Producer*><uintptr_t>value

    cdef Consumer* consumer(self, uint64_t id) except NULL:
        value = self.consumers.get(id)
        if value is None:
            raise KeyError(f"no consumer {id}")
        return <Consumer*><uintptr_t>value

    def add_transport(self, uint64_t id, uint32_t ssrc, bytes in_kinds, bytes out_ids) -> None:
        """Add a transport without address or keys.

        `in_kinds`: 256 bytes, header extension id -> kind of packets that come; `out_ids`: KINDS_MAX bytes,
        kind -> id of
        packets that go, 0 where the peer did not negotiate it. `ssrc` is ours in RTCP.
        """
        cdef Transport* row
        self.check_tables(in_kinds, out_ids)
        if id in self.transports:
            raise ValueError(f"transport {id} exists")
        with nogil:
            plane_lock(&self.plane)
            row = add_transport(&self.plane.core, id, ssrc)
            plane_unlock(&self.plane)
        if row == NULL:
            raise MemoryError
        self.transports[id] = <uintptr_t>row
        self.set_extensions(id, in_kinds, out_ids)

    cdef int check_tables(self, bytes in_kinds, bytes out_ids) except -1:
        if len(in_kinds) != 256 or len(out_ids) != KINDS_MAX:
            sizes = (len(in_kinds), len(out_ids))
            raise ValueError(f"extension tables have {sizes} bytes, expected (256, {KINDS_MAX})")
        return 0

    def set_extensions(self, uint64_t id, bytes in_kinds, bytes out_ids) -> None:
        """Replace the header extension tables of a transport (a re-offer may add extensions)."""
        cdef Transport* row = self.transport(id)
        cdef const uint8_t* kinds = in_kinds
        cdef const uint8_t* ids = out_ids
        self.check_tables(in_kinds, out_ids)
        with nogil:
            plane_lock(&self.plane)
            memcpy(row.in_kinds, kinds, 256)
            memcpy(row.out_ids, ids, KINDS_MAX)
            plane_unlock(&self.plane)

    def set_address(self, uint64_t id, str host, int port) -> None:
        """Send to, and accept from, this address from now on. ValueError for what is no address or one too many."""
        self.change_address(set_address, id, host, port)

    def allow_address(self, uint64_t id, str host, int port) -> None:
        """Accept from this address too. ValueError for what is no address or one too many."""
        self.change_address(allow_address, id, host, port)

    cdef int change_address(self, int (*change)(Core*, Transport*, const UdpAddress*) noexcept nogil, uint64_t id,
            str host, int port) except -1:
        cdef Transport* row = self.transport(id)
        cdef UdpAddress address
        cdef int result
        parse_address(host, port, self.family, &address)
        with nogil:
            plane_lock(&self.plane)
            result = change(&self.plane.core, row, &address)
            plane_unlock(&self.plane)
        if result < 0:
            raise ValueError(f"transport {id} has too many addresses to add {host}")
        return 0

    def forget_address(self, uint64_t id, str host, int port) -> None:
        """Accept from this address no more."""
        cdef Transport* row = self.transport(id)
        cdef UdpAddress address
        parse_address(host, port, self.family, &address)
        with nogil:
            plane_lock(&self.plane)
            forget_address(&self.plane.core, row, &address)
            plane_unlock(&self.plane)

    def clear_address(self, uint64_t id) -> None:
        """Send nothing to this transport until the next set_address."""
        cdef Transport* row = self.transport(id)
        with nogil:
            plane_lock(&self.plane)
            row.has_address = 0
            plane_unlock(&self.plane)

    def set_keys(self, uint64_t id, uintptr_t inbound, uintptr_t outbound, uintptr_t sealer=0) -> None:
        """Hand over SRTP sessions (`SrtpSession.handle`): the caller keeps them alive, and does not use them, until
        remove_transport or another set_keys has returned.

        `sealer` (`PacketSealer.handle`, under the same conditions) seals RTP instead of the outbound session.
        """
        cdef Transport* row = self.transport(id)
        cdef Consumer* consumer
        with nogil:
            plane_lock(&self.plane)
            row.inbound = <void*>inbound
            row.outbound = <void*>outbound
            row.sealer = <const Sealer*>sealer
            consumer = row.consumers
            while consumer != NULL:  # other keys, other rollovers: their peer begins to count at none
                consumer.first_number = consumer.forward.next_output & ~<int64_t>0xFFFF
                consumer.first_rtx_number = consumer.rtx_number & ~<int64_t>0xFFFF
                consumer = consumer.next
            self.plane.core.scan_due_us = 0  # its slots may ask for key frames now
            plane_unlock(&self.plane)

    def set_wanted(self, uint64_t id, uint32_t bitrate_bps) -> None:
        """Say how much could be used toward this transport: its path is probed as long as the estimate is below.

        0, as at the start: what flows is enough, nothing is sent only to learn.
        """
        cdef Transport* row = self.transport(id)
        cdef Bandwidth* bandwidth = row.bandwidth
        if bandwidth == NULL:
            with nogil:
                plane_lock(&self.plane)
                bandwidth = open_bandwidth(row)
                plane_unlock(&self.plane)
        if bandwidth == NULL:
            raise MemoryError
        bandwidth.gcc.wanted_bps = bitrate_bps  # one word, which the thread only reads: no turn is waited for

    def remove_transport(self, uint64_t id) -> None:
        """Remove a transport with its producers and consumers. Unknown ids are ignored."""
        cdef Transport* row
        cdef Producer* producer
        cdef Consumer* consumer
        if id not in self.transports:
            return
        row = self.transport(id)
        producer = row.producers
        while producer != NULL:
            self.producers.pop(producer.id, None)
            producer = producer.next
        consumer = row.consumers
        while consumer != NULL:
            self.consumers.pop(consumer.id, None)
            consumer = consumer.next
        del self.transports[id]
        with nogil:
            plane_lock(&self.plane)
            remove_transport(&self.plane.core, row)
            plane_unlock(&self.plane)

    def add_producer(self, uint64_t id, uint64_t transport, bytes mid, bint is_video, list codecs,
            list encodings) -> None:
        """Add a paused producer.

        `codecs`: (payload type, codec number, clock rate in Hz, RTX payload type or 255, whether NACK was negotiated);
        `encodings`: (rid, ssrc or 0, RTX ssrc or 0), lowest first. ValueError for more than the core can hold.
        """
        cdef Transport* owner = self.transport(transport)
        cdef Producer* row
        cdef int i, count = len(encodings)
        cdef list ssrcs = [(int(ssrc), int(rtx_ssrc)) for _, ssrc, rtx_ssrc in encodings]
        cdef uint32_t ssrc, rtx_ssrc
        cdef bint failed = False
        if id in self.producers:
            raise ValueError(f"producer {id} exists")
        if not 1 <= count <= ENCODINGS_MAX:
            raise ValueError(f"{count} encodings, expected 1 to {ENCODINGS_MAX}")
        if len(codecs) > CODECS_MAX:
            raise ValueError(f"{len(codecs)} codecs, expected at most {CODECS_MAX}")
        if any(not 0 <= codec[0] <= 127 for codec in codecs):
            raise ValueError("a payload type is not in 0 to 127")
        if len(mid) > NAME_MAX or any(len(rid) > NAME_MAX for rid, _, _ in encodings):
            raise ValueError(f"a mid or rid is longer than {NAME_MAX} bytes")
        with nogil:
            plane_lock(&self.plane)
            row = add_producer(owner, id, is_video, count)
            plane_unlock(&self.plane)
        if row == NULL:
            raise MemoryError
        self.producers[id] = <uintptr_t>row
        # The row is in no table that the thread looks SSRCs up in, but mids are found in the list: fill under the lock.
        self.fill_producer(row, mid, codecs, encodings)
        for i in range(count):
            ssrc, rtx_ssrc = ssrcs[i]
            with nogil:
                plane_lock(&self.plane)
                if ssrc and bind(&self.plane.core, row, <uint8_t>i, ssrc, False) < 0:
                    failed = True
                if rtx_ssrc and bind(&self.plane.core, row, <uint8_t>i, rtx_ssrc, True) < 0:
                    failed = True
                plane_unlock(&self.plane)
            if failed:
                raise MemoryError

    cdef int fill_producer(self, Producer* row, bytes mid, list codecs, list encodings) except -1:
        cdef Producer filled
        cdef Name rids[ENCODINGS_MAX]
        cdef int i, count = len(encodings)
        filled.codec_count = <uint8_t>len(codecs)
        for i in range(128):
            filled.codec_of[i] = NONE8
            filled.rtx_of[i] = NONE8
        for i, (payload_type, codec, clock_rate_hz, rtx_payload_type, nacks) in enumerate(codecs):
            filled.codecs[i].payload_type = payload_type
            filled.codecs[i].codec = codec
            filled.codecs[i].clock_rate_hz = clock_rate_hz
            filled.codecs[i].rtx_payload_type = rtx_payload_type
            filled.codecs[i].nacks = nacks
            filled.codec_of[<int>payload_type] = <uint8_t>i
            if rtx_payload_type < 128:
                filled.rtx_of[<int>rtx_payload_type] = <uint8_t>i
        fill_name(&filled.mid, mid)
        for i in range(count):
            fill_name(&rids[i], encodings[i][0])
        with nogil:
            plane_lock(&self.plane)
            row.mid = filled.mid
            row.codec_count = filled.codec_count
            memcpy(row.codecs, filled.codecs, sizeof(filled.codecs))
            memcpy(row.codec_of, filled.codec_of, sizeof(filled.codec_of))
            memcpy(row.rtx_of, filled.rtx_of, sizeof(filled.rtx_of))
            for i in range(count):
                row.encodings[i].rid = rids[i]
            plane_unlock(&self.plane)
        return 0

    def set_paused(self, uint64_t producer, bint paused) -> None:
        """Stop or go on storing and forwarding what a producer sends; viewers' numbers go on without a hole."""
        cdef Producer* row = self.producer(producer)
        cdef int i
        with nogil:
            plane_lock(&self.plane)
            if row.paused != paused:
                row.paused = paused
                hearing_forget(&self.plane.core.hearing, &row.levels)
                for i in range(row.encoding_count):
                    nack_clear(&row.encodings[i].nack)
                    resync_consumers(row, <uint8_t>i)
            plane_unlock(&self.plane)

    def remove_producer(self, uint64_t producer) -> None:
        """Remove a producer; its consumers become empty slots. Unknown ids are ignored."""
        cdef Producer* row
        if producer not in self.producers:
            return
        row = self.producer(producer)
        del self.producers[producer]
        with nogil:
            plane_lock(&self.plane)
            remove_producer(&self.plane.core, row)
            plane_unlock(&self.plane)

    def add_consumer(self, uint64_t id, uint64_t transport, bint is_video, uint32_t ssrc, uint32_t rtx_ssrc,
            uint16_t first_number, bint numbered=False, uint8_t padding_type=NONE8) -> None:
        """Add an empty slot with fixed SSRCs; `first_number` is its first sequence number, best in 1..32767.

        `numbered`: the viewer takes transport-wide numbers on it and reports them, if the extension has an id.
        `padding_type`: a payload type of its RTX stream, under which padding may probe the path while nothing flows.
        """
        cdef Transport* owner = self.transport(transport)
        cdef Consumer* row
        if id in self.consumers:
            raise ValueError(f"consumer {id} exists")
        with nogil:
            plane_lock(&self.plane)
            row = add_consumer(&self.plane.core, owner, id, is_video, ssrc, rtx_ssrc, first_number, numbered)
            if row != NULL:
                row.padding_type = padding_type
            plane_unlock(&self.plane)
        if row == NULL:
            raise MemoryError
        self.consumers[id] = <uintptr_t>row

    def attach(self, uint64_t consumer, uint64_t producer, bytes payload_types, bytes rtx_payload_types,
            int8_t encoding, uint8_t temporal) -> None:
        """Let a slot carry a producer of the same worker.

        The two tables give the viewer's payload types by the producer's codec index (255: it cannot take that codec);
        `encoding` and `temporal` as in set_layers. The picture starts at a key frame of the last seconds, else
        at the next, which is asked for as soon as the viewer can be reached: asked for earlier it would be lost, and
        the gate would hold back the next.
        """
        cdef Consumer* row = self.consumer(consumer)
        cdef Producer* source = self.producer(producer)
        cdef const uint8_t* types = payload_types
        cdef const uint8_t* rtx_types = rtx_payload_types
        cdef int result
        if len(payload_types) != CODECS_MAX or len(rtx_payload_types) != CODECS_MAX:
            sizes = (len(payload_types), len(rtx_payload_types))
            raise ValueError(f"payload type tables have {sizes} bytes, expected {CODECS_MAX} each")
        with nogil:
            plane_lock(&self.plane)
            memcpy(row.payload_types, types, CODECS_MAX)
            memcpy(row.rtx_payload_types, rtx_types, CODECS_MAX)
            row.wanted = encoding
            row.forward.temporal_wanted = temporal
            result = attach(row, source)
            if result == 0 and row.forward.target >= 0 and is_reachable(row.transport):
                need_picture(&self.plane.core, row, plane_now_us(&self.plane))
                send_flush(&self.plane.core.send)
            plane_unlock(&self.plane)
        if result < 0:
            raise MemoryError

    def detach(self, uint64_t consumer) -> None:
        """Empty a slot."""
        cdef Consumer* row = self.consumer(consumer)
        with nogil:
            plane_lock(&self.plane)
            detach(row)
            plane_unlock(&self.plane)

    def set_layers(self, uint64_t consumer, int8_t encoding, uint8_t temporal) -> None:
        """Ask for an encoding index (the switch comes at a key frame) and the highest temporal layer (255: all).

        Of a producer with a single encoding that is layered, the index is that of the highest spatial layer.
        """
        cdef Consumer* row = self.consumer(consumer)
        cdef bint changes
        with nogil:
            plane_lock(&self.plane)
            changes = row.wanted != encoding
            row.wanted = encoding
            row.forward.temporal_wanted = temporal
            retarget_consumer(row)
            if changes and row.producer != NULL:
                await_wanted(row)
            if (row.producer != NULL and row.forward.target >= 0 and is_reachable(row.transport)
                    and (row.forward.target != row.forward.encoding or layers_wait(row))):
                want_target(&self.plane.core, row, plane_now_us(&self.plane))
                send_flush(&self.plane.core.send)
            plane_unlock(&self.plane)

    def remove_consumer(self, uint64_t consumer) -> None:
        """Remove a slot. Unknown ids are ignored."""
        cdef Consumer* row
        if consumer not in self.consumers:
            return
        row = self.consumer(consumer)
        del self.consumers[consumer]
        with nogil:
            plane_lock(&self.plane)
            remove_consumer(&self.plane.core, row)
            plane_unlock(&self.plane)

    def renew_pictures(self, uint64_t id) -> None:
        """Start every video slot of a transport anew at a key frame: its peer was cut off and cannot go on."""
        cdef Transport* row = self.transport(id)
        cdef Consumer* consumer
        with nogil:
            plane_lock(&self.plane)
            consumer = row.consumers
            while consumer != NULL:
                if consumer.producer != NULL and consumer.producer.is_video and consumer.forward.encoding >= 0:
                    consumer.forward.resync = 1
                    if is_reachable(row):
                        need_picture(&self.plane.core, consumer, plane_now_us(&self.plane))
                consumer = consumer.next
            send_flush(&self.plane.core.send)
            plane_unlock(&self.plane)

    def request_key_frame(self, uint64_t producer, uint8_t encoding) -> None:
        """Ask a publisher for a key frame, through the gate."""
        cdef Producer* row = self.producer(producer)
        if encoding >= row.encoding_count:
            raise ValueError(f"encoding is {encoding}, expected below {row.encoding_count}")
        with nogil:
            plane_lock(&self.plane)
            want_key_frame(&self.plane.core, row, encoding, plane_now_us(&self.plane))
            send_flush(&self.plane.core.send)
            plane_unlock(&self.plane)
