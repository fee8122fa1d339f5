"""A histogram's buckets are what Prometheus reads: cumulative, bounds included, the last without a bound."""

from __future__ import annotations

from typing import Any

from prometheus_client.exposition import generate_latest

from control_api.metrics.histogram import Histogram
from control_api.metrics.registry import build_registry


def test_buckets_are_cumulative_and_include_their_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.11, 1.0, 7.0):
        histogram.observe(value)
    assert list(histogram.cumulative()) == [("0.1", 2.0), ("1.0", 4.0), ("+Inf", 5.0)]
    assert histogram.count == 5
    assert abs(histogram.total - 8.26) < 1e-9


def test_counts_of_somebody_else() -> None:
    histogram = Histogram.of_counts((0.1, 1.0), [1, 2, 3], 4.5)
    assert list(histogram.cumulative()) == [("0.1", 1.0), ("1.0", 3.0), ("+Inf", 6.0)]
    assert histogram.total == 4.5


def test_histogram_and_label_are_exposed() -> None:
    histogram = Histogram((0.5,))
    histogram.observe(0.2)
    readings: dict[Any, float | Histogram] = {
        ("join_duration_seconds", "ice"): histogram,
        ("joins_total", "ice"): 1.0,
        "rooms": 2.0,
    }
    text = generate_latest(build_registry(lambda: readings)).decode()
    assert 'halqa_join_duration_seconds_bucket{le="0.5",stage="ice"} 1.0' in text
    assert 'halqa_join_duration_seconds_count{stage="ice"} 1.0' in text
    assert 'halqa_joins_total{stage="ice"} 1.0' in text


def test_a_part_that_cannot_count_does_not_hide_the_others() -> None:
    def broken() -> dict[str, float]:
        raise RuntimeError("no")

    text = generate_latest(build_registry(broken, lambda: {"rooms": 2.0})).decode()
    assert "halqa_rooms 2.0" in text


def test_counts_under_names_of_their_own_are_folded_into_one_family() -> None:
    readings = {"control_dropped_stun_rate_total": 3.0, "control_dropped_closed_total": 1.0}
    text = generate_latest(build_registry(lambda: readings)).decode()
    assert 'halqa_control_dropped_total{reason="stun_rate"} 3.0' in text
    assert text.count("# TYPE halqa_control_dropped_total counter") == 1
