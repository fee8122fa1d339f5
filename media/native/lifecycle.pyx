# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Rows come and go: allocation, lookup, binding of SSRCs, and which encoding a consumer should aim at."""

from libc.stdint cimport int8_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset

from media.native.audio_levels cimport hearing_forget
from media.native.bandwidth cimport Bandwidth, bandwidth_free, bandwidth_new
from media.native.consent cimport consent_free
from media.native.events cimport EVENT_ENCODING, Event, ring_free, ring_init, ring_publish, ring_reserve
from media.native.forward cimport forward_detach, forward_forget, forward_init
from media.native.history cimport history_clear, history_free, history_init
from media.native.keyframe_gate cimport gate_init
from media.native.layers cimport layers_reset
from media.native.links cimport links_forget
from media.native.nack cimport nack_clear, nack_init
from media.native.reception cimport reception_init
from media.native.pacer cimport pacer_forget, pacer_free
from media.native.probing cimport probing_forget
from media.native.replay cimport replay_forget
from media.native.rows cimport (
    ADDRESSES_MAX, ENCODINGS_MAX, NONE8, STREAM_CONSUMER, STREAM_MEDIA, STREAM_RTX, Consumer, Core, Encoding,
    Producer, Stream, Transport,
)
from media.native.seqmap cimport SequenceMap
from media.native.table cimport table_free, table_get, table_init, table_put, table_remove
from media.native.udp cimport AddressKey, UdpAddress, address_key, receive_free, receive_init, send_free, send_init

cdef enum:
    ADDRESS_BUCKETS = 4096
    STREAM_BUCKETS = 16384
    RING_SLOTS = 1024             # 1.7 MB; a join storm of 300 needs some 1,000 STUN and DTLS datagrams in 2 s
    HISTORY_VIDEO_ENTRIES = 1024
    # 3 s of the top encoding at 2.5 Mbit/s; lower encodings of a simulcast get half and a quarter
    HISTORY_VIDEO_BYTES = 1 << 20
    HISTORY_AUDIO_ENTRIES = 128   # 2.5 s of 20 ms packets
    HISTORY_AUDIO_BYTES = 1 << 15
    CONSUMERS_STEP = 16
    LAYERS_ALL = 0xFF


cdef int core_init(Core* core, int descriptor, int wake_descriptor) noexcept nogil:
    """Prepare an empty worker; -1 if there is no memory. `descriptor` -1 captures datagrams instead of sending."""
    memset(core, 0, sizeof(Core))
    if (
        table_init(&core.addresses, ADDRESS_BUCKETS) < 0
        or table_init(&core.streams, STREAM_BUCKETS) < 0
        or send_init(&core.send, descriptor) < 0
        or receive_init(&core.receive) < 0
        or ring_init(&core.ring, RING_SLOTS, wake_descriptor) < 0
    ):
        core_free(core)
        return -1
    return 0


cdef void core_free(Core* core) noexcept nogil:
    """Remove every row and give all memory back."""
    while core.transports != NULL:
        remove_transport(core, core.transports)
    table_free(&core.addresses)
    table_free(&core.streams)
    send_free(&core.send)
    receive_free(&core.receive)
    ring_free(&core.ring)


cdef Transport* add_transport(Core* core, uint64_t id, uint32_t ssrc) noexcept nogil:
    """Add a transport without address and keys; NULL if there is no memory."""
    cdef Transport* transport = <Transport*>calloc(1, sizeof(Transport))
    if transport == NULL:
        return NULL
    transport.id = id
    transport.ssrc = ssrc
    transport.next = core.transports
    if core.transports != NULL:
        core.transports.previous = transport
    core.transports = transport
    return transport


cdef Bandwidth* open_bandwidth(Transport* transport) noexcept nogil:
    """Return what is known of the way to a peer, from now on if it was not kept yet; NULL if there is no memory."""
    if transport.bandwidth == NULL:
        transport.bandwidth = bandwidth_new(transport.id)
    return transport.bandwidth


cdef void drop_address(Core* core, Transport* transport, AddressKey key) noexcept nogil:
    """Take one key out of a transport's list and out of the table."""
    cdef int i
    for i in range(transport.allowed_count):
        if memcmp(&transport.allowed[i], &key, sizeof(AddressKey)) == 0:
            transport.allowed_count -= 1
            transport.allowed[i] = transport.allowed[transport.allowed_count]
            table_remove(&core.addresses, key.words[0], key.words[1], key.words[2])
            return


cdef int allow_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil:
    """Take what comes from an address as this transport's, and no other's; -1 without memory or room."""
    cdef AddressKey key = address_key(address)
    cdef Transport* owner = <Transport*>table_get(&core.addresses, key.words[0], key.words[1], key.words[2])
    if owner == transport:
        return 0
    if owner != NULL:
        drop_address(core, owner, key)
    if transport.allowed_count == ADDRESSES_MAX or table_put(&core.addresses, key.words[0], key.words[1], key.words[2],
            transport) < 0:
        return -1
    transport.allowed[transport.allowed_count] = key
    transport.allowed_count += 1
    return 0


