# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Seeded mutation of byte strings, and native loops that feed the parsers with them; scripts/fuzz builds it.

Every input lies at the very end of its own allocation, so that AddressSanitizer sees a read of one byte too many.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memmove

from media.native cimport payload as codecs
from media.native cimport rtcp, rtp

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <stdio.h>

    /* The input in work, told on standard error when a sanitizer ends the process. */
    static const uint8_t *fuzz_input;
    static size_t fuzz_input_size;
    extern void __asan_set_death_callback(void (*callback)(void)) __attribute__((weak));

    static void fuzz_tell_input(void) {
        fprintf(stderr, "fuzz: the input was ");
        for (size_t index = 0; index < fuzz_input_size; index++) fprintf(stderr, "%02x", fuzz_input[index]);
        fprintf(stderr, "\\n");
    }

    static void fuzz_watch(const uint8_t *input, size_t size) {
        if (fuzz_input == NULL && __asan_set_death_callback != NULL) __asan_set_death_callback(fuzz_tell_input);
        fuzz_input = input;
        fuzz_input_size = size;
    }
    """
    void fuzz_watch(const uint8_t* input, size_t size) noexcept nogil

cdef enum:
    INPUT_MAX = 2048  # bytes; larger than any datagram of the media path
    RANDOM_MAX = 160  # bytes of an input without a seed: parsers refuse most of them early
    CHANGES_MAX = 8
    PIECE_MAX = 24  # bytes inserted or taken out at once
    BOUNDARIES = 10
    REFUSED = 0
    ACCEPTED = 1
    BROKEN = -1

cdef uint8_t[BOUNDARIES] BOUNDARY_BYTES = [0, 1, 3, 0x0F, 0x10, 0x7F, 0x80, 0x90, 0xFE, 0xFF]


cdef class Mutator:
    """Makes inputs from seeds; the same seeds and `state` make the same inputs on any machine."""

    cdef list _seeds
    cdef const uint8_t** _starts
    cdef size_t* _sizes
    cdef size_t _count
    cdef uint64_t _state
    cdef uint8_t _work[INPUT_MAX]
    cdef size_t _size

    def __cinit__(self, seeds, uint64_t state):
        cdef bytes seed
        cdef size_t index
        self._seeds = [bytes(seed[:INPUT_MAX]) for seed in seeds] or [b""]
        self._count = len(self._seeds)
        self._state = state * 0x9E3779B97F4A7C15ULL | 1
        self._starts = <const uint8_t**>malloc(self._count * sizeof(uint8_t*))
        self._sizes = <size_t*>malloc(self._count * sizeof(size_t))
        if self._starts == NULL or self._sizes == NULL:
            raise MemoryError
        for index in range(self._count):
            seed = self._seeds[index]
            self._starts[index] = seed
            self._sizes[index] = len(seed)

    def __dealloc__(self):
        free(self._starts)
        free(self._sizes)

    def mutate(self) -> bytes:
        """Return the next input."""
        self._next()
        fuzz_watch(self._work, self._size)
        return self._work[:self._size]

    def run(self, target: str, uint64_t inputs) -> tuple[int, bytes | None]:
        """Feed a native parser; return how many inputs it accepted, and the first that broke what must always hold."""
        cdef Trial trial = {"rtp": Trial.RTP, "rtcp": Trial.RTCP, "payload": Trial.PAYLOAD}[target]
        cdef uint64_t accepted = 0
        cdef int result = REFUSED
        with nogil:
            while inputs > 0 and result != BROKEN:
                self._next()
                fuzz_watch(self._work, self._size)
                result = self._try(trial)
                accepted += result == ACCEPTED
                inputs -= 1
        return accepted, self._work[:self._size] if result == BROKEN else None

    cdef int _try(self, Trial trial) noexcept nogil:
        """Hand the input over at the end of its own allocation."""
        cdef uint8_t* start = <uint8_t*>malloc(self._size + 1)
        cdef uint8_t* data = start + 1
        cdef int result
        if start == NULL:
            return REFUSED
        memcpy(data, self._work, self._size)
        if trial == Trial.RTP:
            result = _try_rtp(data, self._size, self._random())
        elif trial == Trial.RTCP:
            result = _try_rtcp(data, self._size, self._random())
        else:
            result = _try_payload(data, self._size, self._random())
        free(start)
        return result

    cdef uint64_t _random(self) noexcept nogil:
        """xorshift64*."""
        self._state ^= self._state >> 12
        self._state ^= self._state << 25
        self._state ^= self._state >> 27
        return self._state * 0x2545F4914F6CDD1DULL

    cdef size_t _below(self, size_t limit) noexcept nogil:
        return <size_t>((self._random() >> 32) % limit) if limit > 0 else 0

    cdef uint8_t _byte(self) noexcept nogil:
        """Half of the time a value at which something changes."""
        cdef uint64_t value = self._random()
        return BOUNDARY_BYTES[(value >> 32) % BOUNDARIES] if value >> 63 else <uint8_t>(value >> 40)

    cdef void _next(self) noexcept nogil:
        """Leave the next input in `_work`: one in sixteen is random throughout, the others are changed seeds."""
        cdef size_t index
        if self._below(16) == 0:
            self._size = self._below(RANDOM_MAX)
            for index in range(self._size):
                self._work[index] = self._byte()
            return
        index = self._below(self._count)
        self._size = self._sizes[index]
        memcpy(self._work, self._starts[index], self._size)
        for index in range(self._below(CHANGES_MAX) + 1):
            self._change()

    cdef void _change(self) noexcept nogil:
        cdef size_t kind = self._below(9)
        cdef size_t at = self._below(self._size)
        if kind >= 5:
            self._change_size(kind, at)
        elif self._size == 0:
            self._insert(0, 1 + self._below(PIECE_MAX))
        elif kind <= 1:
            self._work[at] ^= <uint8_t>(1 << self._below(8))
        elif kind <= 3:
            self._work[at] = self._byte()
        else:  # a length or count field of 16 bits near what is there
            self._work[at] = 0
            self._work[min(at + 1, self._size - 1)] = <uint8_t>self._below(self._size + 2)

    cdef void _change_size(self, size_t kind, size_t at) noexcept nogil:
        cdef size_t other = self._below(self._count)
        cdef size_t start, length
        if kind == 5:
            self._size = at
        elif kind == 6:
            self._insert(at, 1 + self._below(PIECE_MAX))
        elif kind == 7:  # take out
            length = min(1 + self._below(PIECE_MAX), self._size - at)
            memmove(self._work + at, self._work + at + length, self._size - at - length)
            self._size -= length
        else:  # go on as another seed does, from somewhere in it
            start = self._below(self._sizes[other] + 1)
            at = self._size if self._below(2) else at
            length = min(self._sizes[other] - start, INPUT_MAX - at)
            memcpy(self._work + at, self._starts[other] + start, length)
            self._size = at + length

    cdef void _insert(self, size_t at, size_t length) noexcept nogil:
        cdef size_t index
        length = min(length, INPUT_MAX - self._size)
        memmove(self._work + at + length, self._work + at, self._size - at)
        for index in range(at, at + length):
            self._work[index] = self._byte()
        self._size += length


cdef enum Trial:
    RTP
    RTCP
    PAYLOAD


cdef int _try_rtp(const uint8_t* data, size_t size, uint64_t random) noexcept nogil:
    """Parse; then write the extensions under other ids into a buffer that may be short."""
    cdef rtp.RtpHeader header
    cdef uint8_t ids[rtp.RTP_EXTENSIONS_MAX]
    cdef size_t capacity = random % 96, written
    cdef uint8_t* out
    cdef int index
    cdef int status = rtp.parse_rtp(data, size, &header)
    if status != rtp.RTP_OK:
        return REFUSED if rtp.RTP_TOO_LONG <= status < 0 else BROKEN
    if <size_t>header.payload_offset + header.payload_length + header.padding_length != size:
        return BROKEN
    if header.extension_count > rtp.RTP_EXTENSIONS_MAX:
        return BROKEN
    for index in range(header.extension_count):
        if <size_t>header.extensions[index].offset + header.extensions[index].length > header.payload_offset:
            return BROKEN
        if rtp.find_extension(&header, header.extensions[index].id) > index:
            return BROKEN
        ids[index] = <uint8_t>(random >> (index % 8) * 8) & (0xFF if random >> 62 else 0x0F)
    out = <uint8_t*>malloc(capacity)
    written = rtp.build_extensions(out, capacity, data, header.extensions, ids, header.extension_count)
    free(out)
    return ACCEPTED if written <= capacity and written % 4 == 0 else BROKEN


cdef int _try_rtcp(const uint8_t* data, size_t size, uint64_t random) noexcept nogil:
    """Walk, and read each packet as every kind of message."""
    cdef rtcp.RtcpPacket packet
    cdef size_t offset = 0, before = 0
    cdef int status, result = ACCEPTED
    while result == ACCEPTED:
        status = rtcp.next_rtcp(data, size, &offset, &packet)
        if status < 0:
            return REFUSED if status >= rtcp.RTCP_BAD_PADDING and offset == before else BROKEN
        if status == 0:
            return ACCEPTED if offset == size else BROKEN
        if offset < before + 4 or offset > size:
            return BROKEN
        if packet.body != NULL and (packet.body < data + before or packet.body + packet.body_length > data + offset):
            return BROKEN
        before = offset
        result = _try_messages(&packet, random)
    return result


cdef int _try_messages(const rtcp.RtcpPacket* packet, uint64_t random) noexcept nogil:
    """Read one packet as every kind of message into lists that may be short; build the lists' packets again."""
    cdef rtcp.SenderInfo sender
    cdef rtcp.ReportBlock report
    cdef uint32_t media_ssrc
    cdef uint64_t bitrate_bps
    cdef uint8_t command
    cdef int index, count, capacity = <int>(random % 40)
    cdef size_t room = random >> 32 & 127, written
    cdef uint16_t* numbers = <uint16_t*>malloc(capacity * sizeof(uint16_t))
    cdef uint32_t* ssrcs = <uint32_t*>malloc(capacity * sizeof(uint32_t))
    cdef uint8_t* out = <uint8_t*>malloc(room)
    cdef int result = ACCEPTED
    rtcp.parse_sender_info(packet, &sender)
    rtcp.feedback_media_ssrc(packet)
    for index in range(-1, rtcp.RTCP_REPORT_BLOCKS_MAX + 2):
        if rtcp.parse_report_block(packet, index, &report) == 0 and not 0 <= index < rtcp.RTCP_REPORT_BLOCKS_MAX:
            result = BROKEN
        rtcp.parse_fir(packet, index, &media_ssrc, &command)
    count = rtcp.parse_nack(packet, &media_ssrc, numbers, capacity)
    written = rtcp.build_nack(out, room, packet.ssrc, media_ssrc, numbers, count) if count >= 0 else 0
    if count > capacity or written > room:
        result = BROKEN
    count = rtcp.parse_remb(packet, &bitrate_bps, ssrcs, capacity)
    written = rtcp.build_remb(out, room, packet.ssrc, bitrate_bps, ssrcs, count) if count >= 0 else 0
    if count > capacity or written > room:
        result = BROKEN
    free(numbers)
    free(ssrcs)
    free(out)
    return result


