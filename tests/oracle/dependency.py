"""Dependency descriptors in plain Python, field by field as appendix A.8 of the AV1 RTP payload format lists them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from media.native.dependency import Description
from media.native.rtp import MalformedPacket
from tests.oracle.payload_reader import BitReader, TruncatedError

ABSENT, DISCARDABLE, SWITCH, REQUIRED = range(4)
TEMPLATES_MAX = 64
REFERENCES_MAX = 8
SPATIAL_MAX = 3
TEMPORAL_MAX = 7


class TooMuchError(Exception):
    """More than an encoder has a use for."""


class UnknownTemplateError(Exception):
    """No structure has it."""


@dataclass(frozen=True)
class Template:
    spatial: int
    temporal: int
    indications: tuple[int, ...] = ()
    references: tuple[int, ...] = ()
    chains: tuple[int, ...] = ()


@dataclass(frozen=True)
class Structure:
    offset: int = 0
    targets: int = 0
    templates: tuple[Template, ...] = ()
    protected_by: tuple[int, ...] = ()
    resolutions: tuple[tuple[int, int], ...] = ()

    def layers(self) -> list[tuple[int, int]]:
        """Return the highest spatial and temporal layer of the templates of each target."""
        return [
            (
                max((each.spatial for each in self.templates if each.indications[target]), default=0),
                max((each.temporal for each in self.templates if each.indications[target]), default=0),
            )
            for target in range(self.targets)
        ]


@dataclass
class DependencyReader:
    structure: Structure = field(default_factory=Structure)

    def read(self, value: bytes) -> Description:
        reason = "ends within a field"
        try:
            return self._read(value)
        except TooMuchError:
            reason = "has more layers or references than there can be"
        except UnknownTemplateError:
            reason = "names a template that no structure has"
        except TruncatedError:
            pass
        raise MalformedPacket(f"dependency descriptor of {len(value)} bytes {reason}")

    def targets(self) -> list[tuple[int, int]]:
        return self.structure.layers()

    def resolutions(self) -> list[tuple[int, int]]:
        return list(self.structure.resolutions)

    def _read(self, value: bytes) -> Description:
        reader = BitReader(value)
        starts, ends, template_id, number = reader.bits(1), reader.bits(1), reader.bits(6), reader.bits(16)
        brings, tells_active, indications, references, _ = (
            [reader.bits(1) for _ in range(5)] if len(value) > 3 else [0] * 5
        )
        structure = read_structure(reader) if brings else self.structure
        index = (template_id - structure.offset) % 64
        if index >= len(structure.templates):
            raise UnknownTemplateError
        active = reader.bits(structure.targets) if tells_active else None
        template = structure.templates[index]
        if indications:
            template = replace(template, indications=tuple(reader.bits(2) for _ in range(structure.targets)))
        if references:
            template = replace(template, references=read_references(reader))
        self.structure = structure
        return Description(
            number,
            bool(starts),
            bool(ends),
            bool(brings),
            active,
            template.spatial,
            template.temporal,
            mask(template.indications, DISCARDABLE, SWITCH, REQUIRED),
            mask(template.indications, SWITCH, REQUIRED),
            mask(template.indications, SWITCH),
            template.references,
        )


def mask(indications: tuple[int, ...], *chosen: int) -> int:
    return sum(1 << index for index, each in enumerate(indications) if each in chosen)


def read_structure(reader: BitReader) -> Structure:
    offset, targets = reader.bits(6), reader.bits(5) + 1
    templates = read_layers(reader)
    templates = [replace(each, indications=tuple(reader.bits(2) for _ in range(targets))) for each in templates]
    templates = [replace(each, references=read_template_references(reader)) for each in templates]
    chains = read_below(reader, targets + 1)
    protected_by: tuple[int, ...] = ()
    if chains:
        protected_by = tuple(read_below(reader, chains) for _ in range(targets))
        templates = [replace(each, chains=tuple(reader.bits(4) for _ in range(chains))) for each in templates]
    resolutions: list[tuple[int, int]] = []
    if reader.bits(1):
        for _ in range(templates[-1].spatial + 1):
            width, height = (min(reader.bits(16) + 1, 65535) for _ in range(2))
            resolutions.append((width, height))
    return Structure(offset, targets, tuple(templates), protected_by, tuple(resolutions))


def read_layers(reader: BitReader) -> list[Template]:
    spatial = temporal = step = 0
    templates: list[Template] = []
    while step != 3:
        if len(templates) == TEMPLATES_MAX or spatial > SPATIAL_MAX or temporal > TEMPORAL_MAX:
            raise TooMuchError
        templates.append(Template(spatial, temporal))
        step = reader.bits(2)
        if step == 1:
            temporal += 1
        elif step == 2:
            spatial, temporal = spatial + 1, 0
    return templates


def read_template_references(reader: BitReader) -> tuple[int, ...]:
    references: list[int] = []
    while reader.bits(1):
        if len(references) == REFERENCES_MAX:
            raise TooMuchError
        references.append(reader.bits(4) + 1)
    return tuple(references)


def read_references(reader: BitReader) -> tuple[int, ...]:
    references: list[int] = []
    while size := reader.bits(2):
        if len(references) == REFERENCES_MAX:
            raise TooMuchError
        references.append(reader.bits(4 * size) + 1)
    return tuple(references)


def read_below(reader: BitReader, bound: int) -> int:
    """ns(n): a number below `bound` in as few bits as it can have."""
    width = bound.bit_length()
    spare = (1 << width) - bound
    value = reader.bits(width - 1)
    return value if value < spare else (value << 1) - spare + reader.bits(1)


# -- the other direction, for tests ------------------------------------------------------------------------------------


def write_value(
    structure: Structure,
    template: int,
    number: int,
    *,
    starts: bool = True,
    ends: bool = True,
    brings_structure: bool = False,
    active: int | None = None,
    indications: tuple[int, ...] | None = None,
    references: tuple[int, ...] | None = None,
) -> bytes:
    """Return a dependency descriptor; what is None is as the structure and the template have it."""
    digits = f"{starts:b}{ends:b}{(template + structure.offset) % 64:06b}{number % 65536:016b}"
    custom = indications is not None, references is not None
    if brings_structure or active is not None or any(custom):
        digits += f"{brings_structure:b}{active is not None:b}{custom[0]:b}{custom[1]:b}0"
        if brings_structure:
            digits += write_structure(structure)
        if active is not None:
            digits += f"{active:0{structure.targets}b}"
        digits += "".join(f"{each:02b}" for each in indications or ())
        if references is not None:
            for each in references:
                size = 1 if each <= 16 else 2 if each <= 256 else 3
                digits += f"{size:02b}{each - 1:0{4 * size}b}"
            digits += "00"
    digits += "0" * (-len(digits) % 8)
    return int(digits, 2).to_bytes(len(digits) // 8)


def write_structure(structure: Structure) -> str:
    templates = structure.templates
    digits = f"{structure.offset:06b}{structure.targets - 1:05b}"
    for each, following in itertools.pairwise(templates):
        digits += "10" if following.spatial > each.spatial else "01" if following.temporal > each.temporal else "00"
    digits += "11" + "".join(f"{indication:02b}" for each in templates for indication in each.indications)
    for each in templates:
        digits += "".join(f"1{reference - 1:04b}" for reference in each.references) + "0"
    chains = max(structure.protected_by, default=-1) + 1
    digits += write_below(chains, structure.targets + 1)
    if chains:
        digits += "".join(write_below(each, chains) for each in structure.protected_by)
        digits += "".join(f"{chain:04b}" for each in templates for chain in each.chains)
    digits += "1" if structure.resolutions else "0"
    return digits + "".join(f"{width - 1:016b}{height - 1:016b}" for width, height in structure.resolutions)


def write_below(value: int, bound: int) -> str:
    width = bound.bit_length()
    spare = (1 << width) - bound
    if value < spare:
        return f"{value:0{width - 1}b}" if width > 1 else ""
    return f"{value + spare:0{width}b}"
