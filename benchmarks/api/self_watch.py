"""How the generator itself fares: a loop that is late, or a core that is full, would pass for a slow server."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.api.histogram import Histogram

TICK_S: Final = 0.02
LAG_P99_MS_MAX: Final = 20.0
"""Above it the generator says that it was slow: a percentile that it measured may be off by so much."""
CORES_MAX: Final = 0.85
"""Of the one core that an interpreter can use; above it waiting in the generator's own queue begins to be seen."""


@dataclass(frozen=True, slots=True)
class GeneratorFigures:
    """Of this process over the whole run."""

    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    cpu_s: float
    cores: float

    @property
    def slow(self) -> bool:
        """Whether durations say more about the generator than about the server."""
        return self.lag_p99_ms > LAG_P99_MS_MAX or self.cores > CORES_MAX

    def as_json(self) -> dict[str, Any]:
        return {
            "lag_p50_ms": round(self.lag_p50_ms, 2),
            "lag_p99_ms": round(self.lag_p99_ms, 2),
            "lag_max_ms": round(self.lag_max_ms, 2),
            "cpu_s": round(self.cpu_s, 3),
            "cores": round(self.cores, 3),
            "slow": self.slow,
        }


class SelfWatch:
    """Run `watch` as a task beside the load."""

    def __init__(self) -> None:
        self._lags = Histogram()
        self._recent = Histogram()
        self._began = (time.monotonic(), cpu_s())
        self._looked = self._began

    async def watch(self) -> None:
        """Sleep for short whiles and count by how much each was longer."""
        while True:
            wanted = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s = time.monotonic() - wanted
            self._lags.add(late_s)
            self._recent.add(late_s)

    def look(self) -> tuple[float, float]:
        """Return the p99 of the lag in milliseconds and the cores used, both since the last look."""
        now, spent_s = time.monotonic(), cpu_s()
        at, before_s = self._looked
        self._looked = (now, spent_s)
        lag_ms, self._recent = self._recent.quantile_ms(0.99), Histogram()
        return lag_ms, (spent_s - before_s) / max(now - at, 1e-6)

    def figures(self) -> GeneratorFigures:
        """Return what was seen so far."""
        at, before_s = self._began
        spent_s = cpu_s() - before_s
        lags = self._lags
        return GeneratorFigures(
            lags.quantile_ms(0.5),
            lags.quantile_ms(0.99),
            lags.max_s * 1000,
            spent_s,
            spent_s / max(time.monotonic() - at, 1e-6),
        )


def cpu_s() -> float:
    """Return user and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
