# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Frames of a layered stream by number, whoever describes them: the dependency descriptor, or VP9's payload descriptor.

VP9's own (RFC 9628) is put into the words of the other: a grid of targets, a number for each layer of each picture, and
what is required where. What a picture refers to in its own layer it does not say in all modes, so a frame of VP9 needs
its own target to be whole.
"""

from typing import NamedTuple

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memset

from media.native.dependency cimport (
    DEPENDENCY_OK, LAYERS_MAX, TARGETS_MAX, DependencyFrame, LayerTargets, read_dependency,
)
from media.native.payload cimport CODEC_VP9, LAYER_UNKNOWN, PAYLOAD_OK, PayloadFacts, inspect_payload
from media.native.selection cimport NO_TARGET
from media.native.wire cimport load16

cdef enum:
    VP9_TEMPORAL = 4  # of the grid; libvpx makes three of either kind in real time
    VP9_TARGETS = 16
    MANDATORY_BYTES = 3


cdef LayerStream* layers_new() noexcept nogil:
    """Return a stream of which nothing is known, NULL if there is no memory."""
    return <LayerStream*>calloc(1, sizeof(LayerStream))


cdef void layers_reset(LayerStream* stream) noexcept nogil:
    """Begin with another stream; what came so far stays counted, and no viewer takes the new targets for the old."""
    stream.source = 0
    stream.structure.targets.count = 0
    stream.structure.template_count = 0
    stream.before = stream.structure
    stream.version += 1


cdef inline int64_t extend(const LayerStream* stream, int64_t number, int64_t cycle) noexcept nogil:
    """Return the number that is closest to the newest one, of those that are `number` in a cycle."""
    cdef int64_t ahead = (number - stream.highest) % cycle
    if ahead < 0:
        ahead += cycle
    if ahead >= cycle // 2:
        ahead -= cycle
    return stream.highest + ahead


cdef void layers_take_descriptor(LayerStream* stream, const uint8_t* value, size_t value_size, uint16_t size,
                                 LayerFrame* frame) noexcept nogil:
    cdef DependencyFrame read
    cdef LayerTargets targets
    cdef int64_t number
    cdef uint32_t active = stream.active
    memset(frame, 0, sizeof(LayerFrame))
    if value_size < MANDATORY_BYTES:
        return
    if stream.source != LAYERS_BY_DESCRIPTOR:
        layers_reset(stream)
        stream.source = LAYERS_BY_DESCRIPTOR
        stream.highest = load16(value + 1)
    number = extend(stream, load16(value + 1), 0x10000)
    if number < stream.structure_number and stream.before.targets.count:
        if read_dependency(value, value_size, &stream.before, &read) != DEPENDENCY_OK:
            return
        fill(stream, &read, number, stream.before.targets.count, size, frame)
        frame.active = 0xFFFFFFFF
        return
    targets = stream.structure.targets
    if value_size > MANDATORY_BYTES and value[MANDATORY_BYTES] & 0x80:
        stream.before = stream.structure
    if read_dependency(value, value_size, &stream.structure, &read) != DEPENDENCY_OK:
        return
    if number > stream.highest:
        stream.highest = number
    if read.brings_structure:
        stream.structure_number = number
        stream.active = all_of(&stream.structure.targets)
        if memcmp(&targets, &stream.structure.targets, sizeof(LayerTargets)) != 0:
            stream.version += 1
            stream.is_new = 1
        elif memcmp(stream.before.heights, stream.structure.heights, sizeof(stream.before.heights)) != 0:
            stream.is_new = 1
    if read.tells_active and number >= stream.highest:
        stream.active = read.active
    if stream.active != active:
        stream.is_new = 1
    fill(stream, &read, number, stream.structure.targets.count, size, frame)


cdef void fill(LayerStream* stream, const DependencyFrame* read, int64_t number, int target_count, uint16_t size,
               LayerFrame* frame) noexcept nogil:
    frame.number = number
    frame.active = stream.active
    frame.target_count = <uint8_t>target_count
    frame.starts = read.starts
    frame.ends = read.ends
    frame.own = NO_TARGET
    frame.use = read.use
    count_bytes(stream, frame.use.present & stream.active, size)


cdef inline uint32_t all_of(const LayerTargets* targets) noexcept nogil:
    return 0xFFFFFFFF if targets.count == TARGETS_MAX else (<uint32_t>1 << targets.count) - 1


cdef void count_bytes(LayerStream* stream, uint32_t present, uint16_t size) noexcept nogil:
    cdef int i
    for i in range(stream.structure.targets.count):
        if present >> i & 1:
            stream.bytes[i] += size
            stream.interval_bytes[i] += size


cdef void layers_measure(LayerStream* stream, uint64_t elapsed_us) noexcept nogil:
    cdef int i
    for i in range(TARGETS_MAX):
        stream.bitrate_bps[i] = <uint32_t>(stream.interval_bytes[i] * 8 * 1000000 // elapsed_us) if elapsed_us else 0
        stream.interval_bytes[i] = 0


cdef void make_grid(LayerStream* stream) noexcept nogil:
    """Targets of VP9: every spatial with every temporal layer."""
    cdef int i
    stream.structure.targets.count = VP9_TARGETS
    for i in range(VP9_TARGETS):
        stream.structure.targets.spatial[i] = <uint8_t>(i // VP9_TEMPORAL)
        stream.structure.targets.temporal[i] = <uint8_t>(i % VP9_TEMPORAL)


cdef void layers_take_vp9(LayerStream* stream, const PayloadFacts* facts, uint16_t size,
                          LayerFrame* frame) noexcept nogil:
    cdef int64_t cycle, number
    memset(frame, 0, sizeof(LayerFrame))
    if facts.picture_id_bits == 0 or facts.temporal_id == LAYER_UNKNOWN or facts.spatial_id >= LAYERS_MAX:
        return
    cycle = 1 << facts.picture_id_bits
    if stream.source != LAYERS_BY_VP9:
        layers_reset(stream)
        stream.source = LAYERS_BY_VP9
        make_grid(stream)
        stream.highest = facts.picture_id
        stream.active = 0
    number = extend(stream, facts.picture_id, cycle)
    if number >= stream.highest:
        stream.highest = number
        if facts.structure_layers:
            take_vp9_layers(stream, facts)
        elif not stream.active >> (facts.spatial_id * VP9_TEMPORAL) & 1:
            set_vp9_layers(stream, facts.spatial_id + 1)  # a sender that does not tell
    frame.number = number * LAYERS_MAX + facts.spatial_id
    frame.active = stream.active
    frame.target_count = VP9_TARGETS
    frame.starts = facts.frame_start
    frame.ends = facts.frame_end
    use_vp9(facts, frame)
    count_bytes(stream, frame.use.present & stream.active, size)


cdef void take_vp9_layers(LayerStream* stream, const PayloadFacts* facts) noexcept nogil:
    """Take the scalability structure: which spatial layers there are, and how large."""
    cdef int i, layers = min(<int>facts.structure_layers, <int>LAYERS_MAX)
    set_vp9_layers(stream, layers)
    for i in range(layers):
        if facts.layer_heights[i] and facts.layer_heights[i] != stream.structure.heights[i]:
            stream.structure.widths[i] = facts.layer_widths[i]
            stream.structure.heights[i] = facts.layer_heights[i]
            stream.structure.resolution_count = <uint8_t>layers
            stream.is_new = 1


cdef void set_vp9_layers(LayerStream* stream, int layers) noexcept nogil:
    cdef uint32_t active = (<uint32_t>1 << (VP9_TEMPORAL * layers)) - 1
    if active != stream.active:
        stream.active = active
        stream.is_new = 1


cdef void use_vp9(const PayloadFacts* facts, LayerFrame* frame) noexcept nogil:
    """Say in decode targets what a VP9 descriptor says in flags.

    A frame belongs to its own layer and those above in time; to larger ones, unless it says that none of them is
    predicted from it (Z). Everything may begin at it if it is predicted from nothing before (not P), and the higher
    temporal layers at a switching up point (U).
    """
    cdef int spatial = facts.spatial_id, temporal = min(<int>facts.temporal_id, VP9_TEMPORAL - 1), i, j
    cdef uint32_t bit
    frame.use.spatial = <uint8_t>spatial
    frame.use.temporal = <uint8_t>temporal
    for i in range(spatial, LAYERS_MAX):
        if i > spatial and facts.unreferenced:
            break
        for j in range(temporal, VP9_TEMPORAL):
            bit = <uint32_t>1 << (i * VP9_TEMPORAL + j)
            frame.use.present |= bit
            if not facts.predicted or (i == spatial and (j == 0 or (j > temporal and facts.layer_sync))):
                frame.use.switches |= bit
    frame.use.required = frame.use.present
    frame.own = <uint8_t>(spatial * VP9_TEMPORAL + temporal) if facts.predicted else NO_TARGET
    if facts.inter_layer and spatial > 0:
        frame.use.references[0] = 1
        frame.use.reference_count = 1


class LayeredFrame(NamedTuple):
    """A frame as one of its packets tells; targets are bits by index, `own` is 255 where references say it all."""

    number: int
    active: int
    starts: bool
    ends: bool
    own: int
    spatial: int
    temporal: int
    present: int
    required: int
    switches: int
    references: tuple[int, ...]


@cython.auto_pickle(False)
cdef class LayerReader:
    """Python face: the frames of one stream, packet by packet."""

    cdef LayerStream* stream

    def __cinit__(self):
        self.stream = layers_new()
        if self.stream == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.stream)

    def descriptor(self, bytes value not None, uint16_t size=1) -> LayeredFrame | None:
        """Take the dependency descriptor of a packet; None if it cannot be read."""
        cdef LayerFrame frame
        layers_take_descriptor(self.stream, value, len(value), size, &frame)
        return described(&frame)

    def vp9(self, bytes payload not None) -> LayeredFrame | None:
        """Take a VP9 payload; None if it names no layers."""
        cdef LayerFrame frame
        cdef PayloadFacts facts
        if inspect_payload(CODEC_VP9, payload, len(payload), &facts) != PAYLOAD_OK:
            return None
        layers_take_vp9(self.stream, &facts, <uint16_t>len(payload), &frame)
        return described(&frame)

    def targets(self) -> list[tuple[int, int]]:
        """Return the spatial and temporal layer of each target."""
        cdef LayerTargets* targets = &self.stream.structure.targets
        return [(targets.spatial[i], targets.temporal[i]) for i in range(targets.count)]

    def received(self) -> list[int]:
        """Return the bytes that came for each target."""
        return [self.stream.bytes[i] for i in range(self.stream.structure.targets.count)]

    def heights(self) -> list[int]:
        """Return the height of each spatial layer, as far as it is known."""
        return [self.stream.structure.heights[i] for i in range(self.stream.structure.resolution_count)]


cdef object described(const LayerFrame* frame):
    if frame.target_count == 0:
        return None
    return LayeredFrame(
        frame.number, frame.active, bool(frame.starts), bool(frame.ends), frame.own, frame.use.spatial,
        frame.use.temporal, frame.use.present, frame.use.required, frame.use.switches,
        tuple([frame.use.references[i] for i in range(frame.use.reference_count)]),
    )