cdef void forget_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil:
    """What comes from an address is this transport's no more."""
    drop_address(core, transport, address_key(address))


cdef int set_address(Core* core, Transport* transport, const UdpAddress* address) noexcept nogil:
    """Send to an address from now on; -1 without memory or room."""
    if allow_address(core, transport, address) < 0:
        return -1
    transport.address = address[0]
    transport.has_address = 1
    return 0


cdef void remove_transport(Core* core, Transport* transport) noexcept nogil:
    """Remove a transport with all that belongs to it; its SRTP state is not touched after this."""
    while transport.consumers != NULL:
        remove_consumer(core, transport.consumers)
    while transport.producers != NULL:
        remove_producer(core, transport.producers)
    while transport.allowed_count:
        drop_address(core, transport, transport.allowed[0])
    forget_busy(core, transport)
    if transport.previous != NULL:
        transport.previous.next = transport.next
    else:
        core.transports = transport.next
    if transport.next != NULL:
        transport.next.previous = transport.previous
    probing_forget(core, transport)
    pacer_free(core, transport)
    bandwidth_free(&core.bandwidth_news, transport.bandwidth)
    consent_free(transport.consent)
    free(transport.twcc)
    free(transport)


cdef void forget_busy(Core* core, Transport* transport) noexcept nogil:
    """Take a transport out of the list of those that are looked at often."""
    cdef Transport** link = &core.busy
    if not transport.is_busy:
        return
    while link[0] != NULL and link[0] != transport:
        link = &link[0].next_busy
    if link[0] == transport:
        link[0] = transport.next_busy
    transport.is_busy = 0


cdef Producer* add_producer(Transport* transport, uint64_t id, bint is_video, int encodings) noexcept nogil:
    """Add a paused producer with `encodings` unbound encodings; NULL if there is no memory or too many."""
    cdef Producer* producer
    cdef int i
    if not 1 <= encodings <= ENCODINGS_MAX:
        return NULL
    producer = <Producer*>calloc(1, sizeof(Producer))
    if producer == NULL:
        return NULL
    producer.encodings = <Encoding*>calloc(encodings, sizeof(Encoding))
    if producer.encodings == NULL:
        free(producer)
        return NULL
    producer.id = producer.levels.producer = id
    producer.levels.transport = transport.id
    producer.is_video = is_video
    producer.paused = 1
    producer.encoding_count = encodings
    memset(producer.codec_of, NONE8, sizeof(producer.codec_of))
    memset(producer.rtx_of, NONE8, sizeof(producer.rtx_of))
    for i in range(encodings):
        producer.encodings[i].codec_index = NONE8
        gate_init(&producer.encodings[i].gate)
        nack_init(&producer.encodings[i].nack)
    producer.transport = transport
    producer.next = transport.producers
    transport.producers = producer
    return producer


cdef void remove_producer(Core* core, Producer* producer) noexcept nogil:
    """Remove a producer; its consumers become empty slots."""
    cdef Transport* transport = producer.transport
    cdef Stream** link = &transport.streams
    cdef Producer** at = &transport.producers
    cdef int i
    hearing_forget(&core.hearing, &producer.levels)
    links_forget(core, producer)
    while producer.consumer_count:
        detach(producer.consumers[0])
    while link[0] != NULL:
        if link[0].producer == producer:
            drop_stream(core, link)
        else:
            link = &link[0].next
    while at[0] != producer:
        at = &at[0].next
    at[0] = producer.next
    for i in range(producer.encoding_count):
        history_free(&producer.encodings[i].history)
        free(producer.encodings[i].layers)
    free(producer.encodings)
    free(producer.consumers)
    free(producer)


cdef Consumer* add_consumer(Core* core, Transport* transport, uint64_t id, bint is_video, uint32_t ssrc,
        uint32_t rtx_ssrc, uint32_t first_number, bint numbered) noexcept nogil:
    """Add an empty slot that sends under fixed SSRCs; NULL if there is no memory."""
    cdef Consumer* consumer
    if numbered and open_bandwidth(transport) == NULL:
        return NULL
    consumer = <Consumer*>calloc(1, sizeof(Consumer))
    if consumer == NULL:
        return NULL
    consumer.numbered = numbered
    consumer.padding_type = NONE8
    consumer.id = id
    consumer.transport = transport
    consumer.ssrc = ssrc
    consumer.rtx_ssrc = rtx_ssrc
    consumer.wanted = -1
    forward_init(&consumer.forward, is_video, first_number)
    consumer.next = transport.consumers
    transport.consumers = consumer
    if add_stream(core, transport, STREAM_CONSUMER, 0, ssrc, NULL, consumer) == NULL:
        remove_consumer(core, consumer)
        return NULL
    return consumer


