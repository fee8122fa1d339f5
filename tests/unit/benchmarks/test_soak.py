"""A soak's judgement: what grows is seen through noise, what does not is let pass, and what is left fails it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.soak.gauges import Sample
from benchmarks.soak.trend import trend_of
from benchmarks.soak.verdict import format_table, judge

EMPTY = Sample(0.0, 80_000_000, 30, 4, {"transports": 0, "rooms": 0})


def samples(growth_bytes: int, seed: int = 1) -> list[Sample]:
    chance = random.Random(seed)
    return [
        Sample(
            float(second),
            100_000_000 + growth_bytes * second // 600 + chance.randrange(1_000_000),
            30,
            4,
            {"transports": 40 + chance.randrange(8), "rooms": 4},
        )
        for second in range(600)
    ]


def test_a_line_through_points_on_a_line() -> None:
    trend = trend_of([(float(at), 3.0 * at + 7) for at in range(10)])
    assert trend.slope == pytest.approx(3.0)
    assert trend.slope_error == pytest.approx(0.0, abs=1e-9)
    assert trend.an_hour() == pytest.approx(10_800)


@pytest.mark.parametrize("few", [[], [(0.0, 1.0)], [(0.0, 1.0), (1.0, 2.0)], [(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]])
def test_too_few_points_have_no_trend(few: list[tuple[float, float]]) -> None:
    assert trend_of(few).surely_grown == 0


@pytest.mark.parametrize("seed", range(5))
def test_noise_passes_and_a_leak_does_not(seed: int) -> None:
    assert judge(samples(0, seed), EMPTY, EMPTY, {}, None).passed
    leaking = judge(samples(20_000_000, seed), EMPTY, EMPTY, {}, None)
    assert not leaking.passed
    assert "GROWS" in format_table(leaking)


def test_what_is_left_fails_it() -> None:
    left = replace(EMPTY, objects={"transports": 1, "rooms": 0}, descriptors=31)
    figures = judge(samples(0), EMPTY, left, {"joins": 9}, None)
    assert figures.left == {"transports": 1, "descriptors": 1}
    assert not figures.passed
    assert "FAILED" in format_table(figures)


def test_a_server_that_died_fails_it() -> None:
    figures = judge([], EMPTY, EMPTY, {}, "the server cannot be looked at any more")
    assert not figures.passed
    assert "ended early" in format_table(figures)
