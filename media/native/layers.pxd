"""The C face of a layered stream (SVC): its frames by number, its layers, and how much of it each of them costs."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.dependency cimport LAYERS_MAX, TARGETS_MAX, DependencyStructure, LayerTargets
from media.native.payload cimport PayloadFacts
from media.native.selection cimport LayerFrame

cdef enum:
    LAYERS_BY_DESCRIPTOR = 1  # the dependency descriptor says what frames are
    LAYERS_BY_VP9 = 2  # the VP9 payload descriptor does

ctypedef struct LayerStream:
    DependencyStructure structure
    DependencyStructure before  # what held before the last one
    int64_t structure_number  # the first frame of the present one
    int64_t highest  # number of the newest frame
    uint32_t active  # targets that are sent
    uint32_t version  # of the targets, from 1
    uint8_t source  # LAYERS_BY_*, 0: no packet told anything yet
    uint8_t is_new  # layers or sizes are others than when Python was last told
    uint64_t bytes[TARGETS_MAX]  # that came for each target while it was sent, with all that it needs
    uint64_t interval_bytes[TARGETS_MAX]
    uint32_t bitrate_bps[TARGETS_MAX]

cdef LayerStream* layers_new() noexcept nogil
cdef void layers_reset(LayerStream* stream) noexcept nogil

# What a packet of `size` bytes says of its frame; target_count 0 if it cannot be read by what came so far.
cdef void layers_take_descriptor(LayerStream* stream, const uint8_t* value, size_t value_size, uint16_t size,
                                 LayerFrame* frame) noexcept nogil
cdef void layers_take_vp9(LayerStream* stream, const PayloadFacts* facts, uint16_t size,
                          LayerFrame* frame) noexcept nogil

# Take the bitrates of the last `elapsed_us`.
cdef void layers_measure(LayerStream* stream, uint64_t elapsed_us) noexcept nogil
