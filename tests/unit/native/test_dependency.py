"""Dependency descriptors: read as their twin reads them, whole and in pieces, and written with other active targets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.native import dependency
from media.native.dependency import DependencyReader
from media.native.rtp import MalformedPacket
from tests.oracle import dependency as oracle
from tests.oracle.agreement import outcome, prefixes
from tests.oracle.dependency import Structure, Template, write_value
from tests.support.layers import FULL, KEY_ONLY, TEMPORAL

EXAMPLES = 60  # structures of 32 targets are slow to make up
STRUCTURES = [FULL, KEY_ONLY, TEMPORAL]


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    """Return a structure of any shape, sense or none."""
    targets = draw(st.integers(1, 32))
    chains = draw(st.integers(0, min(targets, 4)))
    spatial = temporal = 0
    templates = []
    for step in [0, *draw(st.lists(st.integers(0, 2), max_size=8))]:
        if step == 1 and temporal < 7:
            temporal += 1
        elif step == 2 and spatial < 3:
            spatial, temporal = spatial + 1, 0
        templates.append(
            Template(
                spatial,
                temporal,
                draw(st.tuples(*[st.integers(0, 3)] * targets)),
                tuple(draw(st.lists(st.integers(1, 16), max_size=4))),
                draw(st.tuples(*[st.integers(0, 15)] * chains)),
            )
        )
    protected = draw(st.permutations([index % chains for index in range(targets)])) if chains else ()
    sizes = draw(st.booleans())
    return Structure(
        draw(st.integers(0, 63)),
        targets,
        tuple(templates),
        tuple(protected),
        tuple((320 << index, 180 << index) for index in range(spatial + 1)) if sizes else (),
    )


@settings(max_examples=EXAMPLES)
@given(structures(), st.integers(0, 65535), st.data())
def test_what_was_written_is_read(structure: Structure, number: int, data: st.DataObject) -> None:
    template = data.draw(st.integers(0, len(structure.templates) - 1))
    active = data.draw(st.none() | st.integers(0, (1 << structure.targets) - 1))
    native, twin = DependencyReader(), oracle.DependencyReader()
    first = write_value(structure, 0, number, brings_structure=True)
    assert native.read(first) == twin.read(first)
    assert native.targets() == twin.targets()
    assert native.resolutions() == twin.resolutions() == list(structure.resolutions)
    references = data.draw(st.none() | st.lists(st.integers(1, 4096), max_size=8).map(tuple))
    indications = data.draw(st.none() | st.tuples(*[st.integers(0, 3)] * structure.targets))
    value = write_value(
        structure, template, number + 1, ends=False, active=active, references=references, indications=indications
    )
    read = native.read(value)
    assert read == twin.read(value)
    assert (read.number, read.starts, read.ends, read.active) == ((number + 1) % 65536, True, False, active)
    expected = structure.templates[template].references if references is None else references
    assert read.references == expected


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_prefix_and_every_flipped_bit_reads_as_its_twin_does(structure: Structure) -> None:
    value = write_value(structure, 0, 65535, brings_structure=True, active=1, references=(1, 300, 4096))
    flipped = [
        bytes([*value[:at], value[at] ^ 1 << bit, *value[at + 1 :]]) for at in range(len(value)) for bit in (0, 5)
    ]
    for each in [*prefixes(value), *flipped, value + b"\x00\x00"]:
        native, twin = DependencyReader(), oracle.DependencyReader()
        assert outcome(native.read, each) == outcome(twin.read, each)
        assert native.targets() == twin.targets()


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_random_bytes(values: list[bytes]) -> None:
    native, twin = DependencyReader(), oracle.DependencyReader()
    for value in [write_value(FULL, 0, 1, brings_structure=True), *values]:
        assert outcome(native.read, value) == outcome(twin.read, value)
        assert native.targets() == twin.targets()


def test_a_broken_structure_does_not_replace_the_one_that_there_is() -> None:
    reader = DependencyReader()
    reader.read(write_value(FULL, 0, 1, brings_structure=True))
    with pytest.raises(MalformedPacket):
        reader.read(write_value(TEMPORAL, 0, 2, brings_structure=True)[:-3])
    assert reader.targets() == FULL.layers()


@settings(max_examples=EXAMPLES)
@given(structures(), st.booleans(), st.none() | st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_active_targets_are_written_and_nothing_else_changes(
    structure: Structure, brings: bool, said: int | None, active: int
) -> None:
    active &= (1 << structure.targets) - 1
    said = None if said is None else said & active
    value = write_value(structure, 0, 7, brings_structure=brings, active=said, references=(2, 20))
    told = dependency.write_active(value, structure.targets, active)
    reader, changed = (oracle.DependencyReader(structure) for _ in range(2))
    if len(value) > 255:
        assert told is None
        return
    assert told is not None
    assert changed.read(told) == reader.read(value)._replace(active=active)
    assert changed.structure == reader.structure
    assert len(told) <= len(value) + 1 + (structure.targets + 7) // 8


def test_a_value_that_cannot_be_read_is_not_written() -> None:
    assert dependency.write_active(b"\x80\x00", 3, 1) is None
    assert dependency.write_active(write_value(FULL, 0, 1, brings_structure=True)[:9], 9, 1) is None
    assert dependency.write_active(write_value(FULL, 0, 1, brings_structure=True), 8, 1) is None
