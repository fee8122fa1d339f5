"""CPU time and memory of the server under test: of a process and all that it has started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.failures import LoadError


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds of CPU time by where they went; of our server the other threads are the data plane."""

    main_s: float = 0.0
    """Of the main thread, where the event loop is."""
    kernel_s: float = 0.0
    """Of all other threads within the kernel."""
    threads_s: float = 0.0
    """Of all other threads within the program."""

    @property
    def total_s(self) -> float:
        return self.main_s + self.kernel_s + self.threads_s

    def __add__(self, other: CpuTimes) -> CpuTimes:
        return CpuTimes(self.main_s + other.main_s, self.kernel_s + other.kernel_s, self.threads_s + other.threads_s)

    def __sub__(self, other: CpuTimes) -> CpuTimes:
        return CpuTimes(self.main_s - other.main_s, self.kernel_s - other.kernel_s, self.threads_s - other.threads_s)


class WatchedProcess:
    """A process by its id, with its descendants. Reads zeros once it is gone."""

    def __init__(self, pid: int) -> None:
        """LoadError if there is no such process."""
        if not Path(f"/proc/{pid}/stat").exists():
            raise LoadError(f"there is no process {pid} on this computer")
        self.pid = pid
        self._spent: dict[int, CpuTimes] = {}

    @property
    def alive(self) -> bool:
        """Whether the process runs; one that nobody has waited for yet does not."""
        fields = _stat(f"/proc/{self.pid}")
        return bool(fields) and fields[0] not in {"Z", "X"}

    def cpu_s(self) -> float:
        """Return user and system time so far; what processes that ended had used stays in it."""
        return self.cpu_times().total_s

    def cpu_times(self) -> CpuTimes:
        """Return where the time went so far."""
        for pid in self._family():
            if (whole := _stat(f"/proc/{pid}")) and (main := _stat(f"/proc/{pid}/task/{pid}")):
                user_s, kernel_s = _seconds(whole)
                main_user_s, main_kernel_s = _seconds(main)
                # read one after the other: a tick may lie between them
                self._spent[pid] = CpuTimes(
                    main_user_s + main_kernel_s, max(0.0, kernel_s - main_kernel_s), max(0.0, user_s - main_user_s)
                )
        return sum(self._spent.values(), CpuTimes())

    def memory_bytes(self) -> int:
        """Return what it has in RAM."""
        total = 0
        for pid in self._family():
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
            except (OSError, IndexError):
                continue
        return total * os.sysconf("SC_PAGE_SIZE")

    def _family(self) -> list[int]:
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    waiting += [int(child) for child in children.read_text(encoding="utf-8").split()]
                except OSError:
                    continue
        return found


def _seconds(fields: list[str]) -> tuple[float, float]:
    """Return user and system time."""
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks_per_s, int(fields[12]) / ticks_per_s


def _stat(folder: str) -> list[str]:
    """Return the fields of `stat` behind the name; none if the process or thread is gone."""
    try:
        return Path(folder, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
