# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Which source packet stands behind which number that a viewer saw: runs of equal offset instead of packets.

A run is opened when a viewer starts, when it switches to another encoding, and after every packet that was left out.
"""

cimport cython
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memset


cdef void seqmap_clear(SequenceMap* map) noexcept nogil:
    """Forget all runs."""
    memset(map, 0, sizeof(SequenceMap))


cdef SequenceRun* seqmap_current(SequenceMap* map) noexcept nogil:
    """Return the newest run, or NULL."""
    return &map.runs[(map.opened - 1) % SEQMAP_RUNS] if map.opened else NULL


cdef SequenceRun* seqmap_open(SequenceMap* map) noexcept nogil:
    """Return the slot of a new, unbounded run; the oldest one is forgotten when the table is full."""
    cdef SequenceRun* run = &map.runs[map.opened % SEQMAP_RUNS]
    map.opened += 1
    run.end_source = INT64_MAX
    return run


cdef void seqmap_forget(SequenceMap* map, uint8_t source) noexcept nogil:
    """Let no number stand for a packet of this source any more: the source begins to count anew."""
    cdef int i
    for i in range(SEQMAP_RUNS):
        if map.runs[i].source == source:
            map.runs[i].source = SEQMAP_FORGOTTEN


cdef inline uint64_t oldest(const SequenceMap* map) noexcept nogil:
    return map.opened - SEQMAP_RUNS if map.opened > SEQMAP_RUNS else 0


cdef SequenceRun* seqmap_by_source(SequenceMap* map, uint8_t source, int64_t extended) noexcept nogil:
    """Return the run in which this source packet has a number, newest first, or NULL."""
    cdef uint64_t i = map.opened
    cdef SequenceRun* run
    while i > oldest(map):
        i -= 1
        run = &map.runs[i % SEQMAP_RUNS]
        if run.source == source and run.first_source <= extended < run.end_source:
            return run
    return NULL


cdef SequenceRun* seqmap_by_output(SequenceMap* map, int64_t output) noexcept nogil:
    """Return the run that gave out this number, or NULL."""
    cdef uint64_t i = map.opened
    cdef SequenceRun* run
    while i > oldest(map):
        i -= 1
        run = &map.runs[i % SEQMAP_RUNS]
        if output >= run.first_source - run.delta:
            # An open run has no end yet; runs never overlap in output numbers, so the first start below is the one.
            return run if run.end_source == INT64_MAX or output < run.end_source - run.delta else NULL
    return NULL


cdef bint seqmap_may_resend(SequenceMap* map, uint16_t output, uint64_t now_us, uint64_t spacing_us) noexcept nogil:
    """Return 1 and remember it, unless this number was resent less than `spacing_us` ago."""
    cdef int slot = output % SEQMAP_RESENT
    if map.resent_us[slot] and map.resent[slot] == output and now_us - map.resent_us[slot] < spacing_us:
        return False
    map.resent[slot] = output
    map.resent_us[slot] = now_us
    return True


@cython.auto_pickle(False)
cdef class RunTable:
    """Python face of one consumer's runs, for tests."""

    cdef SequenceMap map

    def __cinit__(self):
        seqmap_clear(&self.map)

    def open(self, uint8_t source, int64_t first_source, int64_t delta) -> None:
        """Open a run: source numbers from `first_source` on go out less `delta`; the one before ends there."""
        cdef SequenceRun* previous = seqmap_current(&self.map)
        cdef SequenceRun* run
        if previous != NULL and previous.end_source == INT64_MAX:
            raise ValueError("close the present run first")
        run = seqmap_open(&self.map)
        run.source = source
        run.first_source = first_source
        run.delta = delta

    def close(self, int64_t end_source) -> None:
        """End the present run before `end_source`."""
        cdef SequenceRun* run = seqmap_current(&self.map)
        if run == NULL:
            raise ValueError("there is no run to close")
        run.end_source = end_source

    def by_source(self, uint8_t source, int64_t extended) -> int | None:
        """Return the number that a source packet has, None if it has none or it is forgotten."""
        cdef SequenceRun* run = seqmap_by_source(&self.map, source, extended)
        return None if run == NULL else extended - run.delta

    def by_output(self, int64_t output) -> tuple[int, int] | None:
        """Return (source, extended number) behind a number, None if nothing is or it is forgotten."""
        cdef SequenceRun* run = seqmap_by_output(&self.map, output)
        return None if run == NULL else (run.source, output + run.delta)

    def may_resend(self, uint16_t output, uint64_t now_us, uint64_t spacing_us) -> bool:
        """Return whether a number may be sent again now; remembers that it was."""
        return seqmap_may_resend(&self.map, output, now_us, spacing_us)
