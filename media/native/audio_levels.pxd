"""The C face of audio levels: what each audio producer's packets said since somebody last asked."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    LEVELS_MAX = 16               # of one producer between two readings: 100 ms in packets of 20 ms are 5, of 10 ms 10
    LEVEL_SILENT = 127            # -dBov, the quietest that RFC 6464 knows
    VOICE_BIT = 0x80

cdef struct AudioLevels:
    uint64_t transport
    uint64_t producer
    AudioLevels* next             # of those heard since the last reading
    uint8_t is_heard              # in that list
    uint8_t count
    uint8_t following             # where the next level goes
    uint8_t levels[LEVELS_MAX]    # a ring; each as on the wire: voice in the top bit, -dBov below

ctypedef struct Hearing:
    AudioLevels* first

ctypedef struct HeardLevels:
    uint64_t transport
    uint64_t producer
    uint8_t count
    uint8_t levels[LEVELS_MAX]    # oldest first

# Note the level of one packet; the oldest is forgotten when there are LEVELS_MAX.
cdef void hearing_add(Hearing* hearing, AudioLevels* levels, uint8_t level, uint8_t voice) noexcept nogil

# Forget what was heard of one producer: it is muted, or about to go.
cdef void hearing_forget(Hearing* hearing, AudioLevels* levels) noexcept nogil

# Move at most `room` readings to `heard` and return how many. Who said nothing louder than `quietest` is forgotten.
cdef int hearing_take(Hearing* hearing, uint8_t quietest, HeardLevels* heard, int room) noexcept nogil
