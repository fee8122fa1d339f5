from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from media.native.history cimport HistoryEntry
from media.native.seqmap cimport SequenceMap, SequenceRun

cdef enum:
    FORWARD_DROP = 0
    FORWARD_SEND = 1
    FORWARD_SWITCHED = 2      # send, and this packet is the first of another encoding or after a pause

ctypedef struct ForwardState:
    SequenceMap* map          # NULL until the consumer has ever had a producer
    int64_t next_output       # extended number that the next new packet gets
    int64_t highest_source    # of the current encoding
    uint64_t last_sent_us
    uint32_t last_timestamp   # output values of the newest packet sent
    uint32_t frame_timestamp  # source timestamp of the frame that `frame_dropped` is about
    uint16_t last_picture_id
    uint16_t last_frame_number
    uint8_t last_tl0
    uint8_t started           # anything was ever sent
    uint8_t resync            # the timeline was interrupted: start a run at the next packet that can start one
    uint8_t is_video
    uint8_t has_frame
    uint8_t frame_dropped
    uint8_t temporal_wanted
    uint8_t temporal_now
    int8_t encoding           # flowing now; -1 none
    int8_t target             # to switch to at its next key frame; -1 none

ctypedef struct Alignment:
    uint8_t valid             # both encodings have a sender report: their clocks can be joined exactly
    # source timestamp of the current encoding minus that of the new one, at equal capture time
    uint32_t timestamp_delta

ctypedef struct Rewrite:
    uint16_t sequence_number
    uint16_t picture_id
    uint16_t frame_number_delta
    uint8_t tl0
    uint32_t timestamp

cdef void forward_init(ForwardState* state, bint is_video, uint16_t first_sequence_number) noexcept nogil
cdef void forward_detach(ForwardState* state) noexcept nogil
cdef int forward_decide(ForwardState* state, uint8_t source, const HistoryEntry* entry, bint is_new, uint8_t codec,
        uint32_t clock_rate_hz,
                        const Alignment* alignment, int frame_number, uint64_t now_us, Rewrite* out) noexcept nogil
cdef void forward_skip(ForwardState* state, uint8_t source, int64_t extended) noexcept nogil
cdef void forward_forget(ForwardState* state, uint8_t source) noexcept nogil
cdef int forward_resend(ForwardState* state, uint16_t number, uint8_t* source, int64_t* extended,
        SequenceRun** run) noexcept nogil
cdef void forward_rewrite(const SequenceRun* run, const HistoryEntry* entry, Rewrite* out) noexcept nogil

# Give a number to padding that stands behind the newest packet sent; something must flow (encoding >= 0, no resync).
cdef uint16_t forward_pad(ForwardState* state) noexcept nogil
