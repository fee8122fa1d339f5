"""Frames of layered streams, described by either of two descriptors, as their twin describes them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.layers import LayerReader
from tests.oracle import layers as oracle
from tests.oracle.dependency import Structure, write_value
from tests.support.layers import FULL, KEY_ONLY, TEMPORAL

WRAPS = [0, 1, 127, 32767, 32768, 65534, 65535]


def vp9_body(
    picture: int,
    *,
    spatial: int = 0,
    temporal: int = 0,
    key: bool = False,
    inter_layer: bool = False,
    switch: bool = False,
    unreferenced: bool = False,
    starts: bool = True,
    ends: bool = True,
    heights: tuple[int, ...] = (),
    bits: int = 15,
) -> bytes:
    """Return a VP9 payload (RFC 9628 section 4.2) in non-flexible mode."""
    first = 0x80 | 0x20 | (not key) << 6 | starts << 3 | ends << 2 | bool(heights) << 1 | unreferenced
    layers = temporal << 5 | switch << 4 | spatial << 1 | inter_layer
    number = struct.pack("!H", 0x8000 | picture & 0x7FFF) if bits == 15 else bytes([picture & 0x7F])
    sizes = bytes([(len(heights) - 1) << 5 | 0x10]) if heights else b""
    sizes += b"".join(struct.pack("!HH", height * 16 // 9, height) for height in heights)
    return bytes([first]) + number + bytes([layers, 9]) + sizes + b"frame"


vp9_packets = st.builds(
    vp9_body,
    st.integers(0, 2**15 - 1) | st.integers(0, 12),
    spatial=st.integers(0, 7),
    temporal=st.integers(0, 7),
    key=st.booleans(),
    inter_layer=st.booleans(),
    switch=st.booleans(),
    unreferenced=st.booleans(),
    starts=st.booleans(),
    ends=st.booleans(),
    heights=st.sampled_from([(), (), (180,), (180, 360), (180, 360, 720), (90, 180, 360, 720, 1440)]),
    bits=st.sampled_from([15, 15, 7]),
)
values = st.builds(
    lambda structure, template, number, brings, active, starts: write_value(
        structure,
        template % len(structure.templates),
        number,
        brings_structure=brings,
        active=None if active is None else active & (1 << structure.targets) - 1,
        starts=starts,
    ),
    st.sampled_from([FULL, KEY_ONLY, TEMPORAL]),
    st.integers(0, 20),
    st.integers(0, 40) | st.sampled_from(WRAPS),
    st.booleans(),
    st.none() | st.integers(0, 511),
    st.booleans(),
)


@given(st.lists(st.tuples(st.just("descriptor"), values) | st.tuples(st.just("vp9"), vp9_packets), max_size=30))
def test_equals_its_twin(packets: list[tuple[str, bytes]]) -> None:
    native, twin = LayerReader(), oracle.LayerReader()
    for kind, data in packets:
        assert getattr(native, kind)(data) == getattr(twin, kind)(data)
        assert native.targets() == twin.targets()
        assert native.received() == twin.received()


@given(st.lists(st.tuples(st.sampled_from(["descriptor", "vp9"]), st.binary(max_size=30)), max_size=8))
def test_random_bytes(packets: list[tuple[str, bytes]]) -> None:
    native, twin = LayerReader(), oracle.LayerReader()
    for kind, data in packets:
        assert getattr(native, kind)(data) == getattr(twin, kind)(data)


@pytest.mark.parametrize("first", WRAPS)
def test_numbers_go_on_over_a_wrap(first: int) -> None:
    reader = LayerReader()
    numbers = []
    for index in range(4):
        frame = reader.descriptor(write_value(TEMPORAL, 0, first + index, brings_structure=index == 0))
        assert frame is not None
        numbers.append(frame.number)
    assert numbers == list(range(first, first + 4))


def test_a_late_packet_is_read_by_the_structure_of_its_time() -> None:
    reader = LayerReader()
    old = Structure(0, TEMPORAL.targets, TEMPORAL.templates)
    reader.descriptor(write_value(old, 0, 10, brings_structure=True))
    reader.descriptor(write_value(KEY_ONLY, 0, 14, brings_structure=True))
    late = reader.descriptor(write_value(old, 2, 12))
    assert late is not None
    assert (late.number, late.temporal) == (12, old.templates[2].temporal)
    assert reader.targets() == KEY_ONLY.layers()


def test_vp9_says_in_targets_what_it_said_in_flags() -> None:
    reader = LayerReader()
    frames = [
        reader.vp9(vp9_body(7, key=True, heights=(180, 360))),
        reader.vp9(vp9_body(7, key=True, spatial=1, inter_layer=True)),
        reader.vp9(vp9_body(8, temporal=2, unreferenced=True)),
        reader.vp9(vp9_body(8, temporal=2, spatial=1, unreferenced=True)),
    ]
    assert [None if each is None else each.number for each in frames] == [28, 29, 32, 33]
    key, above, lower, upper = frames
    assert key is not None
    assert key.active == 0xFF, "two sizes, four rates each"
    assert key.switches == key.present == 0xFFFF
    assert above is not None
    assert (above.references, above.present) == ((1,), 0xFFF0)
    assert lower is not None
    assert (lower.present, lower.switches, lower.own) == (0b1100, 0, 2), "not of the size above (Z)"
    assert upper is not None
    assert upper.present == 0b1100 << 4
    assert reader.heights() == [180, 360]


def test_bytes_count_for_every_target_that_needs_them_and_is_sent() -> None:
    reader = LayerReader()
    key, delta = vp9_body(7, key=True, heights=(180, 360)), vp9_body(8, temporal=1)
    reader.vp9(key)
    reader.vp9(delta)
    received = dict(zip(reader.targets(), reader.received(), strict=True))
    both = len(key) + len(delta)
    assert (received[0, 0], received[0, 1], received[1, 3], received[2, 3]) == (len(key), both, both, 0)
    reader.vp9(vp9_body(9, key=True, heights=(180,)))
    assert dict(zip(reader.targets(), reader.received(), strict=True))[1, 3] == both, "the upper size is held back"
