"""Files of `benchmarks analyse`: what became of counted media on its way."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.report.collector import JsonRuns, Measured
from benchmarks.report.page import Axis, Plot, Row, Section, Series, Table


class Spread(msgspec.Struct, frozen=True):
    min: float
    median: float
    max: float


class Freeze(msgspec.Struct, frozen=True):
    at_s: float
    for_s: float


class Offset(msgspec.Struct, frozen=True):
    at_s: float
    ms: float


class Analysis(Measured, frozen=True, kw_only=True):
    participant: int | None
    seconds: float
    frames_seen: int
    frames_distinct: int
    frames_lost: int
    frames_duplicated: int
    frames_out_of_order: int
    frozen_s: float
    freezes: tuple[Freeze, ...] = ()
    offsets: tuple[Offset, ...] = ()
    sound_after_picture_ms: Spread | None = None
    ssim: Spread | None = None


class AnalyseRuns(JsonRuns[Analysis]):
    def __init__(self) -> None:
        super().__init__(Analysis)

    def claims(self, document: Any) -> bool:
        return isinstance(document, dict) and "frames_seen" in document

    def section(self) -> Section | None:
        if not self.runs:
            return None
        heads = (
            *("participant", "seconds", "frames seen", "lost", "lost %", "doubled", "out of order", "freezes"),
            *("frozen s", "sound after picture ms", "SSIM"),
        )
        rows = tuple(Row(source, _cells(run)) for source, run in self.runs)
        offsets = tuple(
            Series(source.name, tuple((one.at_s, one.ms) for one in run.offsets), source.disturbed)
            for source, run in self.runs
            if run.offsets
        )
        freezes = tuple(
            Series(source.name, _frozen_so_far(run), source.disturbed) for source, run in self.runs if run.freezes
        )
        plots = (
            Plot(
                "Sound after picture",
                "How much later a second was heard than its frame was seen; below 0: earlier.",
                Axis("seconds"),
                Axis("milliseconds"),
                offsets,
            ),
            Plot(
                "Time frozen",
                "How long the picture had stood still in all, over time.",
                Axis("seconds"),
                Axis("seconds frozen so far"),
                freezes,
            ),
        )
        return Section(
            "What arrived",
            "What became of counted media: frames lost, doubled or late, freezes, sound against picture?",
            (Table("Counted media", heads, rows),),
            tuple(plot for plot in plots if plot.series),
        )


def _frozen_so_far(run: Analysis) -> tuple[tuple[float, float], ...]:
    points, total_s = [(0.0, 0.0)], 0.0
    for freeze in sorted(run.freezes, key=lambda one: one.at_s):
        points.append((freeze.at_s, total_s))
        total_s += freeze.for_s
        points.append((freeze.at_s + freeze.for_s, total_s))
    return (*points, (max(run.seconds, points[-1][0]), total_s))


def _cells(run: Analysis) -> tuple[str, ...]:
    whole = run.frames_distinct + run.frames_lost
    return (
        "–" if run.participant is None else str(run.participant),
        f"{run.seconds:.1f}",
        f"{run.frames_seen:,}",
        f"{run.frames_lost:,}",
        f"{run.frames_lost / whole:.2%}" if whole else "–",
        f"{run.frames_duplicated:,}",
        f"{run.frames_out_of_order:,}",
        f"{len(run.freezes):,}",
        f"{run.frozen_s:.2f}",
        _spread(run.sound_after_picture_ms, 1),
        _spread(run.ssim, 3),
    )


def _spread(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return "–"
    return f"{spread.median:.{digits}f} ({spread.min:.{digits}f} to {spread.max:.{digits}f})"