cdef void remove_consumer(Core* core, Consumer* consumer) noexcept nogil:
    """Remove a slot."""
    cdef Stream** link = &consumer.transport.streams
    cdef Consumer** at = &consumer.transport.consumers
    detach(consumer)
    replay_forget(core, consumer)
    while link[0] != NULL:
        if link[0].consumer == consumer:
            drop_stream(core, link)
        else:
            link = &link[0].next
    while at[0] != consumer:
        at = &at[0].next
    at[0] = consumer.next
    free(consumer.forward.map)
    free(consumer.forward.layers)
    free(consumer)


cdef int attach(Consumer* consumer, Producer* producer) noexcept nogil:
    """Let a slot carry this producer; -1 if there is no memory."""
    cdef Consumer** grown
    detach(consumer)
    if consumer.forward.map == NULL:
        consumer.forward.map = <SequenceMap*>calloc(1, sizeof(SequenceMap))
        if consumer.forward.map == NULL:
            return -1
    if producer.consumer_count == producer.consumer_capacity:
        grown = <Consumer**>realloc(producer.consumers, (producer.consumer_capacity
            + CONSUMERS_STEP) * sizeof(Consumer*))
        if grown == NULL:
            return -1
        producer.consumers = grown
        producer.consumer_capacity += CONSUMERS_STEP
    consumer.position = producer.consumer_count
    producer.consumers[producer.consumer_count] = consumer
    producer.consumer_count += 1
    consumer.producer = producer
    consumer.transport.filled_count += 1
    retarget_consumer(consumer)
    await_wanted(consumer)
    return 0


cdef void detach(Consumer* consumer) noexcept nogil:
    """Empty a slot; its numbers and timeline go on with the next producer."""
    cdef Producer* producer = consumer.producer
    cdef Consumer* last
    if producer == NULL:
        return
    producer.consumer_count -= 1
    last = producer.consumers[producer.consumer_count]
    producer.consumers[consumer.position] = last
    last.position = consumer.position
    consumer.producer = NULL
    consumer.transport.filled_count -= 1
    consumer.replaying = 0
    pacer_forget(consumer)
    forward_detach(&consumer.forward)


cdef Stream* add_stream(Core* core, Transport* transport, uint8_t kind, uint8_t encoding, uint32_t ssrc,
        Producer* producer, Consumer* consumer) noexcept nogil:
    """Register an SSRC of a transport; an earlier owner of the same SSRC loses it. NULL if there is no memory."""
    cdef Stream** link = &transport.streams
    cdef Stream* stream
    while link[0] != NULL:
        if link[0].ssrc == ssrc and (link[0].kind == STREAM_CONSUMER) == (kind == STREAM_CONSUMER):
            drop_stream(core, link)
        else:
            link = &link[0].next
    stream = <Stream*>calloc(1, sizeof(Stream))
    if stream == NULL:
        return NULL
    stream.kind = kind
    stream.encoding = encoding
    stream.ssrc = ssrc
    stream.transport = transport
    stream.producer = producer
    stream.consumer = consumer
    if table_put(&core.streams, transport.id, ssrc, kind == STREAM_CONSUMER, stream) < 0:
        free(stream)
        return NULL
    stream.next = transport.streams
    transport.streams = stream
    return stream


cdef void drop_stream(Core* core, Stream** link) noexcept nogil:
    cdef Stream* stream = link[0]
    table_remove(&core.streams, stream.transport.id, stream.ssrc, stream.kind == STREAM_CONSUMER)
    link[0] = stream.next
    free(stream)


cdef Stream* find_stream(const Core* core, const Transport* transport, uint32_t ssrc) noexcept nogil:
    """Return the stream that the peer sends under this SSRC, or NULL."""
    return <Stream*>table_get(&core.streams, transport.id, ssrc, 0)


