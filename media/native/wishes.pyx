# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Wishes for key frames: at once for who has no picture, patiently and all together for who waits for a better one.

Each encoding has a gate, which merges the wishes of those who see nothing. Who sees a lower encoding meanwhile loses
little by waiting: such upgrades of all viewers and of all encodings are asked for in one datagram, the more rarely the
more there are who watch: a few get what they ask for at once, a crowd once in a few seconds. The lowest encoding,
where those who join start, is asked for with them if its last key frame grows old: a class that joins within seconds
costs its teacher one request for both. Who has no picture yet waits like them while a lower encoding is on its way:
that starts him.

What one slot waits for, or its viewer asks for by himself (PLI, FIR), all others pay for who watch the same: it gets a
few key frames at once, for real losses and changes of size, and then one for as many seconds as there are others,
however often its path seems to widen and to narrow. What is on its way anyway costs nothing, nor does the lowest of
several encodings for who sees nothing; and the last of those few is not for a better picture.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from media.native.egress cimport RTCP_BYTES_MAX, rtcp_slot, send_rtcp
from media.native.keyframe_gate cimport KeyframeGate, gate_is_due, gate_key_frame, gate_poll, gate_request
from media.native.lifecycle cimport lowest_flowing
from media.native.links cimport ask_home
from media.native.rows cimport Consumer, Core, Encoding, Producer
from media.native.rtcp cimport build_pli
from media.native.selection cimport selection_climbs, selection_waits

cdef enum:
    PATIENCE_US = 250000          # for each who watches,
    PATIENCE_MAX_US = 2800000     # below the age up to which `replay` starts those who join at a key frame
    TOGETHER_US = 1000000         # what is asked for anyway takes upgrades along, if the last request is as old
    REPEAT_US = 1000000           # a letter home may be lost
    OWN_SPACING_US = 1000000      # for each of the others, between key frames that one slot has for the asking,
    OWN_SPACING_MAX_US = 10000000 # but a picture that stands still is mended after so long,
    OWN_MAX = 3                   # after so many at once,
    OWN_UPGRADES_MAX = 2          # as long as the picture is whole


cdef void want_key_frame(Core* core, Producer* producer, uint8_t index, uint64_t now_us) noexcept nogil:
    want_key_frames(core, producer, <uint8_t>(1 << index), now_us)


cdef void want_key_frames(Core* core, Producer* producer, uint8_t encodings, uint64_t now_us) noexcept nogil:
    cdef uint32_t asked = 0
    cdef int i
    for i in range(producer.encoding_count):
        if encodings >> i & 1 and may_ask(producer, <uint8_t>i):
            if gate_request(&producer.encodings[i].gate, now_us):
                asked |= <uint32_t>1 << i
            else:
                core.counters.key_frames_merged += 1
    if asked:
        ask(core, producer, asked | company(producer, now_us), now_us)


cdef void want_as_asked(Core* core, Consumer* consumer, uint8_t index, uint64_t now_us) noexcept nogil:
    if not may_ask(consumer.producer, index):
        return
    if not is_asked_for(consumer.producer, index) and not may_cost(consumer, OWN_MAX, now_us):
        core.counters.key_frames_flooded += 1
        return
    want_key_frame(core, consumer.producer, index, now_us)


cdef inline bint is_asked_for(const Producer* producer, uint8_t index) noexcept nogil:
    return producer.encodings[index].gate.open or producer.encodings[index].gate.waiting


cdef bint may_cost(Consumer* consumer, uint64_t most, uint64_t now_us) noexcept nogil:
    """1 if one more key frame for this slot, of so many at once, may cost the others something; it is noted then."""
    cdef uint64_t spacing = own_spacing_us(consumer.producer)
    if consumer.asking_of != <uint32_t>consumer.producer.id:  # others pay now than did before
        consumer.asking_of = <uint32_t>consumer.producer.id
        consumer.asking_us = 0
    consumer.asking_us = min(consumer.asking_us, now_us + OWN_MAX * spacing)  # there were more of them once
    if consumer.asking_us > now_us + (most - 1) * spacing:
        return False
    consumer.asking_us = max(consumer.asking_us, now_us) + spacing
    return True


