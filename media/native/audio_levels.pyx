# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""How loud each audio producer was since somebody last asked: a few bytes each, and a list of those that were heard.

The data plane adds a level with every packet that brings one (RFC 6464). Who asks pays for those that were heard since
the last time, not for all that there are.
"""

cimport cython
from libc.stdint cimport uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

cdef enum:
    ROOM = 8  # of one step of the Python face, small so that tests see more than one


cdef void hearing_add(Hearing* hearing, AudioLevels* levels, uint8_t level, uint8_t voice) noexcept nogil:
    levels.levels[levels.following] = (level & LEVEL_SILENT) | (VOICE_BIT if voice else 0)
    levels.following = (levels.following + 1) % LEVELS_MAX
    if levels.count < LEVELS_MAX:
        levels.count += 1
    if not levels.is_heard:
        levels.is_heard = 1
        levels.next = hearing.first
        hearing.first = levels


cdef void hearing_forget(Hearing* hearing, AudioLevels* levels) noexcept nogil:
    cdef AudioLevels** at = &hearing.first
    levels.count = 0
    if not levels.is_heard:
        return
    while at[0] != levels:
        at = &at[0].next
    at[0] = levels.next
    levels.is_heard = 0


cdef int hearing_take(Hearing* hearing, uint8_t quietest, HeardLevels* heard, int room) noexcept nogil:
    cdef AudioLevels* levels
    cdef int taken = 0, i
    cdef uint8_t level, loudest
    while taken < room and hearing.first != NULL:
        levels = hearing.first
        hearing.first = levels.next
        levels.is_heard = 0
        loudest = LEVEL_SILENT
        for i in range(levels.count):
            level = levels.levels[(levels.following + LEVELS_MAX - levels.count + i) % LEVELS_MAX]
            heard[taken].levels[i] = level
            loudest = min(loudest, level & LEVEL_SILENT)
        if loudest <= quietest:
            heard[taken].transport = levels.transport
            heard[taken].producer = levels.producer
            heard[taken].count = levels.count
            taken += 1
        levels.count = 0
    return taken


@cython.auto_pickle(False)
cdef class LevelMeter:
    """Python face of a list of producers, for tests; their transport has the same number."""

    cdef Hearing hearing
    cdef dict producers

    def __cinit__(self):
        self.hearing.first = NULL
        self.producers = {}

    def __dealloc__(self):
        for row in self.producers.values():
            free(<AudioLevels*><uintptr_t>row)

    def add(self, uint64_t producer, uint8_t level, bint voice=False) -> None:
        """Note a level in -dBov, 0 to 127."""
        cdef AudioLevels* levels
        if level > LEVEL_SILENT:
            raise ValueError(f"level is {level}, expected 0 to {LEVEL_SILENT}")
        if producer not in self.producers:
            levels = <AudioLevels*>calloc(1, sizeof(AudioLevels))
            if levels == NULL:
                raise MemoryError
            levels.transport = levels.producer = producer
            self.producers[producer] = <uintptr_t>levels
        hearing_add(&self.hearing, <AudioLevels*><uintptr_t>self.producers[producer], level, voice)

    def forget(self, uint64_t producer) -> None:
        """Forget what was heard of a producer; nothing happens to one that never was."""
        if producer in self.producers:
            hearing_forget(&self.hearing, <AudioLevels*><uintptr_t>self.producers[producer])

    def take(self, uint8_t quietest=LEVEL_SILENT) -> list[tuple[int, bytes]]:
        """Return and forget (producer, levels, oldest first), whoever began last in front."""
        cdef HeardLevels heard[ROOM]
        cdef list readings = []
        cdef int count, i
        while True:
            count = hearing_take(&self.hearing, quietest, heard, ROOM)
            for i in range(count):
                readings.append((heard[i].producer, (<const uint8_t*>heard[i].levels)[:heard[i].count]))
            if count < ROOM:
                return readings
