"""What is counted of each step, of groups of them and of all: durations as users met them, and errors by their kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.api.histogram import Histogram

ALL: Final = "all"
ERROR_KINDS_MAX: Final = 50
OTHER_ERRORS: Final = "others"
"""What is counted under one name, when messages differ so much that their table would grow without end."""


@dataclass(slots=True)
class StepFigures:
    """One step, or a group of them. Durations are of what succeeded: a refusal is quick and says nothing of speed."""

    seconds: float = 0.0
    """How long the run was, set at its end."""
    response: Histogram = field(default_factory=Histogram)
    """From the moment at which the user was due to begin: also what a late user waited for the step before."""
    service: Histogram = field(default_factory=Histogram)
    """From the moment at which it was sent."""
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        return self.errors.total()

    @property
    def count(self) -> int:
        return self.response.count + self.failed

    @property
    def error_rate(self) -> float:
        return self.failed / self.count if self.count else 0.0

    @property
    def per_s(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    def fail(self, kind: str, count: int = 1) -> None:
        known = kind in self.errors or len(self.errors) < ERROR_KINDS_MAX
        self.errors[kind if known else OTHER_ERRORS] += count

    def add(self, other: StepFigures) -> None:
        """Count what another has counted, too."""
        self.response.merge(other.response)
        self.service.merge(other.service)
        for kind, count in other.errors.items():
            self.fail(kind, count)

    def as_json(self) -> dict[str, Any]:
        """Return all of it; durations in milliseconds."""
        return {
            "count": self.count,
            "per_s": round(self.per_s, 2),
            "errors": self.failed,
            "error_rate": round(self.error_rate, 6),
            **{f"p{name}_ms": round(self.response.quantile_ms(at), 3) for name, at in _NAMED.items()},
            "max_ms": round(self.response.max_s * 1000, 3),
            "mean_ms": round(self.response.mean_s * 1000, 3),
            **{f"service_p{name}_ms": round(self.service.quantile_ms(at), 3) for name, at in _NAMED.items()},
            "distribution_ms": self.response.distribution_ms(),
            "error_kinds": dict(self.errors.most_common()),
        }


_NAMED: Final = {"50": 0.5, "95": 0.95, "99": 0.99}


class Tally:
    """All steps of a run, by name. The part of a name before its first dot is its group."""

    def __init__(self) -> None:
        self.steps: dict[str, StepFigures] = {}

    def step(self, name: str) -> StepFigures:
        """Return what is counted under a name, from now on."""
        if name not in self.steps:
            self.steps[name] = StepFigures()
        return self.steps[name]

    def close(self, seconds: float) -> None:
        """Say how long the run was."""
        for figures in self.steps.values():
            figures.seconds = seconds

    def by_name(self) -> dict[str, StepFigures]:
        """Return steps, groups and `all`, each by its name."""
        groups: dict[str, StepFigures] = {}
        for name, figures in self.steps.items():
            for group in {name.partition(".")[0], ALL} - {name}:
                total = groups.setdefault(group, StepFigures(seconds=figures.seconds))
                total.add(figures)
        return groups | self.steps
