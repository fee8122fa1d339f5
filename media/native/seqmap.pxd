from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    SEQMAP_RUNS = 64          # 15 runs a second when one temporal layer is dropped: four seconds of memory
    SEQMAP_FORGOTTEN = 0xFF   # the source of a run whose packets are no more
    SEQMAP_RESENT = 64        # the last resends, so that a number is not answered twice within a round trip

ctypedef struct SequenceRun:
    int64_t first_source      # extended source numbers [first_source, end_source) belong to this run
    int64_t end_source
    int64_t delta             # output = source - delta
    uint32_t timestamp_delta  # output = source + delta, for each of the following
    uint32_t live_timestamp   # of the source: what is older is shown in haste, and its timestamps are drawn together
    uint16_t picture_id_delta
    uint16_t frame_number_delta
    uint8_t tl0_delta
    uint8_t source            # encoding index
    uint8_t hastens           # 0: nothing of this run is older

ctypedef struct SequenceMap:
    uint64_t opened           # runs opened so far; the newest is (opened - 1) % SEQMAP_RUNS
    SequenceRun runs[SEQMAP_RUNS]
    uint64_t resent_us[SEQMAP_RESENT]
    uint16_t resent[SEQMAP_RESENT]

cdef void seqmap_clear(SequenceMap* map) noexcept nogil
cdef SequenceRun* seqmap_open(SequenceMap* map) noexcept nogil
cdef SequenceRun* seqmap_current(SequenceMap* map) noexcept nogil
cdef void seqmap_forget(SequenceMap* map, uint8_t source) noexcept nogil
cdef SequenceRun* seqmap_by_source(SequenceMap* map, uint8_t source, int64_t extended) noexcept nogil
cdef SequenceRun* seqmap_by_output(SequenceMap* map, int64_t output) noexcept nogil
cdef bint seqmap_may_resend(SequenceMap* map, uint16_t output, uint64_t now_us, uint64_t spacing_us) noexcept nogil
