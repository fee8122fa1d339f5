"""Packet arrivals as Hypothesis draws them: mostly in order, with gaps, reordering, duplicates, jumps and restarts."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

WRAPS = (0, 1, 127, 32767, 32768, 65534, 65535)


class Arrival(NamedTuple):
    sequence_number: int
    timestamp: int
    now_us: int


steps = st.one_of(
    st.just(1),
    st.just(1),
    st.integers(2, 40),  # loss
    st.integers(-40, 0),  # reordering and duplicates
    st.sampled_from((-32768, -1025, -1024, -1023, -1001, -1000, -999, 1023, 1024, 2999, 3000, 3001, 32767, 32768)),
    st.integers(-32768, 32768),  # a jump, or a sender that began anew
)
pauses_us = st.one_of(st.integers(0, 300), st.integers(0, 50_000), st.integers(0, 20_000_000))
ticks = st.one_of(st.just(0), st.just(3000), st.integers(0, 2**32 - 1))


@st.composite
def arrivals(draw: st.DrawFn, max_size: int = 60) -> list[Arrival]:
    """Return arrivals from a start value near a wrap; a number may repeat what came long before."""
    number = draw(st.sampled_from(WRAPS) | st.integers(0, 65535))
    timestamp = draw(st.integers(0, 2**32 - 1))
    now_us = draw(st.sampled_from((0, 1, 10**6, 10**13)) | st.integers(0, 10**12))
    found = []
    for step, tick, pause_us in draw(st.lists(st.tuples(steps, ticks, pauses_us), max_size=max_size)):
        found.append(Arrival(number, timestamp, now_us))
        number = (number + step) % 65536
        timestamp = (timestamp + tick) % 2**32
        now_us += pause_us
    return found
