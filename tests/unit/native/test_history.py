"""The packet ring: what was stored comes back whole, what was overwritten does not come back at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.history import PacketHistory
from tests.oracle import history as oracle
from tests.support.arrivals import WRAPS


def packet_of(number: int, size: int) -> bytes:
    return bytes((number + index) % 256 for index in range(size))


@pytest.mark.parametrize("start", WRAPS)
@pytest.mark.parametrize("cycles", [0, 1, -1])
def test_keeps_the_last_packets_across_a_wrap(start: int, cycles: int) -> None:
    first = start + 65536 * cycles
    ring = PacketHistory(16, 4096)
    for number in range(first, first + 40):
        assert ring.put(number, packet_of(number, 100), now_us=number + 70_000)
    for number in range(first, first + 24):
        assert ring.get(number) is None
    for number in range(first + 24, first + 40):
        assert ring.get(number) == packet_of(number, 100)
        assert ring.arrival_us(number) == number + 70_000
    assert (ring.stored, ring.highest) == (40, first + 39)


def test_refuses_duplicates_old_numbers_and_impossible_sizes() -> None:
    ring = PacketHistory(4, 64)
    assert ring.put(10, b"ten", 0)
    assert not ring.put(10, b"again", 1)
    assert ring.get(10) == b"ten"
    assert ring.duplicates == 1
    assert ring.put(14, b"fourteen", 2)  # takes the slot of 10
    assert not ring.put(10, b"ten", 3)  # too old
    assert ring.put(11, b"late", 4)
    assert not ring.put(15, b"", 5)
    assert not ring.put(15, bytes(65), 5)
    assert ring.put(15, bytes(64), 5)  # fills the ring
    assert (ring.get(14), ring.get(11), ring.get(15)) == (None, None, bytes(64))
    assert ring.refused == 3


def test_a_duplicate_stays_one_after_its_bytes_are_gone() -> None:
    ring = PacketHistory(16, 64)
    ring.put(1, bytes(40), 0)
    ring.put(2, bytes(40), 0)
    assert ring.get(1) is None
    assert not ring.put(1, bytes(40), 1)
    assert ring.duplicates == 1


def test_a_packet_at_the_end_of_the_ring_stays_in_one_piece() -> None:
    ring = PacketHistory(16, 64)
    ring.put(1, b"a" * 30, 0)
    ring.put(2, b"b" * 30, 0)
    ring.put(3, b"c" * 10, 0)  # 4 bytes are left: it begins at the start, over packet 1
    assert [ring.get(number) for number in (1, 2, 3)] == [None, b"b" * 30, b"c" * 10]
    ring.put(4, b"d" * 20, 0)  # up to byte 30, where packet 2 begins
    assert [ring.get(number) for number in (2, 3, 4)] == [b"b" * 30, b"c" * 10, b"d" * 20]
    ring.put(5, b"e", 0)
    assert ring.get(2) is None


def test_clear_forgets_and_counts_anew() -> None:
    ring = PacketHistory(4, 64)
    ring.put(70_000, b"old", 0)
    ring.clear()
    assert (ring.get(70_000), ring.stored, ring.highest) == (None, 0, None)
    assert ring.put(3, b"new", 0)
    assert ring.get(3) == b"new"


@pytest.mark.parametrize(("entries", "size_bytes"), [(0, 64), (3, 64), (4, 0), (4, 63), (2**31 + 1, 64)])
def test_sizes_must_be_powers_of_two(entries: int, size_bytes: int) -> None:
    with pytest.raises(ValueError, match="powers of two"):
        PacketHistory(entries, size_bytes)


def test_a_packet_longer_than_a_datagram_is_our_fault() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        PacketHistory(4, 131072).put(1, bytes(65536), 0)


def test_keeps_the_longest_datagram() -> None:
    ring = PacketHistory(4, 65536)
    packet = packet_of(3, 65535)
    assert ring.put(1, packet, 0)
    assert ring.get(1) == packet


operations = st.lists(
    st.tuples(st.one_of(st.integers(-3, 6), st.integers(-40, 40), st.just(65536)), st.integers(0, 70)), max_size=80
)


@given(
    start=st.sampled_from(WRAPS) | st.integers(-(2**40), 2**40),
    entries=st.sampled_from((1, 2, 8, 16)),
    size_bytes=st.sampled_from((1, 32, 64, 256)),
    operations=operations,
)
def test_equals_a_ring_whose_bytes_know_their_owner(
    start: int, entries: int, size_bytes: int, operations: list[tuple[int, int]]
) -> None:
    native, twin = PacketHistory(entries, size_bytes), oracle.PacketHistory(entries, size_bytes)
    number = start
    for now_us, (step, size) in enumerate(operations):
        number += step
        packet = packet_of(now_us, size)
        assert native.put(number, packet, now_us) == twin.put(number, packet, now_us)
        for asked in range(number - 20, number + 20):
            assert native.get(asked) == twin.get(asked)
        assert native.arrival_us(number) == twin.arrival_us(number)
    assert (native.stored, native.duplicates, native.refused) == (twin.stored, twin.duplicates, twin.refused)
    assert native.highest == twin.highest
