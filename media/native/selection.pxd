"""The C face of layer selection: which frames of a layered stream one viewer is sent."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.native.dependency cimport LayerTargets, LayerUse

cdef enum:
    DECISIONS = 512  # frames remembered: five seconds of three spatial layers at 30 frames a second
    NO_TARGET = 0xFF

# A decision is 0 as long as there is none; else one of the first two, and the target that it was made for above them;
# both: it was sent, and cannot be decoded.
cdef enum:
    DECISION_SENT = 1
    DECISION_LEFT_OUT = 2
    DECISION_CLOSES = 4  # the frame is the last of its picture that this viewer gets
    DECISION_TARGET_SHIFT = 3

# A frame of a layered stream, as each of its packets tells.
ctypedef struct LayerFrame:
    int64_t number  # in the order of decoding, extended; there may be gaps
    uint32_t active  # targets that the publisher sends at present
    uint8_t target_count  # 0: this is no such frame
    uint8_t starts  # first packet of it
    uint8_t ends  # last packet of it
    uint8_t own  # the target that must be whole for it to be decoded, NO_TARGET: its references say it all
    LayerUse use

ctypedef struct LayerSelection:
    int64_t highest  # number of the newest frame seen
    uint32_t intact  # targets of which everything required was sent since they could begin
    uint32_t allowed  # targets that are no more than what is wanted, of those that are active
    uint32_t active
    uint32_t timestamp  # of the picture under way
    uint32_t version  # of the targets that all this is about
    int64_t opened  # number of the first frame of the picture under way
    uint32_t relied_on  # targets that require what was sent of it
    uint8_t started
    uint8_t target  # what is sent
    uint8_t goal  # what is to be sent
    uint8_t top  # spatial layer that ends the picture under way
    uint8_t unfinished  # the newest frame of it that was sent has come to its end, and has no marker
    uint8_t spatial_wanted  # what `allowed` was made of
    uint8_t temporal_wanted
    uint8_t decisions[DECISIONS]

cdef void selection_start(LayerSelection* selection) noexcept nogil
cdef int selection_take(LayerSelection* selection, const LayerTargets* targets, uint32_t version,
                        const LayerFrame* frame, uint32_t timestamp, bint marker, uint8_t spatial,
                        uint8_t temporal) noexcept nogil
cdef int selection_late(LayerSelection* selection, const LayerTargets* targets, const LayerFrame* frame) noexcept nogil
cdef int selection_find(const LayerSelection* selection, const LayerFrame* frame) noexcept nogil
cdef uint32_t selection_sent(const LayerTargets* targets, int decision) noexcept nogil
cdef bint selection_waits(LayerSelection* selection, const LayerTargets* targets, uint8_t spatial,
                          uint8_t temporal) noexcept nogil
cdef bint selection_climbs(const LayerSelection* selection, const LayerTargets* targets) noexcept nogil
