"""What happened between two moments of a run: point after point, and while the number of users stayed the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.api.figures import Tally
from benchmarks.api.histogram import Histogram
from benchmarks.api.self_watch import SelfWatch


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of the run: what happened since the point before."""

    at_s: float
    users: int
    per_s: float
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    generator_lag_ms: float
    generator_cores: float
    server_cores: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """A time in which the number of users stayed the same: what so many users met."""

    users: int
    seconds: float
    per_s: float
    error_rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Line:
    """From counts so far to what happened between two points."""

    def __init__(self, began: float, tally: Tally, watch: SelfWatch, server_cpu_s: float | None) -> None:
        self.at = began
        self._began, self._tally, self._watch, self._server_cpu_s = began, tally, watch, server_cpu_s
        self._before = Histogram()
        self._failed = 0

    def point(self, users: int, server_cpu_s: float | None) -> Point:
        """Return the next point."""
        now = time.monotonic()
        total, failed = _so_far(self._tally)
        fresh = total.since(self._before)
        seconds = now - self.at
        lag_ms, cores = self._watch.look()
        both = None not in {server_cpu_s, self._server_cpu_s}
        spent_s = (server_cpu_s or 0.0) - (self._server_cpu_s or 0.0) if both else None
        point = Point(
            at_s=round(now - self._began, 2),
            users=users,
            per_s=round((fresh.count + failed - self._failed) / seconds, 2),
            errors=failed - self._failed,
            p50_ms=round(fresh.quantile_ms(0.5), 3),
            p95_ms=round(fresh.quantile_ms(0.95), 3),
            p99_ms=round(fresh.quantile_ms(0.99), 3),
            generator_lag_ms=round(lag_ms, 2),
            generator_cores=round(cores, 3),
            server_cores=None if spent_s is None else round(spent_s / seconds, 3),
        )
        self.at, self._before, self._failed, self._server_cpu_s = now, total, failed, server_cpu_s
        return point


class Levels:
    """Figures of each plateau that came to its end."""

    def __init__(self, tally: Tally, plateaus: Sequence[tuple[float, float, int]]) -> None:
        """`plateaus` are begin, end and users, in the order of time."""
        self.found: list[Level] = []
        self._tally = tally
        self._ahead = [plateau for plateau in plateaus if plateau[2]]
        self._begun: tuple[Histogram, int, float] | None = None

    def look(self, at_s: float) -> None:
        """Call this often: a plateau begins and ends at a look."""
        if self._begun is not None and at_s >= self._ahead[0][1]:
            before, failed_before, began_s = self._begun
            total, failed = _so_far(self._tally)
            self.found.append(
                _level(self._ahead.pop(0)[2], at_s - began_s, total.since(before), failed - failed_before)
            )
            self._begun = None
        if self._begun is None and self._ahead and at_s >= self._ahead[0][0]:
            self._begun = (*_so_far(self._tally), at_s)


def _level(users: int, seconds: float, fresh: Histogram, failed: int) -> Level:
    count = fresh.count + failed
    return Level(
        users=users,
        seconds=round(seconds, 2),
        per_s=round(count / seconds, 2),
        error_rate=round(failed / count, 6) if count else 0.0,
        p50_ms=round(fresh.quantile_ms(0.5), 3),
        p95_ms=round(fresh.quantile_ms(0.95), 3),
        p99_ms=round(fresh.quantile_ms(0.99), 3),
    )


def _so_far(tally: Tally) -> tuple[Histogram, int]:
    """Return the durations of all steps, and how many failed."""
    total = Histogram()
    for figures in tally.steps.values():
        total.merge(figures.response)
    return total, sum(figures.failed for figures in tally.steps.values())
