"""The outcome of a run, for people as a table and for programs as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.api.drive import Outcome
from benchmarks.api.figures import ALL, StepFigures
from benchmarks.api.stages import Stage, format_stages
from benchmarks.api.thresholds import Verdict
from benchmarks.api.timeline import Point
from benchmarks.machine import CALM_CORES, machine_facts

ERRORS_SHOWN_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """What was run."""

    suite: str
    url: str | None
    """None: of a server that was started for the run."""
    stages: Sequence[Stage]
    seed: int


def build_document(
    setup: Setup, outcome: Outcome, verdicts: Sequence[Verdict], disturbance_cores: float
) -> dict[str, Any]:
    """Return what JSON gets."""
    named = outcome.tally.by_name()
    return {
        "benchmark": "api",
        "suite": setup.suite,
        "url": setup.url,
        "stages": format_stages(setup.stages),
        "seed": setup.seed,
        "seconds": round(outcome.seconds, 2),
        "users_max": outcome.users_max,
        "scenarios_done": outcome.done,
        "scenarios_failed": outcome.stumbled,
        "gave_up": outcome.gave_up,
        "steps": {name: figures.as_json() for name, figures in sorted(outcome.tally.steps.items())},
        "groups": {name: figures.as_json() for name, figures in sorted(named.items()) if _is_group(outcome, name)},
        "levels": [asdict(level) for level in outcome.levels],
        "timeline": [asdict(point) for point in outcome.points],
        "thresholds": [
            {"rule": verdict.threshold.text, "found": verdict.found, "held": verdict.held} for verdict in verdicts
        ],
        "generator": outcome.generator.as_json(),
        "server_cpu_s": None if outcome.server_cpu_s is None else round(outcome.server_cpu_s, 3),
        "server_rss_bytes": outcome.server_rss_bytes,
        "ended_early": outcome.ended,
        "disturbance_cores": round(disturbance_cores, 2),
        "machine": machine_facts(),
    }


def format_outcome(outcome: Outcome, verdicts: Sequence[Verdict], disturbance_cores: float) -> str:
    """Return the table, the verdicts, and what must be known to believe them."""
    named = outcome.tally.by_name()
    names = [*sorted(outcome.tally.steps), *sorted(name for name in named if _is_group(outcome, name) and name != ALL)]
    if ALL in named:
        names.append(ALL)
    lines = format_table([(name, named[name]) for name in names])
    lines.append("ms from when a step was due; service: from when it was sent")
    lines += [
        f"{level.users:5} users for {level.seconds:.0f} s: {level.per_s:.1f} steps/s, errors {level.error_rate:.2%}, "
        f"p50 {level.p50_ms:.1f}, p95 {level.p95_ms:.1f}, p99 {level.p99_ms:.1f} ms"
        for level in outcome.levels
    ]
    for name, figures in sorted(outcome.tally.steps.items()):
        shown = figures.errors.most_common(ERRORS_SHOWN_MAX)
        lines += [f"failed: {name}: {count} x {kind}" for kind, count in shown]
    lines += [f"{'held  ' if verdict.held else 'MISSED'}  {verdict.sentence}" for verdict in verdicts]
    lines += _notes(outcome, disturbance_cores)
    return "\n".join(lines)


def format_table(rows: Sequence[tuple[str, StepFigures]]) -> list[str]:
    """Return one line for each step or group, under heads."""
    heads = ["step", "count", "per s", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms", "service p99"]
    cells = [heads] + [
        [
            name,
            str(figures.count),
            f"{figures.per_s:.1f}",
            f"{figures.error_rate:.2%}",
            *(f"{figures.response.quantile_ms(at):.1f}" for at in (0.5, 0.95, 0.99)),
            f"{figures.response.max_s * 1000:.1f}",
            f"{figures.service.quantile_ms(0.99):.1f}",
        ]
        for name, figures in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return [
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(columns))
        for columns in (zip(line, widths, strict=True) for line in cells)
    ]


def format_point(point: Point, total_s: float) -> str:
    """Return one line of progress."""
    server = "" if point.server_cores is None else f"  server {point.server_cores:.0%}"
    return (
        f"{_clock(point.at_s)}/{_clock(total_s)}  {point.users:4} users  {point.per_s:7.1f} steps/s  "
        f"{point.errors} errors  p95 {point.p95_ms:.1f} ms  generator {point.generator_cores:.0%}, "
        f"late {point.generator_lag_ms:.1f} ms{server}"
    )


def _notes(outcome: Outcome, disturbance_cores: float) -> list[str]:
    generator = outcome.generator
    work = f"{outcome.seconds:.0f} s, at most {outcome.users_max} users, {outcome.done} scenarios done"
    late = f"loop late p99 {generator.lag_p99_ms:.1f} ms, at most {generator.lag_max_ms:.0f} ms"
    notes = [f"{work}, {outcome.stumbled} ended by a failure; generator: {generator.cores:.0%} of a core, {late}"]
    if outcome.server_cpu_s is not None:
        rss = "" if outcome.server_rss_bytes is None else f", at most {outcome.server_rss_bytes / 1e6:.0f} MB"
        notes.append(f"server: {outcome.server_cpu_s / max(outcome.seconds, 1e-3):.0%} of a core{rss}")
    if generator.slow:
        notes.append("The generator was slow: durations say more about it than about the server.")
    if outcome.gave_up:
        notes.append(f"Users gave up {outcome.gave_up} times, being ten seconds late: the server was far too slow.")
    if disturbance_cores > CALM_CORES:
        notes.append(f"Others used {disturbance_cores:.1f} cores meanwhile: measure again at a calm moment.")
    return notes


def _is_group(outcome: Outcome, name: str) -> bool:
    return name not in outcome.tally.steps


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
