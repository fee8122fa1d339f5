"""Files of `benchmarks load`: what a class of real peers cost, and how many the server held."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.report.collector import JsonRuns, Measured, ordered_points
from benchmarks.report.page import Axis, Place, Plot, Row, Scale, Section, Series, Source, Table


class Step(msgspec.Struct, frozen=True):
    """One step of --find-max."""

    viewers: int
    loss_in_server: float
    latency_p99_ms: float
    server_cpu_s: float | None = None


class Load(Measured, frozen=True, kw_only=True):
    viewers: int
    joined: int
    join_p50_s: float = 0.0
    join_p95_s: float
    join_p99_s: float = 0.0
    duration_s: float = 0.0
    packets_out_per_s: float
    loss_in_server: float
    latency_p50_ms: float = 0.0
    latency_p95_ms: float = 0.0
    latency_p99_ms: float
    server_cpu_s: float | None
    generator_cpu_s: float
    packets_per_cpu_s: float | None
    server_rss_bytes: int | None
    max_viewers: int | None = None
    limit: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def server_cores(self) -> float | None:
        """The mean of cores that the server used."""
        if self.server_cpu_s is not None and self.duration_s > 0:
            return self.server_cpu_s / self.duration_s
        return self.packets_out_per_s / self.packets_per_cpu_s if self.packets_per_cpu_s else None


class LoadRuns(JsonRuns[Load]):
    def __init__(self) -> None:
        super().__init__(Load)

    def claims(self, document: Any) -> bool:
        return isinstance(document, dict) and "packets_out_per_s" in document

    def section(self) -> Section | None:
        if not self.runs:
            return None
        return Section(
            "A class of real peers",
            "How many viewers does the server hold, at which cost and latency?",
            tuple(table for table in (self._table(), self._climbs()) if table.rows),
            tuple(plot for plot in (self._cpu(), self._joins(), self._latency(), *self._steps()) if plot.series),
        )

    def _table(self) -> Table:
        heads = (
            *("viewers", "joined", "join p95 s", "packets/s out", "lost in server", "latency p99 ms"),
            *("server cores", "generator cores", "packets per CPU s", "server MB"),
        )
        return Table("Loads", heads, tuple(Row(source, _cells(run)) for source, run in self.runs))

    def _climbs(self) -> Table:
        found = [(source, run) for source, run in self.runs if run.max_viewers is not None or run.limit is not None]
        rows = [Row(source, (str(run.max_viewers or 0), run.limit or "no limit was reached")) for source, run in found]
        return Table("The most that were held (--find-max)", ("viewers", "what ended the climb"), tuple(rows))

    def _cpu(self) -> Plot:
        by_place: dict[tuple[Place, bool], list[tuple[float, float]]] = {}
        for source, run in self.runs:
            if run.server_cores is not None and not run.steps:
                by_place.setdefault((source.place, source.disturbed), []).append((run.joined, run.server_cores))
        return Plot(
            "Server CPU against viewers",
            "How many cores the server used with how many viewers; a line for each commit and computer.",
            Axis("viewers that joined"),
            Axis("cores of the server"),
            tuple(
                Series(f"{place.commit}, {place.cores} cores", ordered_points(points), disturbed)
                for (place, disturbed), points in by_place.items()
            ),
        )

    def _joins(self) -> Plot:
        return _spread(
            "Time to the first packet",
            "Percentiles of the time from the first byte of signalling to the first packet, a line for each run.",
            "seconds",
            [(source, (run.join_p50_s, run.join_p95_s, run.join_p99_s)) for source, run in self.runs],
        )

    def _latency(self) -> Plot:
        return _spread(
            "One-way latency",
            "Percentiles of the time from sending a frame to its arrival at a viewer, a line for each run.",
            "milliseconds",
            [(source, (run.latency_p50_ms, run.latency_p95_ms, run.latency_p99_ms)) for source, run in self.runs],
        )

    def _steps(self) -> tuple[Plot, ...]:
        climbs = [(source, run) for source, run in self.runs if run.steps]
        return (
            Plot(
                "Climbing: latency",
                "The 99th percentile of latency at each step of a climb; 50 ms ends it.",
                Axis("viewers"),
                Axis("latency p99, ms"),
                tuple(
                    Series(source.name, ordered_points([(s.viewers, s.latency_p99_ms) for s in run.steps]))
                    for source, run in climbs
                ),
            ),
            Plot(
                "Climbing: loss",
                "The part of packets that the server lost at each step of a climb; 1 % ends it.",
                Axis("viewers"),
                Axis("lost in server, %"),
                tuple(
                    Series(source.name, ordered_points([(s.viewers, s.loss_in_server * 100) for s in run.steps]))
                    for source, run in climbs
                ),
            ),
        )


def _spread(title: str, text: str, unit: str, rows: list[tuple[Source, tuple[float, float, float]]]) -> Plot:
    fractions = (0.5, 0.95, 0.99)
    return Plot(
        title,
        text,
        Axis("part of all", Scale.NINES),
        Axis(unit),
        tuple(
            Series(source.name, tuple(zip(fractions, values, strict=True)), source.disturbed)
            for source, values in rows
            if any(values)
        ),
    )


def _cells(run: Load) -> tuple[str, ...]:
    cores, memory, per_cpu = run.server_cores, run.server_rss_bytes, run.packets_per_cpu_s
    return (
        f"{run.viewers:,}",
        f"{run.joined:,}",
        f"{run.join_p95_s:.2f}",
        f"{run.packets_out_per_s:,.0f}",
        f"{run.loss_in_server:.4%}",
        f"{run.latency_p99_ms:.1f}",
        "–" if cores is None else f"{cores:.2f}",
        f"{run.generator_cpu_s / run.duration_s:.2f}" if run.duration_s else "–",
        "–" if per_cpu is None else f"{per_cpu:,.0f}",
        "–" if memory is None else f"{memory / 1e6:,.0f}",
    )
