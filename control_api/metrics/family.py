"""What is said of a metric before it is counted."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

COUNTER_SUFFIX: Final = "_total"


class Kind(enum.Enum):
    """Prometheus's kinds, as far as they are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its labels' values."""

    name: str
    """Without the prefix; `_total` at its end makes it a counter."""
    meaning: str
    """A sentence."""
    label: str | None = None
    given_kind: Kind | None = None
    """Of a histogram; counters and gauges are told by the name."""

    @property
    def kind(self) -> Kind:
        return self.given_kind or (Kind.COUNTER if self.name.endswith(COUNTER_SUFFIX) else Kind.GAUGE)
