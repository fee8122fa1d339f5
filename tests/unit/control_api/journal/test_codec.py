"""Records: what was built is read; anything torn or changed is not, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.journal.codec import (
    HEADER_BYTES,
    PAYLOAD_BYTES_MAX,
    POSITION_MAX,
    RecordKind,
    build_record,
    find_record,
    parse_record,
)

KINDS = st.sampled_from(RecordKind)
POSITIONS = st.integers(0, POSITION_MAX)
PAYLOADS = st.binary(max_size=300)


def test_record_on_the_disk_is_these_bytes() -> None:
    """The format is for ever."""
    record = build_record(RecordKind.EVENT, 258, b"{}")
    assert record.hex() == "ff020200000002010000000000001547dd157b7d"


@given(KINDS, POSITIONS, PAYLOADS, st.binary(max_size=40))
def test_record_is_read_back_whatever_follows(kind: RecordKind, position: int, payload: bytes, rest: bytes) -> None:
    content = build_record(kind, position, payload)
    record = parse_record(content + rest, 0)
    assert record is not None
    assert (record.kind, record.position, record.payload, record.end) == (kind, position, payload, len(content))


@given(KINDS, POSITIONS, PAYLOADS)
def test_torn_record_is_none_at_every_byte(kind: RecordKind, position: int, payload: bytes) -> None:
    content = build_record(kind, position, payload)
    assert all(parse_record(content[:size], 0) is None for size in range(len(content)))


@given(KINDS, POSITIONS, PAYLOADS, st.data())
def test_any_changed_bit_is_noticed(kind: RecordKind, position: int, payload: bytes, data: st.DataObject) -> None:
    content = bytearray(build_record(kind, position, payload))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    assert parse_record(bytes(content), 0) is None


@given(st.binary(max_size=200), st.integers(-5, 250))
def test_random_bytes_never_raise(content: bytes, offset: int) -> None:
    parse_record(content, offset)
    found = find_record(content, max(offset, 0))
    assert found is None or parse_record(content, found) is not None


@given(st.lists(PAYLOADS, min_size=1, max_size=5), st.binary(max_size=60))
def test_next_record_is_found_after_damage(payloads: list[bytes], damage: bytes) -> None:
    records = [build_record(RecordKind.EVENT, index, payload) for index, payload in enumerate(payloads)]
    content = damage + b"".join(records)
    found = find_record(content, 0)
    assert found is not None
    assert found <= len(damage)


def test_zeros_are_no_record() -> None:
    """What a file system may leave after a power cut."""
    assert parse_record(bytes(4096), 0) is None
    assert find_record(bytes(4096), 0) is None


@pytest.mark.parametrize(("position", "size"), [(-1, 0), (POSITION_MAX + 1, 0), (0, PAYLOAD_BYTES_MAX + 1)])
def test_what_could_not_be_read_is_not_built(position: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        build_record(RecordKind.EVENT, position, bytes(size))


def test_header_is_18_bytes() -> None:
    assert HEADER_BYTES == 18
