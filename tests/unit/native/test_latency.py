"""The histogram of forward latency counts as the plain one does, and a worker counts what it forwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.native.latency import Latency, bounds_us
from media.native.worker import Worker
from tests.oracle import latency as oracle

NEAR_BOUNDS = [bound + step for bound in oracle.BOUNDS_US for step in (-1, 0, 1)]


def test_bounds_are_the_same() -> None:
    assert bounds_us() == oracle.BOUNDS_US


@given(st.lists(st.one_of(st.sampled_from(NEAR_BOUNDS), st.integers(0, 2**40)), max_size=50))
def test_native_and_plain_agree(latencies: list[int]) -> None:
    native, plain = Latency(), oracle.Latency()
    for latency_us in latencies:
        native.observe(latency_us)
        plain.observe(latency_us)
    assert native.reading() == plain.reading()


def test_worker_begins_with_an_empty_histogram() -> None:
    assert Worker().latency() == ([0] * (len(oracle.BOUNDS_US) + 1), 0)
