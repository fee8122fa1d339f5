"""The C face of dependency descriptors: which frames a layer needs, as the AV1 RTP payload format writes it down."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    DEPENDENCY_OK = 0
    DEPENDENCY_TRUNCATED = -1  # the value ends within a field
    DEPENDENCY_UNKNOWN = -2  # no structure came yet, or none with this template
    DEPENDENCY_TOO_MUCH = -3  # more than an encoder has a use for

cdef enum:
    TARGETS_MAX = 32  # decode targets: all that the format can name
    TEMPLATES_MAX = 64  # all that it can name, too
    REFERENCES_MAX = 8  # an AV1 frame has seven (AV1 section 6.10.2)
    LAYERS_MAX = 4  # spatial: two bits in AV1 (AV1 section 5.3.3)

# One way in which a frame is used: by which decode targets (bit by index), and what it refers to.
ctypedef struct LayerUse:
    uint32_t present  # targets that the frame belongs to
    uint32_t required  # of those: without it, the target cannot go on
    uint32_t switches  # of those: when it can be decoded, so can all of the target that follows
    uint8_t spatial
    uint8_t temporal
    uint8_t reference_count
    uint16_t references[REFERENCES_MAX]  # how many frames back

# What the targets are: the layer that each of them has at most.
ctypedef struct LayerTargets:
    uint8_t count
    uint8_t spatial[TARGETS_MAX]
    uint8_t temporal[TARGETS_MAX]

ctypedef struct DependencyStructure:
    LayerTargets targets  # count 0: there is no structure
    uint8_t offset  # of template ids
    uint8_t template_count
    uint8_t resolution_count
    uint16_t widths[LAYERS_MAX]
    uint16_t heights[LAYERS_MAX]
    LayerUse templates[TEMPLATES_MAX]

ctypedef struct DependencyFrame:
    uint16_t number
    uint8_t starts  # first packet of its frame
    uint8_t ends  # last packet of it
    uint8_t brings_structure
    uint8_t tells_active
    uint32_t active  # targets that are sent, if it tells
    LayerUse use

# Read one value. A structure that it brings is written to `structure`, which else says what the template means.
# DEPENDENCY_OK, or a negative DEPENDENCY_* with the frame zero; a structure is replaced as a whole or not at all.
cdef int read_dependency(const uint8_t* value, size_t size, DependencyStructure* structure,
                         DependencyFrame* frame) noexcept nogil

# Write `value` with the targets `active` for those that are sent; returns the new size, 0 if it does not fit or read.
cdef size_t write_active_targets(const uint8_t* value, size_t size, int target_count, uint32_t active, uint8_t* out,
                                 size_t capacity) noexcept nogil
