"""Files of `benchmarks api`: HTTP and WebSockets under stages of users."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from benchmarks.report.collector import JsonRuns, Measured, ordered_points
from benchmarks.report.page import Axis, Plot, Row, Scale, Section, Series, Source, Table

MINUTES_FROM_S: Final = 300.0
"""Longer runs have minutes below their lines."""


class Step(msgspec.Struct, frozen=True):
    count: int
    per_s: float
    error_rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    distribution_ms: tuple[tuple[float, float], ...] = ()


class Point(msgspec.Struct, frozen=True):
    at_s: float
    users: int
    per_s: float
    errors: int
    p95_ms: float
    generator_lag_ms: float = 0.0
    generator_cores: float = 0.0
    server_cores: float | None = None


class Level(msgspec.Struct, frozen=True):
    users: int
    seconds: float
    per_s: float
    error_rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Rule(msgspec.Struct, frozen=True):
    rule: str
    found: float | None
    held: bool


class Generator(msgspec.Struct, frozen=True):
    lag_p99_ms: float
    cores: float
    slow: bool


class Api(Measured, frozen=True, kw_only=True):
    suite: str
    seconds: float
    users_max: int
    steps: dict[str, Step]
    groups: dict[str, Step]
    levels: tuple[Level, ...] = ()
    timeline: tuple[Point, ...] = ()
    thresholds: tuple[Rule, ...] = ()
    generator: Generator


class ApiRuns(JsonRuns[Api]):
    def __init__(self) -> None:
        super().__init__(Api)

    def claims(self, document: Any) -> bool:
        return isinstance(document, dict) and document.get("benchmark") == "api"

    def section(self) -> Section | None:
        if not self.runs:
            return None
        heads = ("users", "steps", "count", "per s", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms")
        groups = tuple(
            Row(source, (str(run.users_max), name, *_cells(step)))
            for source, run in self.runs
            for name, step in run.groups.items()
        )
        steps = tuple(
            Row(source, (name, *_cells(step))) for source, run in self.runs for name, step in run.steps.items()
        )
        tables = (
            Table("Groups of steps", heads, groups),
            Table("Steps", heads[1:], steps),
            self._levels(),
            self._thresholds(),
            self._generators(),
        )
        plots = [self._against_users(), *(plot for source, run in self.runs for plot in _plots(source, run))]
        return Section(
            "HTTP and WebSockets",
            "How fast for a school that fills up? Times count from when a step was due on the user's schedule.",
            tuple(table for table in tables if table.rows),
            tuple(plot for plot in plots if plot.series),
        )

    def _levels(self) -> Table:
        heads = ("users", "for s", "steps/s", "errors", "p50 ms", "p95 ms", "p99 ms")
        rows = (
            Row(
                source,
                (
                    str(level.users),
                    f"{level.seconds:.0f}",
                    f"{level.per_s:.1f}",
                    f"{level.error_rate:.2%}",
                    *(f"{value:.1f}" for value in (level.p50_ms, level.p95_ms, level.p99_ms)),
                ),
            )
            for source, run in self.runs
            for level in run.levels
        )
        return Table("While the number of users stayed", heads, tuple(rows))

    def _against_users(self) -> Plot:
        return Plot(
            "95th percentile against users",
            "The 95th percentile of all steps while so many users were there; a line for each run.",
            Axis("users"),
            Axis("milliseconds"),
            tuple(
                Series(
                    source.name,
                    ordered_points([(level.users, level.p95_ms) for level in run.levels]),
                    source.disturbed,
                )
                for source, run in self.runs
                if run.levels
            ),
        )

    def _thresholds(self) -> Table:
        rows = (
            Row(source, (rule.rule, _found(rule), "held" if rule.held else "MISSED"))
            for source, run in self.runs
            for rule in run.thresholds
        )
        return Table("Thresholds", ("rule", "found", "verdict"), tuple(rows))

    def _generators(self) -> Table:
        rows = (
            Row(
                source,
                (
                    f"{run.generator.cores:.0%}",
                    f"{run.generator.lag_p99_ms:.1f}",
                    "slow: its times say more about itself" if run.generator.slow else "fast enough",
                ),
            )
            for source, run in self.runs
        )
        return Table("The generator itself", ("of a core", "event loop late p99 ms", "verdict"), tuple(rows))


def _plots(source: Source, run: Api) -> list[Plot]:
    groups = {name: step for name, step in run.groups.items() if name != "all" and step.distribution_ms}
    minutes = run.seconds > MINUTES_FROM_S
    divide, unit = (60.0, "minutes") if minutes else (1.0, "seconds")

    def line(name: str, values: list[float]) -> Series:
        times = [point.at_s / divide for point in run.timeline]
        return Series(name, tuple(zip(times, values, strict=True)), source.disturbed)

    points = run.timeline
    cores = [point.server_cores for point in points if point.server_cores is not None]
    server = [line("server", cores)] if cores and len(cores) == len(points) else []
    return [
        Plot(
            f"{source.name}: how long steps took",
            "The distribution of times by group of steps: at most so many milliseconds for which part of all.",
            Axis("part of all steps", Scale.NINES),
            Axis("milliseconds", Scale.LOG),
            tuple(Series(name, _tail(step), source.disturbed) for name, step in groups.items()),
        ),
        Plot(
            f"{source.name}: 95th percentile over time",
            "How the 95th percentile of all steps went while users came and left, and how late the generator was.",
            Axis(unit),
            Axis("milliseconds", Scale.LOG),
            (
                line("steps, p95", [point.p95_ms for point in points]),
                line("generator's loop late, p99", [point.generator_lag_ms for point in points]),
            )
            if points
            else (),
        ),
        Plot(
            f"{source.name}: users and steps",
            "How many users there were over time, how many steps a second they made, and how many of them failed.",
            Axis(unit),
            Axis("users; steps a second"),
            (
                line("users", [float(point.users) for point in points]),
                line("steps a second", [point.per_s for point in points]),
                line("failures since the point before", [float(point.errors) for point in points]),
            )
            if points
            else (),
        ),
        Plot(
            f"{source.name}: CPU",
            "How many cores server and generator used over time.",
            Axis(unit),
            Axis("cores"),
            (*server, line("generator", [point.generator_cores for point in points])) if points else (),
        ),
    ]


def _tail(step: Step) -> tuple[tuple[float, float], ...]:
    """Return the distribution as far as there were samples for it."""
    return tuple((at, ms) for at, ms in step.distribution_ms if at < 1 and step.count * (1 - at) >= 1)


def _found(rule: Rule) -> str:
    if rule.found is None:
        return "nothing measured"
    if ".errors" in rule.rule:
        return f"{rule.found:.3%}"
    return f"{rule.found:.1f}/s" if ".rate" in rule.rule else f"{rule.found:.1f} ms"


def _cells(step: Step) -> tuple[str, ...]:
    times = (f"{value:.1f}" for value in (step.p50_ms, step.p95_ms, step.p99_ms, step.max_ms))
    return (f"{step.count:,}", f"{step.per_s:.1f}", f"{step.error_rate:.2%}", *times)