cdef inline uint64_t own_spacing_us(const Producer* producer) noexcept nogil:
    """Return how far apart key frames for one slot are; who watches alone is nobody's burden."""
    if producer.links != NULL or producer.home_id:
        return OWN_SPACING_MAX_US
    return min((producer.consumer_count - 1) * <uint64_t>OWN_SPACING_US, <uint64_t>OWN_SPACING_MAX_US)


cdef void want_upgrades(Core* core, Producer* producer, uint8_t encodings, uint64_t now_us) noexcept nogil:
    cdef uint8_t news = 0
    cdef int i
    for i in range(producer.encoding_count):
        if encodings >> i & 1 and may_ask(producer, <uint8_t>i):
            if producer.upgrades >> i & 1:
                core.counters.key_frames_merged += 1
            else:
                news |= <uint8_t>(1 << i)
    if not news:
        return
    producer.upgrades |= news
    if producer.home_id:
        ask_home(core, producer, news, True)
        producer.asked_us = now_us
    else:
        ask_for_upgrades(core, producer, now_us)


cdef void want_target(Core* core, Consumer* consumer, uint64_t now_us) noexcept nogil:
    cdef Producer* producer = consumer.producer
    cdef uint8_t target = <uint8_t>consumer.forward.target
    cdef int lowest = lowest_flowing(producer)
    if not may_ask(producer, target):
        return
    if can_wait(consumer):
        if producer.upgrades >> target & 1 or is_asked_for(producer, target) or may_cost(consumer, OWN_UPGRADES_MAX,
                now_us):
            want_upgrades(core, producer, <uint8_t>(1 << target), now_us)
    elif (producer.encoding_count > 1 and target == lowest) or is_asked_for(producer, target) or may_cost(consumer,
            OWN_MAX, now_us):
        want_key_frame(core, producer, target, now_us)
    elif 0 <= lowest < target:
        want_key_frame(core, producer, <uint8_t>lowest, now_us)  # `replay` starts it there


cdef bint can_wait(const Consumer* consumer) noexcept nogil:
    """1 if a slot shows a smaller picture than the one that it waits for, or is about to."""
    cdef const Producer* producer = consumer.producer
    cdef int flowing = consumer.forward.encoding, target = consumer.forward.target, i
    if flowing < 0 or consumer.forward.resync:
        for i in range(target):  # what was asked for already lets it start below, by `replay`
            if producer.encodings[i].active and producer.encodings[i].gate.open:
                return True
        return False
    if flowing == target:
        return layers_climb(consumer)
    return flowing < target and producer.encodings[flowing].active


cdef void answer_wishes(Producer* producer, uint8_t index, uint64_t now_us) noexcept nogil:
    gate_key_frame(&producer.encodings[index].gate, now_us)
    producer.upgrades &= <uint8_t>~(1 << index)


cdef void ask_for_key_frames(Core* core, Producer* producer, uint64_t now_us) noexcept nogil:
    cdef uint32_t due = 0
    cdef int i
    if not producer.is_video or producer.paused or (producer.consumer_count == 0 and producer.links == NULL):
        return
    for i in range(producer.encoding_count):
        if producer.encodings[i].bound and gate_poll(&producer.encodings[i].gate, now_us):
            due |= <uint32_t>1 << i
    if due:
        ask(core, producer, due | company(producer, now_us), now_us)
    if not producer.upgrades:
        return
    if not producer.home_id:
        ask_for_upgrades(core, producer, now_us)
    elif now_us - producer.asked_us >= REPEAT_US:
        producer.asked_us = now_us
        forget_upgrades_to_nothing(producer)
        if producer.upgrades:
            ask_home(core, producer, producer.upgrades, True)


cdef inline bint may_ask(const Producer* producer, uint8_t index) noexcept nogil:
    return producer.is_video and not producer.paused and producer.encodings[index].bound


cdef void ask_for_upgrades(Core* core, Producer* producer, uint64_t now_us) noexcept nogil:
    """Ask for all that upgrades wait for, unless the publisher was asked for anything not long ago."""
    cdef uint32_t encodings
    if producer.has_asked and now_us - producer.asked_us < patience_us(producer):
        return
    encodings = take_upgrades(producer, now_us)
    if encodings:
        ask(core, producer, encodings | old_lowest(producer, now_us), now_us)


