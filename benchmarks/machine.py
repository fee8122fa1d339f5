"""What a figure was measured on: without this it cannot be compared with another."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from pathlib import Path
from typing import Final

CALM_CORES: Final = 0.1
"""What others may use while we measure; above it a figure says more about them."""
GIT_S_MAX: Final = 10.0
_IDLE_FIELDS: Final = {3, 4}  # idle and iowait, of the first line of /proc/stat
_STOLEN_FIELD: Final = 7
_GUEST_FIELDS: Final = 8  # from here on fields are contained in earlier ones


class Disturbance:
    """How much of the computer other programs use, from the moment this is made."""

    def __init__(self) -> None:
        self._started = (time.monotonic(), self._others_seconds())
        self._stolen_ticks = stolen_ticks(_read_stat())

    def cores(self) -> float:
        """Return the mean number of cores that others kept busy; processes of ours that still run count as others."""
        at, before = self._started
        return max(0.0, (self._others_seconds() - before) / max(time.monotonic() - at, 1e-3))

    def stolen_cores(self) -> float:
        """Return how many of those the host of this virtual computer took away, as a mean."""
        stolen_s = (stolen_ticks(_read_stat()) - self._stolen_ticks) / os.sysconf("SC_CLK_TCK")
        return max(0.0, stolen_s / max(time.monotonic() - self._started[0], 1e-3))

    def _others_seconds(self) -> float:
        ours = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        busy = busy_ticks(_read_stat()) / os.sysconf("SC_CLK_TCK")
        return busy - sum(usage.ru_utime + usage.ru_stime for usage in ours)


def busy_ticks(stat: str) -> int:
    """Return the clock ticks in which a core of this computer was not idle, from the text of /proc/stat."""
    fields = stat.splitlines()[0].split()[1:]
    return sum(int(field) for at, field in enumerate(fields[:_GUEST_FIELDS]) if at not in _IDLE_FIELDS)


def stolen_ticks(stat: str) -> int:
    """Return the clock ticks in which a core had work and the host did not run it, from the text of /proc/stat."""
    return int(stat.splitlines()[0].split()[1 + _STOLEN_FIELD])


def _read_stat() -> str:
    return Path("/proc/stat").read_text(encoding="utf-8")


def machine_facts() -> dict[str, str | int]:
    """Return processor, cores, kernel and Python of this computer, and the commit that was measured."""
    return {
        "processor": processor_name(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": os.cpu_count() or 1,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": commit(),
    }


def commit() -> str:
    """Return the commit of this code, with "-dirty" behind it if files differ from it; "unknown" without Git."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        asked = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=GIT_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return asked.stdout.strip() or "unknown"


def processor_name(cpuinfo: str) -> str:
    """Return the model name in the text of /proc/cpuinfo, "unknown" without one."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return "unknown"