cdef int bind(Core* core, Producer* producer, uint8_t index, uint32_t ssrc, bint is_rtx) noexcept nogil:
    """Give an encoding its SSRC; a new SSRC under the same rid is a new stream. -1 if there is no memory."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef Stream** link = &producer.transport.streams
    cdef Event* event
    cdef uint8_t kind = STREAM_RTX if is_rtx else STREAM_MEDIA
    while link[0] != NULL:
        if link[0].producer == producer and link[0].encoding == index and link[0].kind == kind:
            drop_stream(core, link)
        else:
            link = &link[0].next
    if add_stream(core, producer.transport, kind, index, ssrc, producer, NULL) == NULL:
        return -1
    if is_rtx:
        encoding.rtx_ssrc = ssrc
        return 0
    begin_encoding(producer, index, ssrc)
    event = ring_reserve(&core.ring, True)
    if event != NULL:
        event.kind = EVENT_ENCODING
        event.transport = producer.transport.id
        event.first = producer.id
        event.second = index
        event.third = ssrc
        ring_publish(&core.ring)
    return 0


cdef void begin_encoding(Producer* producer, uint8_t index, uint32_t ssrc) noexcept nogil:
    """Let an encoding be a new stream: nothing of the old one counts any more."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef uint64_t offered = encoding.reception.bytes
    encoding.ssrc = ssrc
    encoding.bound = 1
    encoding.key_us = 0
    encoding.codec_index = NONE8
    reception_init(&encoding.reception, 90000 if producer.is_video else 48000)
    encoding.reception.bytes = offered  # is told since the start of the track
    nack_clear(&encoding.nack)
    if encoding.has_history:
        history_clear(&encoding.history)
    if encoding.layers != NULL:
        layers_reset(encoding.layers)
    forget_packets(producer, index)


cdef int open_history(Producer* producer, uint8_t index) noexcept nogil:
    """Make the packet ring of an encoding on its first packet that matters; -1 if there is no memory."""
    cdef Encoding* encoding = &producer.encodings[index]
    cdef int below_top = producer.encoding_count - 1 - index
    if encoding.has_history:
        return 0
    if producer.is_video:
        if history_init(&encoding.history, HISTORY_VIDEO_ENTRIES, HISTORY_VIDEO_BYTES >> below_top) < 0:
            return -1
    elif history_init(&encoding.history, HISTORY_AUDIO_ENTRIES, HISTORY_AUDIO_BYTES) < 0:
        return -1
    encoding.has_history = 1
    return 0


cdef void forget_packets(Producer* producer, uint8_t index) noexcept nogil:
    """Let no viewer's number stand for a packet of this encoding any more: its numbers begin anew."""
    cdef uint32_t i
    for i in range(producer.consumer_count):
        forward_forget(&producer.consumers[i].forward, index)


cdef void resync_consumers(Producer* producer, uint8_t index) noexcept nogil:
    """Make those who watch this encoding start a new run: its numbers or its timeline broke off."""
    cdef uint32_t i
    producer.encodings[index].key_us = 0
    for i in range(producer.consumer_count):
        if producer.consumers[i].forward.encoding == index:
            producer.consumers[i].forward.resync = 1


cdef int lowest_flowing(const Producer* producer) noexcept nogil:
    """Return the lowest encoding of which packets come, -1 if none does."""
    cdef int i
    for i in range(producer.encoding_count):
        if producer.encodings[i].active:
            return i
    return -1


cdef void retarget(Producer* producer) noexcept nogil:
    """Aim every consumer anew after an encoding came or went."""
    cdef uint32_t i
    for i in range(producer.consumer_count):
        retarget_consumer(producer.consumers[i])


cdef void retarget_consumer(Consumer* consumer) noexcept nogil:
    """Aim at the wanted encoding; while nothing flows there, at the best one below, else at the next above."""
    cdef Producer* producer = consumer.producer
    cdef int wanted = consumer.wanted
    cdef int i
    if producer == NULL:
        return
    # Layers of a single stream are wanted by the numbers that encodings have.
    consumer.forward.spatial_wanted = <uint8_t>wanted if producer.encoding_count == 1 and wanted >= 0 else LAYERS_ALL
    if wanted < 0 or wanted >= producer.encoding_count:
        wanted = producer.encoding_count - 1
    for i in range(wanted, -1, -1):
        if producer.encodings[i].active:
            consumer.forward.target = <int8_t>i
            return
    for i in range(wanted + 1, producer.encoding_count):
        if producer.encodings[i].active:
            consumer.forward.target = <int8_t>i
            return
    consumer.forward.target = <int8_t>wanted


cdef inline int wanted_of(const Consumer* consumer) noexcept nogil:
    cdef int highest = consumer.producer.encoding_count - 1
    return consumer.wanted if 0 <= consumer.wanted <= highest else highest


cdef void await_wanted(const Consumer* consumer) noexcept nogil:
    """Believe the first packet of an encoding that rests if this slot is the first to want it again.

    The publisher is asked for it now. One that others wanted all the time fell behind, and has to prove itself.
    """
    cdef const Producer* producer = consumer.producer
    cdef Encoding* encoding = &producer.encodings[wanted_of(consumer)]
    cdef uint32_t i
    if encoding.active or encoding.silence == SILENCE_AWAITED:
        return
    for i in range(producer.consumer_count):
        if producer.consumers[i] != consumer and wanted_of(producer.consumers[i]) == wanted_of(consumer):
            return
    encoding.silence = SILENCE_AWAITED
