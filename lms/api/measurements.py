"""What requests took, by route, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from webapi.histogram import Histogram

BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Measurements(Collector):
    """Counts the requests of one process."""

    def __init__(self) -> None:
        self._took: dict[tuple[str, str], Histogram] = {}
        self._answered: dict[tuple[str, str, str], int] = {}

    def take(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a pattern, of which there are few."""
        self._took.setdefault((route, method), Histogram(BOUNDS_S)).observe(seconds)
        key = (route, method, str(status))
        self._answered[key] = self._answered.get(key, 0) + 1

    def collect(self) -> Iterator[Metric]:
        took = HistogramMetricFamily("halqa_lms_request_seconds", "How long requests took.", labels=["route", "method"])
        for (route, method), histogram in self._took.items():
            took.add_metric([route, method], list(histogram.cumulative()), histogram.total)
        answered = CounterMetricFamily(
            "halqa_lms_requests_total", "Requests, by status.", labels=["route", "method", "status"]
        )
        for key, count in self._answered.items():
            answered.add_metric(list(key), count)
        yield from (took, answered)
