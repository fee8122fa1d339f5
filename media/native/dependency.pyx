# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Dependency descriptors: of each frame, which layers need it and what it refers to, whatever the codec.

AV1 RTP payload format, appendix A. A key frame brings a structure: decode targets (a spatial and a temporal layer
each), and templates that say what frames are to them; every packet then names a template, and what is different.
"""

from typing import NamedTuple

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from media.native.payload_bits cimport BitReader, bit_reader, read_bits
from media.native.rtp import MalformedPacket
from media.native.wire cimport load16

cdef enum:
    MANDATORY_BYTES = 3
    MANDATORY_BITS = 24
    FLAG_BITS = 5
    INDICATION_DISCARDABLE = 1
    INDICATION_SWITCH = 2
    INDICATION_REQUIRED = 3
    NEXT_TEMPORAL = 1
    NEXT_SPATIAL = 2
    NO_NEXT = 3
    TEMPORAL_MAX = 7


cdef int read_dependency(const uint8_t* value, size_t size, DependencyStructure* structure,
                         DependencyFrame* frame) noexcept nogil:
    cdef BitReader reader = bit_reader(value, size)
    cdef DependencyStructure brought
    cdef uint32_t flags = 0
    cdef int template_id, status
    memset(frame, 0, sizeof(DependencyFrame))
    if size < MANDATORY_BYTES:
        return DEPENDENCY_TRUNCATED
    frame.starts = value[0] >> 7
    frame.ends = value[0] >> 6 & 1
    template_id = value[0] & 0x3F
    frame.number = load16(value + 1)
    reader.position = MANDATORY_BITS
    if size > MANDATORY_BYTES:
        flags = read_bits(&reader, FLAG_BITS)  # structure, active targets, other indications, references, chains
    if flags & 0x10:
        status = read_structure(&reader, &brought)
        if status == DEPENDENCY_OK:
            status = read_frame(&reader, flags, template_id, &brought, frame)
        if status == DEPENDENCY_OK:
            structure[0] = brought
            frame.brings_structure = 1
    else:
        status = read_frame(&reader, flags, template_id, structure, frame)
    if status != DEPENDENCY_OK:
        memset(frame, 0, sizeof(DependencyFrame))
    return status


cdef int read_frame(BitReader* reader, uint32_t flags, int template_id, const DependencyStructure* structure,
                    DependencyFrame* frame) noexcept nogil:
    """Read what follows the structure, down to the references; custom chains, which come last, are of no use here."""
    cdef int index = (template_id + 64 - structure.offset) % 64
    cdef int count = structure.targets.count
    cdef int status
    if index >= structure.template_count:
        return DEPENDENCY_UNKNOWN
    if flags & 0x08:
        frame.tells_active = 1
        frame.active = read_bits(reader, count)
    frame.use = structure.templates[index]
    if flags & 0x04:
        read_indications(reader, count, &frame.use)
    if flags & 0x02:
        status = read_references(reader, &frame.use)
        if status != DEPENDENCY_OK:
            return status
    return DEPENDENCY_TRUNCATED if reader.overrun else DEPENDENCY_OK


cdef int read_structure(BitReader* reader, DependencyStructure* structure) noexcept nogil:
    cdef int index, status, layers
    memset(structure, 0, sizeof(DependencyStructure))
    structure.offset = <uint8_t>read_bits(reader, 6)
    structure.targets.count = <uint8_t>(read_bits(reader, 5) + 1)
    status = read_layers(reader, structure, &layers)
    if status != DEPENDENCY_OK:
        return status
    for index in range(structure.template_count):
        read_indications(reader, structure.targets.count, &structure.templates[index])
    for index in range(structure.template_count):
        status = read_template_references(reader, &structure.templates[index])
        if status != DEPENDENCY_OK:
            return status
    skip_chains(reader, structure)
    if read_bits(reader, 1):
        structure.resolution_count = <uint8_t>layers
        for index in range(layers):
            structure.widths[index] = <uint16_t>min(read_bits(reader, 16) + 1, <uint32_t>0xFFFF)
            structure.heights[index] = <uint16_t>min(read_bits(reader, 16) + 1, <uint32_t>0xFFFF)
    if reader.overrun:
        return DEPENDENCY_TRUNCATED
    name_targets(structure)
    return DEPENDENCY_OK


cdef int read_layers(BitReader* reader, DependencyStructure* structure, int* layers) noexcept nogil:
    """Read the layer of each template, in order; `layers` becomes the number of spatial ones."""
    cdef int spatial = 0, temporal = 0
    cdef uint32_t step = 0
    while step != NO_NEXT:
        if structure.template_count == TEMPLATES_MAX or spatial == LAYERS_MAX or temporal > TEMPORAL_MAX:
            return DEPENDENCY_TOO_MUCH
        structure.templates[<int>structure.template_count].spatial = <uint8_t>spatial
        structure.templates[<int>structure.template_count].temporal = <uint8_t>temporal
        structure.template_count += 1
        step = read_bits(reader, 2)
        if reader.overrun:
            return DEPENDENCY_TRUNCATED
        if step == NEXT_TEMPORAL:
            temporal += 1
        elif step == NEXT_SPATIAL:
            temporal = 0
            spatial += 1
    layers[0] = spatial + 1
    return DEPENDENCY_OK


cdef void read_indications(BitReader* reader, int count, LayerUse* use) noexcept nogil:
    cdef int index
    cdef uint32_t indication, bit
    use.present = use.required = use.switches = 0
    for index in range(count):
        indication = read_bits(reader, 2)
        bit = <uint32_t>1 << index
        if indication:
            use.present |= bit
        if indication == INDICATION_SWITCH or indication == INDICATION_REQUIRED:
            use.required |= bit
        if indication == INDICATION_SWITCH:
            use.switches |= bit


cdef int read_template_references(BitReader* reader, LayerUse* use) noexcept nogil:
    while read_bits(reader, 1):
        if use.reference_count == REFERENCES_MAX:
            return DEPENDENCY_TOO_MUCH
        use.references[<int>use.reference_count] = <uint16_t>(read_bits(reader, 4) + 1)
        use.reference_count += 1
    return DEPENDENCY_OK


cdef int read_references(BitReader* reader, LayerUse* use) noexcept nogil:
    cdef uint32_t size = read_bits(reader, 2)
    use.reference_count = 0
    while size:
        if use.reference_count == REFERENCES_MAX:
            return DEPENDENCY_TOO_MUCH
        use.references[<int>use.reference_count] = <uint16_t>(read_bits(reader, 4 * size) + 1)
        use.reference_count += 1
        size = read_bits(reader, 2)
    return DEPENDENCY_OK


cdef uint32_t read_below(BitReader* reader, uint32_t bound) noexcept nogil:
    """A number below `bound`, which is at least 1: ns(n) of appendix A.8.1."""
    cdef int width = 0
    cdef uint32_t left = bound, value, spare
    while left:
        width += 1
        left >>= 1
    spare = (<uint32_t>1 << width) - bound
    value = read_bits(reader, width - 1)
    if value < spare:
        return value
    return (value << 1) - spare + read_bits(reader, 1)


cdef void skip_chains(BitReader* reader, const DependencyStructure* structure) noexcept nogil:
    """Step over the chains: what is sent of a target is known here frame by frame."""
    cdef uint32_t chains = read_below(reader, structure.targets.count + 1)
    cdef uint32_t index
    if chains == 0:
        return
    for index in range(structure.targets.count):
        read_below(reader, chains)
    for index in range(structure.template_count * chains):
        read_bits(reader, 4)


cdef void name_targets(DependencyStructure* structure) noexcept nogil:
    """A target has the highest layers of the templates that belong to it (appendix A.8.3.5)."""
    cdef int target, index
    cdef LayerUse* use
    for target in range(structure.targets.count):
        for index in range(structure.template_count):
            use = &structure.templates[index]
            if use.present >> target & 1:
                structure.targets.spatial[target] = max(structure.targets.spatial[target], use.spatial)
                structure.targets.temporal[target] = max(structure.targets.temporal[target], use.temporal)


cdef size_t write_active_targets(const uint8_t* value, size_t size, int target_count, uint32_t active, uint8_t* out,
                                 size_t capacity) noexcept nogil:
    cdef BitReader reader = bit_reader(value, size)
    cdef DependencyStructure structure
    cdef uint32_t flags = 0
    cdef size_t from_bit, bits
    if size < MANDATORY_BYTES or capacity < size + 1 + (target_count + 7) // 8 or target_count > TARGETS_MAX:
        return 0
    reader.position = MANDATORY_BITS
    if size > MANDATORY_BYTES:
        flags = read_bits(&reader, FLAG_BITS)
        if flags & 0x10 and (read_structure(&reader, &structure) != DEPENDENCY_OK
                or structure.targets.count != target_count):
            return 0
    memset(out, 0, capacity)
    from_bit = reader.position
    memcpy(out, value, MANDATORY_BYTES)
    out[MANDATORY_BYTES] = <uint8_t>((flags | 0x08) << 3)
    bits = MANDATORY_BITS + FLAG_BITS
    bits = copy_bits(out, bits, value, bits, from_bit if size > MANDATORY_BYTES else bits)
    bits = append_bits(out, bits, active, target_count)
    if flags & 0x08:
        from_bit += target_count
    bits = copy_bits(out, bits, value, from_bit, 8 * size)
    return (bits + 7) // 8


cdef size_t copy_bits(uint8_t* out, size_t at, const uint8_t* value, size_t first, size_t end) noexcept nogil:
    """Append the bits from `first` to before `end`; returns where the next one goes."""
    while first < end:
        out[at >> 3] |= (value[first >> 3] >> (7 - (first & 7)) & 1) << (7 - (at & 7))
        first += 1
        at += 1
    return at


cdef size_t append_bits(uint8_t* out, size_t at, uint32_t value, int count) noexcept nogil:
    while count:
        count -= 1
        out[at >> 3] |= (value >> count & 1) << (7 - (at & 7))
        at += 1
    return at


class Description(NamedTuple):
    """What one value says; targets are bits by index, `active` is None where it says nothing about it."""

    number: int
    starts: bool
    ends: bool
    brings_structure: bool
    active: int | None
    spatial: int
    temporal: int
    present: int
    required: int
    switches: int
    references: tuple[int, ...]


cdef dict _REASONS = {
    DEPENDENCY_TRUNCATED: "dependency descriptor of {} bytes ends within a field",
    DEPENDENCY_UNKNOWN: "dependency descriptor of {} bytes names a template that no structure has",
    DEPENDENCY_TOO_MUCH: "dependency descriptor of {} bytes has more layers or references than there can be",
}


@cython.auto_pickle(False)
cdef class DependencyReader:
    """Python face: reads the values of one stream in order, each by the structure of the last key frame."""

    cdef DependencyStructure structure

    def __cinit__(self):
        memset(&self.structure, 0, sizeof(DependencyStructure))

    def read(self, bytes value not None) -> Description:
        """Return what a value says; raise MalformedPacket, and then the structure is what it was."""
        cdef DependencyFrame frame
        cdef int i, status = read_dependency(value, len(value), &self.structure, &frame)
        if status != DEPENDENCY_OK:
            raise MalformedPacket(_REASONS[status].format(len(value)))
        return Description(
            frame.number, bool(frame.starts), bool(frame.ends), bool(frame.brings_structure),
            frame.active if frame.tells_active else None, frame.use.spatial, frame.use.temporal, frame.use.present,
            frame.use.required, frame.use.switches,
            tuple([frame.use.references[i] for i in range(frame.use.reference_count)]),
        )

    def targets(self) -> list[tuple[int, int]]:
        """Return the spatial and temporal layer of each decode target; empty before a structure came."""
        cdef int i
        cdef LayerTargets* targets = &self.structure.targets
        return [(targets.spatial[i], targets.temporal[i]) for i in range(targets.count)]

    def resolutions(self) -> list[tuple[int, int]]:
        """Return width and height of each spatial layer, if the structure has them."""
        cdef int i
        return [(self.structure.widths[i], self.structure.heights[i]) for i in range(self.structure.resolution_count)]


def write_active(bytes value not None, int target_count, uint32_t active) -> bytes | None:
    """Return a value that says which targets are sent, whatever it said before; None if it cannot be read."""
    cdef uint8_t out[512]
    cdef size_t size
    if len(value) > 255:
        return None
    size = write_active_targets(value, len(value), target_count, active, out, sizeof(out))
    return (<uint8_t*>out)[:size] if size else None
