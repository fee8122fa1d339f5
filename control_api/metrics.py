"""The metrics of one server: what its parts count, read at the moment of a scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

PREFIX: Final = "halqa_"
COUNTER_SUFFIX: Final = "_total"

Reading = Callable[[], Mapping[str, float]]
"""Returns the present values by name. A name that ends in _total only ever grows; any other goes up and down."""


class ReadingCollector(Collector):
    """Turns a reading into metrics; nothing is kept between scrapes."""

    def __init__(self, read: Reading) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for name, value in self._read().items():
            meaning = name.removesuffix(COUNTER_SUFFIX).replace("_", " ").capitalize() + "."
            if name.endswith(COUNTER_SUFFIX):
                yield CounterMetricFamily(PREFIX + name, meaning, value=value)
            else:
                yield GaugeMetricFamily(PREFIX + name, meaning, value=value)


def build_registry(*readings: Reading) -> CollectorRegistry:
    """Return a registry of our own (the library's global one would outlive the server) with these and the process's."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for read in readings:
        registry.register(ReadingCollector(read))
    return registry
