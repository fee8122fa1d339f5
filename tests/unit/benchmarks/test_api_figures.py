"""Figures of the API load: histograms against sorted lists, groups of steps, thresholds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.api.figures import ERROR_KINDS_MAX, OTHER_ERRORS, StepFigures, Tally
from benchmarks.api.histogram import Histogram
from benchmarks.api.thresholds import judge, parse_threshold, unknown_steps
from benchmarks.api.timeline import Levels
from benchmarks.fanout.report import percentile

DURATIONS = st.lists(st.floats(0, 100), min_size=1, max_size=40)


@given(DURATIONS, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_quantile_is_that_of_the_list_within_a_bucket(durations: list[float], fraction: float) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    exact = percentile(durations, fraction)
    assert exact - 1e-6 <= histogram.quantile_s(fraction) <= exact * (1 + 1 / 64) + 2e-6
    assert histogram.mean_s == pytest.approx(sum(durations) / len(durations))


@given(DURATIONS, DURATIONS)
def test_merging_is_counting_both(first: list[float], second: list[float]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for histogram, durations in ((one, first), (other, second), (both, first + second)):
        for duration in durations:
            histogram.add(duration)
    merged = Histogram()
    merged.merge(one)
    merged.merge(other)
    assert merged.distribution_ms() == both.distribution_ms()
    assert merged.since(one).count == len(second)
    assert merged.since(one).quantile_s(0.5) == pytest.approx(other.quantile_s(0.5), rel=1 / 64, abs=2e-6)


def test_nothing_has_no_distribution() -> None:
    assert Histogram().quantile_s(0.5) == 0
    assert Histogram().distribution_ms() == []
    backwards = Histogram()
    backwards.add(-1e-9)  # two readings of a clock
    assert backwards.quantile_s(1.0) == 0


def tally() -> Tally:
    counted = Tally()
    for name, seconds in (("reads.rooms", 0.01), ("reads.room", 0.03), ("writes.room", 0.05)):
        for _ in range(10):
            counted.step(name).response.add(seconds)
    counted.step("reads.room").fail("status 503", 5)
    counted.close(10)
    return counted


def test_groups_add_their_steps_up() -> None:
    named = tally().by_name()
    assert sorted(named) == ["all", "reads", "reads.room", "reads.rooms", "writes", "writes.room"]
    assert (named["reads"].count, named["reads"].failed, named["all"].count) == (25, 5, 35)
    assert named["reads"].error_rate == 0.2
    assert named["all"].per_s == 3.5
    assert named["reads"].response.quantile_ms(1.0) == pytest.approx(30)


def test_errors_that_all_differ_do_not_grow_without_end() -> None:
    figures = StepFigures()
    for number in range(ERROR_KINDS_MAX + 10):
        figures.fail(f"error {number}")
    figures.fail("error 3")
    assert figures.failed == ERROR_KINDS_MAX + 11
    assert figures.errors[OTHER_ERRORS] == 10
    assert figures.errors["error 3"] == 2


@pytest.mark.parametrize(
    ("rule", "held", "sentence"),
    [
        ("reads.p95<=50ms", True, "reads.p95<=50ms: 30.0 ms"),
        ("reads.room.p95<0.02s", False, "reads.room.p95<0.02s: 30.0 ms"),
        ("all.max <= 50ms", True, "50.0 ms"),
        ("all.mean>=1s", False, "30.0 ms"),
        ("reads.p99.9<1s", True, "30.0 ms"),
        ("writes.errors<=0%", True, "writes.errors<=0%: 0.000%"),
        ("all.errors<=0.1%", False, "14.286%"),
        ("all.rate>=3/s", True, "3.5/s"),
        ("live.p95<=50ms", False, "live.p95<=50ms: nothing was measured"),
    ],
)
def test_thresholds(rule: str, held: bool, sentence: str) -> None:
    (verdict,) = judge([parse_threshold(rule)], tally().by_name())
    assert verdict.held is held
    assert sentence in verdict.sentence


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("fast", "expected STEP.p95<=50ms"),
        ("reads.p95=50ms", "expected STEP.p95<=50ms"),
        ("reads.p95<=50", "expected STEP.p95<=50ms"),
        ("reads.p95<=5%", "p95 is in ms or s, not in %"),
        ("reads.errors<=5ms", "errors is in %, not in ms"),
        ("reads.p0<=5ms", "p0 is no percentile"),
        ("reads.p101<=5ms", "p101 is no percentile"),
    ],
)
def test_what_is_no_threshold(rule: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_threshold(rule)


def test_thresholds_of_no_step_are_found() -> None:
    rules = [parse_threshold(text) for text in ("all.p95<1s", "reads.p95<1s", "reads.x.p95<1s", "read.p95<1s")]
    assert unknown_steps(rules, ["reads.x"]) == ["read.p95<1s"]


def test_levels_count_what_happened_while_users_stayed() -> None:
    counted = Tally()
    levels = Levels(counted, [(10, 20, 5), (20, 30, 5), (40, 50, 0)])
    for second in range(60):
        levels.look(second)
        counted.step("reads.x").response.add(0.01 if second < 10 else 0.02)
        if second == 25:
            counted.step("reads.x").fail("status 503")
    assert [(level.users, level.seconds) for level in levels.found] == [(5, 10), (5, 10)]
    first, second_level = levels.found
    assert (first.per_s, first.error_rate) == (1.0, 0.0)
    assert first.p50_ms == pytest.approx(20, rel=1 / 64)
    assert second_level.error_rate == pytest.approx(1 / 11, abs=1e-6)
