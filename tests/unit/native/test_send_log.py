"""The send log: each packet is told of once, or once as lost and once as found, across wraps and as far as it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.send_log import PacketLog
from tests.oracle import send_log as oracle
from tests.support.arrivals import WRAPS

ENTRIES = 1024


def sent_before(count: int) -> PacketLog:
    log = PacketLog()
    for number in range(count):
        assert log.add(100, number) == number % 65536
    return log


@pytest.mark.parametrize("start", WRAPS)
def test_what_was_sent_is_told_of_once(start: int) -> None:
    log = sent_before(start)
    number = log.add(1200, 5_000_000, 3)
    assert log.tell(number, 77, 5_100_000) == (5_000_000, 77, 1200, 3)
    assert log.tell(number, 77, 5_100_000) is None
    assert log.tell(number, None, 5_100_000) is None
    assert log.tell((number + 1) % 65536, 77, 5_100_000) is None, "not sent yet"


def test_what_is_lost_may_come_after_all() -> None:
    log = PacketLog()
    log.add(900, 1000)
    assert log.tell(0, None, 2000) == (1000, None, 900, 0)
    assert log.tell(0, None, 3000) is None
    assert log.tell(0, 5, 4000) == (1000, 5, 900, 0)
    assert log.tell(0, None, 5000) is None


def test_only_the_last_packets_are_remembered() -> None:
    log = sent_before(ENTRIES + 10)
    assert log.tell(9, 1, 2_000) is None
    assert log.tell(10, 1, 2_000) == (10, 1, 100, 0)
    assert log.tell(ENTRIES + 9, 1, 2_000) is not None


def test_times_beyond_32_bits_are_whole_again() -> None:
    log = PacketLog()
    at_us = (7 << 32) - 10
    log.add(50, at_us)
    assert log.tell(0, 1, at_us + 500_000) == (at_us, 1, 50, 0)


def test_a_time_of_arrival_is_not_negative() -> None:
    with pytest.raises(ValueError, match="received_us is -1, expected None or at least 0"):
        PacketLog().tell(0, -1, 0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1300), st.one_of(st.none(), st.integers(0, 99)))))
def test_the_log_does_what_its_twin_does(steps: list[tuple[bool, int, int | None]]) -> None:
    native, twin = PacketLog(), oracle.PacketLog()
    now_us = 1
    for adds, number, received_us in steps:
        now_us += number
        if adds:
            for _ in range(number):
                assert native.add(number, now_us, 7) == twin.add(number, now_us, 7)
        else:
            behind = (twin.next - number) % 65536
            assert native.tell(behind, received_us, now_us) == twin.tell(behind, received_us, now_us)
