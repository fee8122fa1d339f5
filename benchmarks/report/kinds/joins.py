"""Files of `benchmarks joins`: a school that joins at once, sits still, or does not read."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.report.collector import JsonRuns, Measured
from benchmarks.report.page import Axis, Plot, Row, Scale, Section, Series, Table


class Rush(msgspec.Struct, frozen=True):
    clients: int
    joined: int
    join_p50_ms: float
    join_p95_ms: float
    join_p99_ms: float
    loop_lag_p99_ms: float
    server_cpu_s: float


class Idle(msgspec.Struct, frozen=True):
    participants: int
    server_cores: float
    bytes_per_participant: int


class Slow(msgspec.Struct, frozen=True):
    clients: int
    closed: int
    growth_max_bytes: int
    reader_latency_p99_ms: float


class Joins(Measured, frozen=True, kw_only=True):
    rush: Rush | None = None
    idle: Idle | None = None
    slow: Slow | None = None


class JoinsRuns(JsonRuns[Joins]):
    def __init__(self) -> None:
        super().__init__(Joins)

    def claims(self, document: Any) -> bool:
        return isinstance(document, dict) and bool({"rush", "idle", "slow"} & document.keys())

    def section(self) -> Section | None:
        if not self.runs:
            return None
        tables = (self._rushes(), self._idles(), self._slows())
        plots = (self._plot(),)
        return Section(
            "Joins without media",
            "What do people cost the event loop: when a school joins at once, sits still, or does not read?",
            tuple(table for table in tables if table.rows),
            tuple(plot for plot in plots if plot.series),
        )

    def _rushes(self) -> Table:
        heads = ("clients", "joined", "p50 ms", "p95 ms", "p99 ms", "event loop late p99 ms", "server CPU ms a join")
        rows = (
            Row(
                source,
                (
                    f"{rush.clients:,}",
                    f"{rush.joined:,}",
                    *(f"{value:.0f}" for value in (rush.join_p50_ms, rush.join_p95_ms, rush.join_p99_ms)),
                    f"{rush.loop_lag_p99_ms:.1f}",
                    f"{rush.server_cpu_s / max(rush.clients, 1) * 1000:.1f}",
                ),
            )
            for source, run in self.runs
            if (rush := run.rush) is not None
        )
        return Table("All at once", heads, tuple(rows))

    def _idles(self) -> Table:
        rows = (
            Row(
                source,
                (
                    f"{idle.participants:,}",
                    f"{idle.server_cores * 100:.1f}",
                    f"{idle.bytes_per_participant / 1024:.0f}",
                ),
            )
            for source, run in self.runs
            if (idle := run.idle) is not None
        )
        return Table("Nobody says anything", ("participants", "% of a core", "KiB each"), tuple(rows))

    def _slows(self) -> Table:
        rows = (
            Row(
                source,
                (
                    f"{slow.clients:,}",
                    f"{slow.closed:,}",
                    f"{slow.growth_max_bytes / 1e6:.1f}",
                    f"{slow.reader_latency_p99_ms:.0f}",
                ),
            )
            for source, run in self.runs
            if (slow := run.slow) is not None
        )
        heads = ("clients that do not read", "closed", "memory up by MB", "a reader beside them waited p99 ms")
        return Table("Some do not read", heads, tuple(rows))

    def _plot(self) -> Plot:
        return Plot(
            "Time to join when all come at once",
            "Percentiles of the time from the first byte to `joined`, a line for each run.",
            Axis("part of all joins", Scale.NINES),
            Axis("milliseconds"),
            tuple(
                Series(
                    f"{source.name}, {rush.clients} clients",
                    ((0.5, rush.join_p50_ms), (0.95, rush.join_p95_ms), (0.99, rush.join_p99_ms)),
                    source.disturbed,
                )
                for source, run in self.runs
                if (rush := run.rush) is not None
            ),
        )
