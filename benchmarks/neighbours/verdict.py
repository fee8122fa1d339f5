"""What was asked and what was reached: a row a figure, the median of several runs, a table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Self

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; without bounds it is only told."""

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None
    runs: tuple[float, ...] = ()
    """Of all runs, if there were several: `value` is their median."""

    @property
    def is_reached(self) -> bool:
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def asked(self) -> str:
        """The bounds in words."""
        bounds = [f">= {self.least:g}"] if self.least is not None else []
        bounds += [f"<= {self.most:g}"] if self.most is not None else []
        return f"{' and '.join(bounds)} {self.unit}".strip() if bounds else "-"

    @classmethod
    def middle(cls, rows: Sequence[Self]) -> Self:
        """Return the median of one figure over several runs."""
        runs = tuple(row.value for row in rows)
        return msgspec.structs.replace(rows[0], value=median(runs), runs=runs)


class Scenario(msgspec.Struct, frozen=True):
    """The figures of one scenario."""

    name: str
    rows: tuple[Row, ...]
    disturbance_cores: float
    """Of other programs, in the worst of the runs."""


def medians(name: str, runs: Sequence[tuple[Sequence[Row], float]]) -> Scenario:
    """Return a scenario's figures over its runs: each a list of rows and what others used meanwhile."""
    rows = zip(*(figures for figures, _ in runs), strict=True)
    return Scenario(name, tuple(Row.middle(each) for each in rows), round(max(cores for _, cores in runs), 2))


def format_table(scenarios: Sequence[Scenario], calm_cores: float) -> str:
    """Return the figures as text for people."""
    lines = []
    for scenario in scenarios:
        lines.append(f"{scenario.name:62} {'asked':>16} {'reached':>14}")
        for row in scenario.rows:
            verdict = "" if row.is_reached else "  NO"
            lines.append(f"  {row.name:60} {row.asked:>16} {_number(row.value)} {row.unit:<7}{verdict}".rstrip())
        if scenario.disturbance_cores > calm_cores:
            lines.append(f"  note: others used {scenario.disturbance_cores} cores meanwhile; measure at a calm moment")
        lines.append("")
    return "\n".join(lines).rstrip()


def _number(value: float) -> str:
    return f"{value:14,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:14.3f}"
