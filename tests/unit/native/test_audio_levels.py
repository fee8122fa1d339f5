"""What was heard is told once, oldest first, and only of those who were loud enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.audio_levels import LevelMeter
from tests.oracle import audio_levels as oracle

adds = st.tuples(st.just("add"), st.integers(1, 20), st.integers(0, 127), st.booleans())
forgets = st.tuples(st.just("forget"), st.integers(1, 20))
takes = st.tuples(st.just("take"), st.sampled_from([127, 0, 60]))


@given(st.lists(adds | adds | adds | forgets | takes, max_size=80))
def test_equals_its_twin(calls: list[tuple[object, ...]]) -> None:
    native, twin = LevelMeter(), oracle.LevelMeter()
    for name, *arguments in [*calls, ("take",)]:
        assert getattr(native, str(name))(*arguments) == getattr(twin, str(name))(*arguments)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 40])
def test_the_oldest_levels_are_forgotten(count: int) -> None:
    meter = LevelMeter()
    for level in range(count):
        meter.add(5, level)
    assert meter.take() == [(5, bytes(range(max(0, count - 16), count)))]
    assert meter.take() == []


def test_one_loud_packet_brings_the_quiet_ones_along() -> None:
    meter = LevelMeter()
    for level in (90, 60, 100):
        meter.add(1, level, voice=level == 60)
    meter.add(2, 61)
    assert meter.take(60) == [(1, bytes([90, 60 | 0x80, 100]))]
    meter.add(2, 10)
    assert meter.take(60) == [(2, bytes([10]))], "what was too quiet to tell is forgotten"


def test_a_level_is_seven_bits() -> None:
    for meter in (LevelMeter(), oracle.LevelMeter()):
        with pytest.raises(ValueError, match="level is 128"):
            meter.add(1, 128)
