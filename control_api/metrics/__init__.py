"""The metrics of one server: which there are, what they mean, and how they are read. The manual is `metrics.md`."""

from __future__ import annotations

from control_api.metrics.histogram import Histogram
from control_api.metrics.registry import Reading, build_registry

__all__ = ["Histogram", "Reading", "build_registry"]
