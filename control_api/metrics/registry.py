"""From what the parts of a server count to Prometheus metrics, at the moment of a scrape; nothing is kept between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from control_api.metrics.catalogue import CATALOGUE, PREFIX, TOLD_AS, unknown_family
from control_api.metrics.family import Family, Kind
from control_api.metrics.histogram import Histogram

logger = logging.getLogger(__name__)

Reading = Callable[[], Mapping[Any, float | Histogram]]
"""Returns the present values by name, or by (name, label value) for families with a label. What each name means, the
catalogue says.
"""


class ReadingCollector(Collector):
    """Asks all readings, and puts what they say under the families of the catalogue."""

    def __init__(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for name, label, value in self._values():
            family = CATALOGUE.get(name) or unknown_family(name)
            if name not in families:
                families[name] = _metric_of(family)
            _add(families[name], family, label, value)
        yield from families.values()

    def _values(self) -> Iterator[tuple[str, str | None, float | Histogram]]:
        for read in self._readings:
            try:
                values = read()
            except Exception:  # one part that cannot count must not hide what the others say
                logger.exception("a part could not be measured")
                continue
            for key, value in values.items():
                name, label = key if isinstance(key, tuple) else TOLD_AS.get(key, (key, None))
                yield name, label, value


def build_registry(*readings: Reading) -> CollectorRegistry:
    """Return a registry of our own (the library's global one would outlive the server) with these and the process's."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(ReadingCollector(readings))
    return registry


def _metric_of(family: Family) -> Metric:
    labels = None if family.label is None else [family.label]
    match family.kind:
        case Kind.COUNTER:
            return CounterMetricFamily(PREFIX + family.name, family.meaning, labels=labels or [])
        case Kind.GAUGE:
            return GaugeMetricFamily(PREFIX + family.name, family.meaning, labels=labels or [])
        case Kind.HISTOGRAM:
            return HistogramMetricFamily(PREFIX + family.name, family.meaning, labels=labels or [])


def _add(metric: Metric, family: Family, label: str | None, value: float | Histogram) -> None:
    labels = [] if family.label is None else [label or ""]
    if isinstance(metric, HistogramMetricFamily):
        assert isinstance(value, Histogram), f"{family.name} is a histogram in the catalogue"
        metric.add_metric(labels, list(value.cumulative()), value.total)
    else:
        assert not isinstance(value, Histogram), f"{family.name} is no histogram in the catalogue"
        assert isinstance(metric, CounterMetricFamily | GaugeMetricFamily)
        metric.add_metric(labels, value)
