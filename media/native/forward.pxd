from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from media.native.dependency cimport LayerTargets
from media.native.history cimport HistoryEntry
from media.native.selection cimport LayerSelection
from media.native.seqmap cimport SequenceMap, SequenceRun

cdef enum:
    FORWARD_HASTE = 3         # times real time at which a viewer is shown what came before it

cdef enum:
    FORWARD_DROP = 0
    FORWARD_SEND = 1
    FORWARD_SWITCHED = 2      # send, and this packet is the first of another encoding or after a pause
    FORWARD_FILL = 3          # it came late and is not wanted: send padding under the number that was kept for it

ctypedef struct ForwardState:
    SequenceMap* map          # NULL until the consumer has ever had a producer
    LayerSelection* layers    # NULL until it had one whose stream is layered
    int64_t next_output       # extended number that the next new packet gets
    int64_t highest_source    # of the current encoding
    uint64_t last_sent_us
    uint32_t last_timestamp   # output values of the newest packet sent
    uint32_t frame_timestamp  # source timestamp of the frame that `frame_dropped` is about
    uint32_t live_timestamp   # of the source: where the run that begins next catches up with what is live
    uint16_t last_picture_id
    uint16_t last_frame_number
    uint8_t last_tl0
    uint8_t started           # anything was ever sent
    uint8_t hastens           # it begins before that
    uint8_t resync            # the timeline was interrupted: start a run at the next packet that can start one
    uint8_t is_video
    uint8_t has_frame
    uint8_t frame_dropped
    uint8_t temporal_wanted
    uint8_t temporal_now
    uint8_t spatial_wanted    # of a layered stream
    int8_t encoding           # flowing now; -1 none
    int8_t target             # to switch to at its next key frame; -1 none

ctypedef struct Alignment:
    uint8_t valid             # both encodings have a sender report: their clocks can be joined exactly
    # source timestamp of the current encoding minus that of the new one, at equal capture time
    uint32_t timestamp_delta

# Of the stream that a packet belongs to, if it is layered
ctypedef struct LayerContext:
    const LayerTargets* targets
    uint32_t version          # of the targets

ctypedef struct Rewrite:
    int64_t number            # extended: its last 16 bits are the sequence number, those above the rollovers
    uint16_t picture_id
    uint16_t frame_number_delta
    uint8_t tl0
    uint8_t closes            # the last packet of this frame ends the picture
    uint32_t timestamp
    uint32_t targets_sent     # of a layered stream: what the viewer gets of it; 0: it is not

cdef void forward_init(ForwardState* state, bint is_video, uint16_t first_sequence_number) noexcept nogil
cdef void forward_detach(ForwardState* state) noexcept nogil

# The packet that starts the next run is old: FORWARD_HASTE times as fast as live, it catches up at a timestamp.
cdef void forward_hasten(ForwardState* state, uint32_t live_timestamp) noexcept nogil
cdef int forward_decide(ForwardState* state, uint8_t source, const HistoryEntry* entry, bint is_new, uint8_t codec,
        uint32_t clock_rate_hz,
                        const Alignment* alignment, int frame_number, const LayerContext* layers, uint64_t now_us,
                        Rewrite* out) noexcept nogil
cdef void forward_skip(ForwardState* state, uint8_t source, int64_t extended) noexcept nogil
cdef void forward_forget(ForwardState* state, uint8_t source) noexcept nogil
cdef int forward_resend(ForwardState* state, uint16_t number, uint8_t* source, int64_t* extended,
        SequenceRun** run) noexcept nogil
cdef void forward_rewrite(const SequenceRun* run, const HistoryEntry* entry, Rewrite* out) noexcept nogil

# What a packet of a layered stream looks like by the decision about its frame; -1 if the viewer was not sent it.
cdef int forward_rewrite_layers(const ForwardState* state, const HistoryEntry* entry, const LayerTargets* targets,
        Rewrite* out) noexcept nogil

# Give an extended number to padding that stands behind the newest packet sent; something must flow
# (encoding >= 0, no resync).
cdef int64_t forward_pad(ForwardState* state) noexcept nogil
