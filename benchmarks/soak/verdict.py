"""The judgement of a soak: slopes while people came and went, and what was left when all had gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from benchmarks.load.figures import commit
from benchmarks.machine import machine_facts
from benchmarks.soak.gauges import Sample
from benchmarks.soak.trend import Trend, trend_of

WARM_UP: Final = 0.3
"""The first part of the samples: caches fill, the allocator finds its size."""
GROWTH_MAX: Final = 0.02
"""Of memory, over the rest; more may be a leak."""
GROWTH_MAX_BYTES: Final = 2_000_000
"""What is less is the allocator's, however small the server is."""


class Slope(msgspec.Struct, frozen=True):
    """How a figure went after the warm-up."""

    name: str
    mean: float
    an_hour: float
    surely_grown: float
    """By at least so much, with 95 % confidence."""
    passed: bool


class SoakFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All that a soak found."""

    seconds: float
    samples: int
    slopes: list[Slope]
    left: dict[str, int]
    """What was there in the end and not in the beginning."""
    happened: dict[str, int]
    rss_first_bytes: int
    rss_last_bytes: int
    ended_early: str | None
    passed: bool
    machine: dict[str, str | int]
    commit: str


def judge(
    samples: Sequence[Sample], empty: Sample, left: Sample, happened: dict[str, int], died: str | None
) -> SoakFigures:
    """Compare. Memory may grow by 2 %, objects and descriptors must all be gone."""
    steady = samples[int(len(samples) * WARM_UP) :]
    slopes = [
        _slope(steady, "memory_bytes", lambda sample: sample.rss_bytes, GROWTH_MAX, GROWTH_MAX_BYTES),
        _slope(steady, "descriptors", lambda sample: sample.descriptors, 0.1, 5),
        _slope(steady, "threads", lambda sample: sample.threads, 0.0, 0.5),
        *(
            _slope(steady, name, lambda sample, name=name: sample.objects.get(name, 0), 0.1, 5)  # type: ignore[misc]
            for name in empty.objects
        ),
    ]
    rest = {name: left.objects.get(name, 0) - count for name, count in empty.objects.items()}
    rest |= {"descriptors": left.descriptors - empty.descriptors}
    rest = {name: count for name, count in rest.items() if count > 0}
    return SoakFigures(
        seconds=round(samples[-1].at - samples[0].at, 1) if samples else 0.0,
        samples=len(samples),
        slopes=slopes,
        left=rest,
        happened=happened,
        rss_first_bytes=samples[0].rss_bytes if samples else 0,
        rss_last_bytes=samples[-1].rss_bytes if samples else 0,
        ended_early=died,
        passed=died is None and not rest and bool(samples) and all(slope.passed for slope in slopes),
        machine=machine_facts(),
        commit=commit(),
    )


def _slope(samples: Sequence[Sample], name: str, value: Callable[[Sample], float], part: float, least: float) -> Slope:
    trend: Trend = trend_of([(sample.at, value(sample)) for sample in samples])
    grown = trend.surely_grown
    return Slope(
        name, round(trend.mean, 1), round(trend.an_hour(), 2), round(grown, 1), grown <= max(least, part * trend.mean)
    )


def format_table(figures: SoakFigures) -> str:
    """Return the figures as text for people."""
    lines = [f"{'':14} {'mean':>14} {'an hour':>14} {'surely grown':>14}"]
    for slope in figures.slopes:
        verdict = "" if slope.passed else "  GROWS"
        lines.append(
            f"{slope.name:14} {slope.mean:14,.1f} {slope.an_hour:+14,.1f} {slope.surely_grown:14,.1f}{verdict}"
        )
    happened = ", ".join(f"{count:,} {name}" for name, count in sorted(figures.happened.items()))
    lines.append(f"{figures.seconds:.0f} s: {happened}")
    lines.append(f"memory {figures.rss_first_bytes / 1e6:.1f} MB to {figures.rss_last_bytes / 1e6:.1f} MB")
    lines.append(f"left when all had gone: {figures.left or 'nothing'}")
    if figures.ended_early is not None:
        lines.append(f"ended early: {figures.ended_early}")
    lines.append("PASSED" if figures.passed else "FAILED")
    return "\n".join(lines)
