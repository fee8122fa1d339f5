"""Frames of a layered stream in plain Python: described by one descriptor or the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.native.layers import LayeredFrame
from media.native.rtp import MalformedPacket
from tests.oracle.dependency import DependencyReader, Structure
from tests.oracle.payload import inspect_vp9
from tests.oracle.payload_reader import ByteReader, ForbiddenValueError, TruncatedError

NO_TARGET = 255
GRID = 4
EVERYTHING = 0xFFFFFFFF


@dataclass
class LayerReader:
    kind: str = ""
    structure: Structure = field(default_factory=Structure)
    before: Structure = field(default_factory=Structure)
    begins: int = 0
    highest: int = 0
    active: int = 0
    counted: list[int] = field(default_factory=lambda: [0] * 32)
    sizes: list[int] = field(default_factory=list)

    def targets(self) -> list[tuple[int, int]]:
        if self.kind == "vp9":
            return [(index // GRID, index % GRID) for index in range(GRID * GRID)]
        return self.structure.layers()

    def received(self) -> list[int]:
        return self.counted[: len(self.targets())]

    def heights(self) -> list[int]:
        return self.sizes if self.kind == "vp9" else [height for _, height in self.structure.resolutions]

    def descriptor(self, value: bytes, size: int = 1) -> LayeredFrame | None:
        if len(value) < 3:
            return None
        low = int.from_bytes(value[1:3])
        if self.kind != "descriptor":
            self.kind, self.structure, self.before, self.highest = "descriptor", Structure(), Structure(), low
            self.begins = 0 if not self.begins else self.begins
        number = _closest(low, self.highest, 1 << 16)
        is_old = number < self.begins and self.before.targets > 0
        reader = DependencyReader(self.before if is_old else self.structure)
        brings = len(value) > 3 and value[3] & 0x80
        if not is_old and brings:
            self.before = self.structure
        try:
            read = reader.read(value)
        except MalformedPacket:
            return None
        if is_old:
            self.before = reader.structure
            count, active = self.before.targets, EVERYTHING
        else:
            self.highest = max(self.highest, number)
            self.structure = reader.structure
            if read.brings_structure:
                self.begins, self.active = number, (1 << self.structure.targets) - 1
            if read.active is not None and number >= self.highest:
                self.active = read.active
            count, active = self.structure.targets, self.active
        assert count
        self._count(read.present, size)
        return LayeredFrame(
            number=number,
            active=active,
            starts=read.starts,
            ends=read.ends,
            own=NO_TARGET,
            spatial=read.spatial,
            temporal=read.temporal,
            present=read.present,
            required=read.required,
            switches=read.switches,
            references=read.references,
        )

    def vp9(self, payload: bytes) -> LayeredFrame | None:
        if not payload:
            return None
        try:
            facts = inspect_vp9(payload)
        except (TruncatedError, ForbiddenValueError):
            return None
        spatial, temporal, picture = facts.spatial_id, facts.temporal_id, facts.picture_id
        if picture is None or spatial is None or temporal is None or spatial >= GRID:
            return None
        if self.kind != "vp9":
            self.kind, self.highest, self.active, self.sizes = "vp9", picture, 0, []
        number = _closest(picture, self.highest, 1 << facts.picture_id_bits)
        layers = read_layers(payload, facts.picture_id_bits)
        if number >= self.highest:
            self.highest = number
            if layers:
                self.active = (1 << GRID * min(len(layers), GRID)) - 1
                self._take_sizes(layers[:GRID])
            elif not self.active >> spatial * GRID & 1:
                self.active = (1 << GRID * (spatial + 1)) - 1
        predicted, ends, unreferenced = (bool(payload[0] & bit) for bit in (0x40, 0x04, 0x01))
        temporal = min(temporal, GRID - 1)
        present = switches = 0
        for index, (size, rate) in enumerate(self.targets()):
            if size < spatial or rate < temporal or (size > spatial and unreferenced):
                continue
            present |= 1 << index
            begins = size == spatial and (rate == 0 or (rate > temporal and facts.layer_sync))
            if not predicted or begins:
                switches |= 1 << index
        self._count(present, len(payload))
        return LayeredFrame(
            number=number * GRID + spatial,
            active=self.active,
            starts=facts.frame_start,
            ends=ends,
            own=spatial * GRID + temporal if predicted else NO_TARGET,
            spatial=spatial,
            temporal=temporal,
            present=present,
            required=present,
            switches=switches,
            references=(1,) if is_inter_layer(payload, facts.picture_id_bits) and spatial else (),
        )

    def _take_sizes(self, layers: list[int]) -> None:
        if not any(layers):
            return
        known = [*self.sizes, *[0] * GRID][:GRID]
        changed = [height and height != before for height, before in zip(layers, known, strict=False)]
        if any(changed):
            known[: len(layers)] = [new or old for new, old in zip(layers, known, strict=False)]
            self.sizes = known[: len(layers)]

    def _count(self, present: int, size: int) -> None:
        for index in range(len(self.targets())):
            self.counted[index] += size * ((present & self.active) >> index & 1)


def _closest(low: int, newest: int, cycle: int) -> int:
    ahead = (low - newest) % cycle
    return newest + (ahead if ahead < cycle // 2 else ahead - cycle)


def is_inter_layer(payload: bytes, picture_id_bits: int) -> bool:
    return bool(payload[1 + (picture_id_bits + 1) // 8] & 1)


def read_layers(payload: bytes, picture_id_bits: int) -> list[int]:
    """Return the height of each spatial layer that the scalability structure names (0: not said), none without one."""
    first = payload[0]
    if not first & 0x02:
        return []
    reader = ByteReader(payload)
    reader.take(1 + (picture_id_bits + 1) // 8 + (1 if first & 0x10 else 2))
    if first & 0x50 == 0x50:
        while reader.byte() & 1:
            pass
    flags = reader.byte()
    count = (flags >> 5) + 1
    return [int.from_bytes(reader.take(4)[2:]) if flags & 0x10 else 0 for _ in range(count)]
