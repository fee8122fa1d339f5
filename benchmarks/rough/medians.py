"""Several runs of one row as one: medians, and how far the runs lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.rough.call import Watched
from benchmarks.rough.links import Link
from benchmarks.rough.watching import Noticed

_COUNTS: Final = ("key_frames", "nacks", "plis")


class Reached(NamedTuple):
    """One figure of one link against what is asked of it; None where nothing of that kind flowed in most runs."""

    link: str
    figure: str
    asked: float
    is_least: bool
    """Whether it is asked to be at least so much, else at most."""
    middle: float | None
    least: float | None
    most: float | None

    @property
    def is_reached(self) -> bool:
        """Whether the median is as asked."""
        if self.middle is None:
            return False
        return self.middle >= self.asked if self.is_least else self.middle <= self.asked


def middle_of(runs: Sequence[Watched]) -> Watched:
    """Return a row of medians; ValueError without any run."""
    if not runs:
        raise ValueError("no runs, expected at least one")
    noticed: dict[str, Any] = {
        field.name: _middle([getattr(run.noticed, field.name) for run in runs])[1]
        for field in fields(Noticed)
        if field.name not in _COUNTS
    }
    counts = {name: round(median(getattr(run.noticed, name) for run in runs)) for name in _COUNTS}
    return Watched(
        noticed=replace(runs[0].noticed, **noticed, **counts),
        red_packets=round(median(run.red_packets for run in runs)),
        server_cores=round(median(run.server_cores for run in runs), 3),
        busy_cores=round(median(run.busy_cores for run in runs), 2),
    )


def reached(link: Link, runs: Sequence[Watched]) -> list[Reached]:
    """Return each figure that is asked of a link."""
    asked = link.asked
    bounds = (
        ("freezes, % of the time", "freeze_percent", asked.freeze_percent_max, False),
        ("concealed sound, %", "concealed_percent", asked.concealed_percent_max, False),
        ("longest gap of sound, ms", "sound_gap_ms", asked.sound_gap_ms_max, False),
        ("pictures of the screen a second", "screen_fps", asked.screen_fps_min, True),
    )
    return [
        Reached(link.name, figure, bound, is_least, middle, least, most)
        for figure, name, bound, is_least in bounds
        if bound is not None
        for least, middle, most in [_middle([getattr(run.noticed, name) for run in runs])]
    ]


def format_medians(rows: Sequence[tuple[Link, Sequence[Watched]]]) -> str:
    """Return the table of what was reached against what is asked."""
    lines = [f"{'link':8} {'figure':32} {'asked':>9} {'median':>8} {'of runs':>15} reached"]
    for link, runs in rows:
        for each in reached(link, runs):
            asked = f"{'>=' if each.is_least else '<='} {each.asked:g}"
            span = f"{_number(each.least)}..{_number(each.most)}"
            verdict = "yes" if each.is_reached else "NO"
            lines.append(f"{each.link:8} {each.figure:32} {asked:>9} {_number(each.middle):>8} {span:>15} {verdict}")
    return "\n".join(lines)


def _middle(values: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """Return the least, the median and the most; no median if it was not seen in half of the runs or more."""
    seen = [value for value in values if value is not None]
    if not seen:
        return None, None, None
    return min(seen), median(seen) if 2 * len(seen) > len(values) else None, max(seen)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