cdef int _try_payload(uint8_t* data, size_t size, uint64_t random) noexcept nogil:
    """Inspect as every codec; patch, and find everything else as it was. Last, treat it as a header extension."""
    cdef codecs.PayloadFacts facts, again
    cdef uint16_t frame_number
    cdef uint8_t first, structure, level, voice
    cdef int codec, result = REFUSED
    for codec in range(codecs.CODEC_NONE - 1, codecs.CODEC_VIDEO + 2):
        if codecs.inspect_payload(codec, data, size, &facts) != codecs.PAYLOAD_OK:
            continue
        if codec != codecs.CODEC_OPUS and codec < codecs.CODEC_AUDIO:
            result = ACCEPTED
        codecs.patch_vp8(data, &facts, <uint16_t>random, <uint8_t>(random >> 16))
        if codecs.inspect_payload(codec, data, size, &again) != codecs.PAYLOAD_OK:
            return BROKEN
        facts.picture_id = again.picture_id
        facts.tl0 = again.tl0
        if memcmp(&facts, &again, sizeof(facts)) != 0:
            return BROKEN
    codecs.patch_dependency_frame_number(data, size, <uint16_t>random)
    if codecs.peek_dependency_descriptor(data, size, &frame_number, &first, &structure) == codecs.PAYLOAD_OK:
        if frame_number != <uint16_t>random or first > 1 or structure > 1:
            return BROKEN
    if codecs.audio_level(data, size, &level, &voice) == codecs.PAYLOAD_OK and (level > 127 or voice > 1):
        return BROKEN
    return result
