"""How late a publisher's repaired pictures come, and how long all who watch wait: no longer than for what is late."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.lateness import PublisherLateness
from tests.oracle import lateness as oracle

SECOND_US = 1_000_000


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 29_999, 30_000, 120_000, 480_000, 500_000, 500_001, 2**63]),
            st.sampled_from([0, 20_000, 400_000, SECOND_US, SECOND_US, 9 * SECOND_US, 10 * SECOND_US, 99 * SECOND_US]),
        )
    )
)
def test_it_equals_its_twin(steps: list[tuple[int, int]]) -> None:
    native, twin = PublisherLateness(), oracle.PublisherLateness()
    now_us = 20 * SECOND_US
    for late_us, later_us in steps:
        now_us += later_us
        native.note(late_us, now_us)
        twin.note(late_us, now_us)
        assert native.tell(now_us) == twin.tell(now_us)


def tell_after(late_us: int, *, seconds: int) -> int | None:
    """Return what is told while one packet a second was late for so many seconds."""
    lateness, told = PublisherLateness(), None
    for step in range(seconds * 20):
        now_us = 20 * SECOND_US + step * 50_000
        if step % 20 == 0:
            lateness.note(late_us, now_us)
        told = lateness.tell(now_us)
    return told


@pytest.mark.parametrize(
    ("late_us", "told_ms"),
    [(0, None), (20_000, None), (110_000, 160), (250_000, 300), (450_000, 400), (800_000, None)],
)
def test_pictures_wait_as_long_as_repairs_are_late_and_a_frame_more(late_us: int, told_ms: int | None) -> None:
    assert tell_after(late_us, seconds=7) == told_ms


@pytest.mark.parametrize(("late_us", "told_ms"), [(110_000, 210), (235_000, 400)])
def test_where_every_second_has_late_packets_pictures_wait_for_one_repeat_more(late_us: int, told_ms: int) -> None:
    assert tell_after(late_us, seconds=30) == told_ms


def test_a_jam_that_is_over_delays_nothing() -> None:
    assert not tell_after(200_000, seconds=2)


def test_who_is_in_time_again_delays_nobody_in_the_end() -> None:
    lateness, now_us = PublisherLateness(), 20 * SECOND_US
    for _ in range(200):
        now_us += 50_000
        lateness.note(110_000, now_us)
        told = lateness.tell(now_us)
    assert told == 210
    for _ in range(60):
        now_us += SECOND_US
        told = lateness.tell(now_us)
    assert told == 0, "and viewers are told so"
