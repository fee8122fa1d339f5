"""Files of `benchmarks fanout`: what a packet costs, and how long the server holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.report.collector import Measured, ordered_points, source_of
from benchmarks.report.page import Axis, Plot, Row, Scale, Section, Series, Source, Table


class Fanout(Measured, frozen=True, kw_only=True):
    """One row of a file."""

    subscribers: int
    profile: str
    gso: bool = False
    us_per_packet: float
    floor_us: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_p999_ms: float
    packets_per_second: float = 0.0
    bytes_per_viewer: int = 0


class FanoutRuns:
    def __init__(self) -> None:
        self.runs: list[tuple[Source, Fanout]] = []

    def claims(self, document: Any) -> bool:
        return isinstance(document, list) and any(isinstance(row, dict) and "us_per_packet" in row for row in document)

    def take(self, document: Any, name: str, path: Path) -> Source:
        rows = msgspec.convert(document, list[Fanout])
        most = max((row.disturbance_cores or 0.0 for row in rows), default=None)
        self.runs += [(source_of(row, name, path), row) for row in rows]
        whole = source_of(rows[0], name, path)
        return Source(name, path, whole.place, most)

    def section(self) -> Section | None:
        if not self.runs:
            return None
        heads = (
            *("viewers", "cipher", "µs a packet", "bare sendmmsg µs", "p50 ms", "p99 ms", "p99.9 ms", "KiB a viewer"),
        )
        rows = tuple(Row(source, _cells(run)) for source, run in self.runs)
        return Section(
            "Fan-out of one packet",
            "What does it cost to send one packet to a whole class, and how long does that take?",
            (Table("Fan-out", heads, rows),),
            (
                self._plot("CPU a packet against viewers", "µs of CPU a packet", lambda run: run.us_per_packet),
                self._plot(
                    "Time in the server against viewers",
                    "latency p99, ms",
                    lambda run: run.latency_p99_ms,
                ),
            ),
        )

    def _plot(self, title: str, unit: str, value: Callable[[Fanout], float]) -> Plot:
        lines: dict[str, list[tuple[float, float]]] = {}
        disturbed: dict[str, bool] = {}
        for source, run in self.runs:
            name = f"{source.name}, {run.profile}"
            lines.setdefault(name, []).append((run.subscribers, value(run)))
            disturbed[name] = disturbed.get(name, False) or source.disturbed
        return Plot(
            title,
            f"{unit[0].upper()}{unit[1:]} with how many viewers of one publisher; a line for each run and cipher.",
            Axis("viewers", Scale.LOG),
            Axis(unit),
            tuple(Series(name, ordered_points(points), disturbed[name]) for name, points in lines.items()),
        )


def _cells(run: Fanout) -> tuple[str, ...]:
    return (
        f"{run.subscribers:,}",
        f"{run.profile}{', GSO' if run.gso else ''}",
        f"{run.us_per_packet:.2f}",
        f"{run.floor_us:.2f}",
        f"{run.latency_p50_ms:.2f}",
        f"{run.latency_p99_ms:.2f}",
        f"{run.latency_p999_ms:.2f}",
        f"{run.bytes_per_viewer / 1024:.1f}",
    )
