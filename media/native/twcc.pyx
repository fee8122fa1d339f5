# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Transport-wide feedback to a publisher: when each of its packets came (draft-holmer-rmcat-transport-wide-cc-01).

Arrival times are kept for a window of packets. A feedback packet tells about every number from the end of the last one
to the highest; a late arrival moves the start back, so that some numbers are told twice: better than never, and senders
ignore what they know. Times are rounded down to 250 us ticks once, so that rounding errors do not add up.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from media.native.rtcp cimport RTCP_FMT_TWCC, RTCP_RTPFB
from media.native.wire cimport store16, store24, store32

cdef enum:
    TWCC_NONE = 0  # status of a number: did not come
    TWCC_WAITING = 1  # came, not reported yet
    TWCC_REPORTED = 2  # came, told at least once
    NO_STRAY = 65536  # no 16-bit number equals it

cdef enum:
    HEADER_SIZE = 20  # RTCP header, two ssrcs, base, count, reference time, feedback count
    TICK_US = 250
    REFERENCE_US = 64000  # unit of the reference time
    REFERENCE_TICKS = 256
    SYMBOL_NONE = 0
    SYMBOL_SMALL = 1  # delta of one byte
    SYMBOL_LARGE = 2  # delta of two bytes, signed
    ONE_BIT_SYMBOLS = 14  # in a status vector chunk
    TWO_BIT_SYMBOLS = 7
    CHUNKS_MAX = TWCC_WINDOW / TWO_BIT_SYMBOLS + 2  # every chunk but the last tells at least 7 symbols

ctypedef struct Statuses:  # what a feedback packet may tell, and the part of it that fits
    int count
    int chunk_count
    uint8_t symbols[TWCC_WINDOW]
    int16_t deltas[TWCC_WINDOW]
    uint16_t chunks[CHUNKS_MAX]


cdef void twcc_init(TwccRecorder* recorder) noexcept nogil:
    """Begin with nothing recorded."""
    memset(recorder, 0, sizeof(TwccRecorder))
    recorder.expected_stray = NO_STRAY


cdef inline int slot_of(int64_t extended) noexcept nogil:
    return <int>(<uint64_t>extended & (TWCC_WINDOW - 1))


cdef inline void record(TwccRecorder* recorder, int64_t extended, uint64_t now_us) noexcept nogil:
    recorder.status[slot_of(extended)] = TWCC_WAITING
    recorder.arrival_us[slot_of(extended)] = now_us
    recorder.received += 1
    recorder.pending += 1


cdef inline void begin(TwccRecorder* recorder, int64_t first) noexcept nogil:
    """Empty the window and start it at `first`."""
    recorder.overrun += recorder.pending
    recorder.pending = 0
    memset(recorder.status, TWCC_NONE, sizeof(recorder.status))
    recorder.started = 1
    recorder.highest = first
    recorder.next_report = first
    recorder.expected_stray = NO_STRAY


cdef inline void advance(TwccRecorder* recorder, int64_t highest) noexcept nogil:
    """Move the window up to `highest`; what leaves it unreported is lost to the publisher, and counted."""
    cdef int64_t extended
    for extended in range(max(recorder.highest + 1, highest - TWCC_WINDOW + 1), highest + 1):
        if recorder.status[slot_of(extended)] == TWCC_WAITING:
            recorder.pending -= 1
            recorder.overrun += 1
        recorder.status[slot_of(extended)] = TWCC_NONE
    recorder.highest = highest
    recorder.next_report = max(recorder.next_report, highest - TWCC_WINDOW + 1)


cdef void twcc_received(TwccRecorder* recorder, uint16_t sequence_number, uint64_t now_us) noexcept nogil:
    """Record an arrival.

    A number far behind is a stray; two strays in sequence are a sender that began anew, or one that we did not hear
    for half of the number space.
    """
    cdef int16_t distance = <int16_t>(sequence_number - <uint16_t>recorder.highest)
    cdef int64_t extended = recorder.highest + distance
    if not recorder.started:
        extended = 65536 + <int64_t>sequence_number
        begin(recorder, extended)
    elif distance > 0:
        advance(recorder, extended)
    elif distance <= -TWCC_WINDOW:
        if sequence_number != recorder.expected_stray:
            recorder.expected_stray = <uint16_t>(sequence_number + 1)
            recorder.strays += 1
            return
        extended = (((recorder.highest >> 16) + 2) << 16) + sequence_number
        begin(recorder, extended)
    elif recorder.status[slot_of(extended)] != TWCC_NONE:
        recorder.duplicates += 1
        return
    record(recorder, extended, now_us)
    recorder.next_report = min(recorder.next_report, extended)


