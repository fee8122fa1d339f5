"""Files of `benchmarks soak`: whether anything grew while people came and went."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.report.collector import JsonRuns, Measured
from benchmarks.report.page import Row, Section, Table


class Slope(msgspec.Struct, frozen=True):
    name: str
    mean: float
    an_hour: float
    surely_grown: float
    passed: bool


class Soak(Measured, frozen=True, kw_only=True):
    seconds: float
    slopes: tuple[Slope, ...]
    left: dict[str, int]
    rss_first_bytes: int = 0
    rss_last_bytes: int = 0
    passed: bool


class SoakRuns(JsonRuns[Soak]):
    def __init__(self) -> None:
        super().__init__(Soak)

    def claims(self, document: Any) -> bool:
        return isinstance(document, dict) and "slopes" in document

    def section(self) -> Section | None:
        if not self.runs:
            return None
        soaks = tuple(Row(source, _cells(run)) for source, run in self.runs)
        slopes = tuple(
            Row(
                source,
                (
                    slope.name,
                    f"{slope.mean:,.1f}",
                    f"{slope.an_hour:+,.1f}",
                    f"{slope.surely_grown:,.1f}",
                    "steady" if slope.passed else "GROWS",
                ),
            )
            for source, run in self.runs
            for slope in run.slopes
        )
        return Section(
            "Soak",
            "Does anything grow while people come and go for minutes or a day?",
            (
                Table("Soaks", ("minutes", "memory MB, first to last", "left in the end", "verdict"), soaks),
                Table("Slopes", ("figure", "mean", "an hour", "surely grown by", "verdict"), slopes),
            ),
        )


def _cells(run: Soak) -> tuple[str, ...]:
    return (
        f"{run.seconds / 60:.1f}",
        f"{run.rss_first_bytes / 1e6:.1f} to {run.rss_last_bytes / 1e6:.1f}",
        ", ".join(f"{count} {name}" for name, count in run.left.items()) or "nothing",
        "passed" if run.passed else "FAILED",
    )