cdef inline uint64_t patience_us(const Producer* producer) noexcept nogil:
    """Return how long the publisher is left in peace; a room on several workers is a large one."""
    if producer.links != NULL:
        return PATIENCE_MAX_US
    return min(<uint64_t>producer.consumer_count * PATIENCE_US, <uint64_t>PATIENCE_MAX_US)


cdef uint32_t old_lowest(Producer* producer, uint64_t now_us) noexcept nogil:
    """Return the lowest encoding if it is time for a key frame that those who join can start at."""
    cdef int lowest = lowest_flowing(producer)
    cdef Encoding* encoding
    if lowest < 0:
        return 0
    encoding = &producer.encodings[lowest]
    if now_us - encoding.key_us >= TOGETHER_US and gate_request(&encoding.gate, now_us):
        return <uint32_t>1 << lowest
    return 0


cdef inline uint32_t company(Producer* producer, uint64_t now_us) noexcept nogil:
    """Return the encodings that are asked for since something is asked for anyway."""
    if producer.home_id or not producer.upgrades or now_us - producer.asked_us < TOGETHER_US:
        return 0
    return take_upgrades(producer, now_us)


cdef void forget_upgrades_to_nothing(Producer* producer) noexcept nogil:
    """Who waited for an encoding that does not flow any more is aimed at another."""
    cdef int i
    for i in range(producer.encoding_count):
        if not producer.encodings[i].active:
            producer.upgrades &= <uint8_t>~(1 << i)


cdef uint32_t take_upgrades(Producer* producer, uint64_t now_us) noexcept nogil:
    """Return the encodings that upgrades wait for. One that its gate holds back goes on waiting, for company."""
    cdef uint32_t encodings = 0
    cdef KeyframeGate* gate
    cdef int i
    forget_upgrades_to_nothing(producer)
    for i in range(producer.encoding_count):
        if producer.upgrades >> i & 1:
            gate = &producer.encodings[i].gate
            if gate.open or gate.waiting:
                producer.upgrades &= <uint8_t>~(1 << i)  # it is asked for, by others
            elif gate_is_due(gate, now_us) and gate_request(gate, now_us):
                producer.upgrades &= <uint8_t>~(1 << i)
                encodings |= <uint32_t>1 << i
    return encodings


cdef void ask(Core* core, Producer* producer, uint32_t encodings, uint64_t now_us) noexcept nogil:
    """Ask the publisher for key frames of these encodings at once, or the home of a mirror."""
    cdef size_t size = 0
    cdef int i
    producer.asked_us = now_us
    producer.has_asked = 1
    if producer.home_id:
        ask_home(core, producer, <uint8_t>encodings, False)
        return
    for i in range(producer.encoding_count):
        if not encodings >> i & 1:
            continue
        core.counters.key_frames_requested += 1
        size += build_pli(rtcp_slot(core) + size, RTCP_BYTES_MAX - size, producer.transport.ssrc,
            producer.encodings[i].ssrc)
    if size:
        send_rtcp(core, producer.transport, size)


cdef bint layers_wait(const Consumer* consumer) noexcept nogil:
    cdef const Encoding* encoding
    if consumer.forward.layers == NULL or consumer.forward.encoding < 0 or consumer.forward.resync:
        return False
    encoding = &consumer.producer.encodings[consumer.forward.encoding]
    return encoding.layers != NULL and encoding.layers.source != 0 and selection_waits(consumer.forward.layers,
        &encoding.layers.structure.targets, consumer.forward.spatial_wanted, consumer.forward.temporal_wanted)


cdef bint layers_climb(const Consumer* consumer) noexcept nogil:
    """1 if a slot shows whole pictures of a layered stream, smaller than those that it waits for."""
    cdef const Encoding* encoding = &consumer.producer.encodings[consumer.forward.encoding]
    return layers_wait(consumer) and selection_climbs(consumer.forward.layers, &encoding.layers.structure.targets)


cdef bint waits_for_key_frame(const Consumer* consumer) noexcept nogil:
    cdef const Encoding* encoding
    if consumer.forward.target < 0 or (consumer.forward.encoding == consumer.forward.target
            and not consumer.forward.resync and not layers_wait(consumer)):
        return False
    encoding = &consumer.producer.encodings[consumer.forward.target]
    if consumer.producer.upgrades >> consumer.forward.target & 1 and can_wait(consumer):
        return False
    return not encoding.gate.open and not encoding.gate.waiting
