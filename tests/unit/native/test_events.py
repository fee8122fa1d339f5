"""The ring of events from the worker to Python: in order, bounded, woken once, kept half for those who are known."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.worker import DTLS, STUN, Worker

RING_SLOTS = 1024
KNOWN = ("127.0.0.1", 1)
STRANGER = ("127.0.0.1", 2)
CONTROL_MAX = 64  # of one transport in 100 ms
WINDOW_US = 100_000


def check(number: int) -> bytes:
    """Return what looks like a STUN binding request (RFC 8489 section 5)."""
    return struct.pack("!HHI", 1, 0, 0x2112A442) + struct.pack("!QI", number, 0)


def record(number: int) -> bytes:
    """Return what looks like a DTLS record."""
    return b"\x16" + struct.pack("!Q", number)


@pytest.fixture
def descriptor() -> Iterator[int]:
    opened = os.eventfd(0, os.EFD_NONBLOCK)
    yield opened
    os.close(opened)


def make_worker(descriptor: int = -1) -> Worker:
    worker = Worker(-1, -1, descriptor)
    worker.add_transport(7, 1, bytes(256), bytes(64))
    worker.set_address(7, *KNOWN)
    return worker


def is_woken(descriptor: int) -> bool:
    try:
        return os.eventfd_read(descriptor) > 0
    except BlockingIOError:
        return False


def test_control_datagrams_come_whole_and_with_their_source() -> None:
    worker = make_worker()
    worker.feed(check(1), STRANGER, 1)
    worker.feed(check(2), KNOWN, 1)
    worker.feed(record(3), KNOWN, 1)
    worker.feed(record(4), STRANGER, 1)  # before a completed STUN check nobody's DTLS is heard
    assert worker.drain_events() == [
        (STUN, 0, 0, 0, 0, 0, STRANGER, check(1)),
        (STUN, 7, 0, 0, 0, 0, KNOWN, check(2)),
        (DTLS, 7, 0, 0, 0, 0, KNOWN, record(3)),
    ]
    assert worker.counters()["unknown_address"] == 1


def test_strangers_fill_half_of_the_ring_only() -> None:
    worker = make_worker()
    for number in range(RING_SLOTS):
        worker.feed(check(number), STRANGER, 1)
    assert worker.counters()["events_dropped"] == RING_SLOTS // 2
    worker.feed(record(5), KNOWN, 1)
    events = worker.drain_events(RING_SLOTS)
    assert [event[7] for event in events] == [check(number) for number in range(RING_SLOTS // 2)] + [record(5)]


def test_a_full_ring_drops_and_counts() -> None:
    worker = make_worker()
    for number in range(RING_SLOTS + 10):
        worker.feed(record(number), KNOWN, 1 + WINDOW_US * (number // CONTROL_MAX))
    assert worker.counters()["events_dropped"] == 10
    assert [event[7] for event in worker.drain_events(2 * RING_SLOTS)] == [record(n) for n in range(RING_SLOTS)]
    worker.feed(record(1), KNOWN, 1 + 100 * WINDOW_US)
    assert len(worker.drain_events()) == 1


def test_one_transport_cannot_flood_the_ring() -> None:
    worker = make_worker()
    for number in range(CONTROL_MAX + 10):
        worker.feed(record(number), KNOWN, 1)
    assert len(worker.drain_events()) == CONTROL_MAX
    assert worker.counters()["control_flooded"] == 10


def test_python_is_woken_when_the_ring_was_empty(descriptor: int) -> None:
    worker = make_worker(descriptor)
    assert not is_woken(descriptor)
    worker.feed(record(1), KNOWN, 1)
    assert is_woken(descriptor)
    worker.feed(record(2), KNOWN, 1)
    assert not is_woken(descriptor), "it has not looked yet"
    worker.drain_events()
    worker.feed(record(3), KNOWN, 1)
    assert is_woken(descriptor)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80))
def test_no_event_is_lost_or_out_of_order(rounds: list[int]) -> None:
    worker = make_worker()
    sent = 0
    expected: list[bytes] = []
    got: list[bytes] = []
    for index, count in enumerate(rounds):
        for _ in range(count):
            worker.feed(record(sent), KNOWN, 1 + WINDOW_US * (index + 1))
            expected.append(record(sent))
            sent += 1
        got += [event[7] for event in worker.drain_events(20)]
    while events := worker.drain_events(20):
        got += [event[7] for event in events]
    assert got == expected