cdef int twcc_pending(const TwccRecorder* recorder) noexcept nogil:
    """Return how many arrivals wait to be reported."""
    return recorder.pending


cdef uint64_t collect(const TwccRecorder* recorder, Statuses* statuses) noexcept nogil:
    """Fill the symbols and deltas from `next_report` on; the reference time in its units.

    It ends at the highest number, or before an arrival whose delta 16 bits do not hold (8 seconds).
    """
    cdef int64_t extended
    cdef int64_t previous_tick = -1
    cdef int64_t tick
    cdef int64_t delta
    cdef uint64_t reference = 0
    statuses.count = 0
    for extended in range(recorder.next_report, recorder.highest + 1):
        if recorder.status[slot_of(extended)] == TWCC_NONE:
            statuses.symbols[statuses.count] = SYMBOL_NONE
        else:
            tick = <int64_t>(recorder.arrival_us[slot_of(extended)] // TICK_US)
            if previous_tick < 0:
                reference = <uint64_t>tick // REFERENCE_TICKS
                previous_tick = <int64_t>reference * REFERENCE_TICKS
            delta = tick - previous_tick
            if delta < -32768 or delta > 32767:
                break
            statuses.symbols[statuses.count] = SYMBOL_SMALL if 0 <= delta <= 255 else SYMBOL_LARGE
            statuses.deltas[statuses.count] = <int16_t>delta
            previous_tick = tick
        statuses.count += 1
    return reference


cdef inline int run_length(const Statuses* statuses, int first) noexcept nogil:
    """Return how many symbols equal the one at `first`, from there on."""
    cdef int end = first + 1
    while end < statuses.count and statuses.symbols[end] == statuses.symbols[first]:
        end += 1
    return end - first


cdef inline bint has_large(const Statuses* statuses, int first, int end) noexcept nogil:
    cdef int index
    for index in range(first, end):
        if statuses.symbols[index] == SYMBOL_LARGE:
            return True
    return False


cdef inline size_t delta_bytes(const Statuses* statuses, int first, int end) noexcept nogil:
    """Return the bytes of these deltas: a symbol is the number of its delta's bytes."""
    cdef size_t total = 0
    cdef int index
    for index in range(first, end):
        total += statuses.symbols[index]
    return total


cdef inline uint16_t vector_chunk(const Statuses* statuses, int first, int end, int symbol_bits) noexcept nogil:
    """Return a status vector chunk (section 3.1.4) with these symbols, most significant first."""
    cdef uint16_t chunk = 0x8000 if symbol_bits == 1 else 0xC000
    cdef int shift = 14
    cdef int index
    for index in range(first, end):
        shift -= symbol_bits
        chunk |= <uint16_t>(statuses.symbols[index] << shift)
    return chunk


cdef size_t choose_chunks(Statuses* statuses, size_t room) noexcept nogil:
    """Pack symbols into chunks until all are told or chunks and deltas fill `room`; the bytes of both.

    `count` becomes the number of symbols that the chunks tell.
    """
    cdef size_t used = 0
    cdef int first = 0
    cdef int end
    cdef int run
    cdef int symbol
    cdef size_t wanted
    statuses.chunk_count = 0
    while first < statuses.count:
        run = run_length(statuses, first)
        end = min(first + ONE_BIT_SYMBOLS, statuses.count)
        symbol = statuses.symbols[first]
        if (run >= ONE_BIT_SYMBOLS or first + run == statuses.count
                or (run >= TWO_BIT_SYMBOLS and has_large(statuses, first, end))):
            if symbol != SYMBOL_NONE and used + 2 + run * symbol > room:  # tell as much of the run as fits
                run = <int>(room - used - 2) // symbol if room > used + 2 else 0
                if run == 0:
                    break
            end = first + run
            statuses.chunks[statuses.chunk_count] = <uint16_t>(symbol << 13 | run)
        elif has_large(statuses, first, end):
            end = min(first + TWO_BIT_SYMBOLS, statuses.count)
            statuses.chunks[statuses.chunk_count] = vector_chunk(statuses, first, end, 2)
        else:
            statuses.chunks[statuses.chunk_count] = vector_chunk(statuses, first, end, 1)
        wanted = 2 + delta_bytes(statuses, first, end)
        if used + wanted > room:
            break
        used += wanted
        statuses.chunk_count += 1
        first = end
    statuses.count = first
    return used


cdef void write_feedback(const Statuses* statuses, uint8_t* at) noexcept nogil:
    """Write the chunks, then the deltas."""
    cdef int index
    for index in range(statuses.chunk_count):
        store16(at, statuses.chunks[index])
        at += 2
    for index in range(statuses.count):
        if statuses.symbols[index] == SYMBOL_SMALL:
            at[0] = <uint8_t>statuses.deltas[index]
            at += 1
        elif statuses.symbols[index] == SYMBOL_LARGE:
            store16(at, <uint16_t>statuses.deltas[index])
            at += 2


cdef void mark_reported(TwccRecorder* recorder, int count) noexcept nogil:
    """Note that the next `count` numbers are told."""
    cdef int64_t extended
    for extended in range(recorder.next_report, recorder.next_report + count):
        if recorder.status[slot_of(extended)] == TWCC_WAITING:
            recorder.status[slot_of(extended)] = TWCC_REPORTED
            recorder.pending -= 1
    recorder.next_report += count
    recorder.feedback_count += 1


cdef size_t twcc_build(TwccRecorder* recorder, uint8_t* out, size_t capacity, uint32_t sender_ssrc,
                       uint32_t media_ssrc) noexcept nogil:
    """Write one feedback packet (section 3.1); its bytes, 0 if there is nothing new or `capacity` is too small.

    The zero padding is not RTCP padding (the P bit stays 0): the status count tells where the deltas end, and so the
    packet may stand anywhere in a compound packet.
    """
    cdef Statuses statuses
    cdef uint64_t reference
    cdef size_t used
    cdef size_t size
    if recorder.pending == 0 or capacity < TWCC_SIZE_MIN:
        return 0
    reference = collect(recorder, &statuses)
    used = HEADER_SIZE + choose_chunks(&statuses, capacity // 4 * 4 - HEADER_SIZE)
    size = (used + 3) // 4 * 4
    memset(out, 0, size)
    out[0] = 0x80 | RTCP_FMT_TWCC
    out[1] = RTCP_RTPFB
    store16(out + 2, <uint16_t>(size // 4 - 1))
    store32(out + 4, sender_ssrc)
    store32(out + 8, media_ssrc)
    store16(out + 12, <uint16_t>recorder.next_report)
    store16(out + 14, <uint16_t>statuses.count)
    store24(out + 16, <uint32_t>(reference & 0xFFFFFF))
    out[19] = recorder.feedback_count
    write_feedback(&statuses, out + HEADER_SIZE)
    mark_reported(recorder, statuses.count)
    return size


@cython.final
cdef class ArrivalRecorder:
    """Python face: the arrivals of one publisher's transport."""

    cdef TwccRecorder recorder

    def __cinit__(self):
        twcc_init(&self.recorder)

    def received(self, uint16_t sequence_number, uint64_t now_us):
        twcc_received(&self.recorder, sequence_number, now_us)

    def build(self, uint32_t sender_ssrc, uint32_t media_ssrc, size_t capacity=1200):
        """Return one RTCP packet, empty if there is nothing new."""
        cdef size_t size
        cdef uint8_t* out = <uint8_t*>malloc(max(capacity, <size_t>1))  # no longer: ASan sees a slip
        if out == NULL:
            raise MemoryError
        try:
            size = twcc_build(&self.recorder, out, capacity, sender_ssrc, media_ssrc)
            return (<const char*>out)[:size]
        finally:
            free(out)

    def pending(self):
        return twcc_pending(&self.recorder)

    def counters(self):
        """Return received, duplicates, strays, overrun."""
        return self.recorder.received, self.recorder.duplicates, self.recorder.strays, self.recorder.overrun
