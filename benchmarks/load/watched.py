"""CPU time and memory of the server under test: of a process and all that it has started."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.load.failures import LoadError


class WatchedProcess:
    """A process by its id, with its descendants. Reads zeros once it is gone."""

    def __init__(self, pid: int) -> None:
        """LoadError if there is no such process."""
        if not Path(f"/proc/{pid}/stat").exists():
            raise LoadError(f"there is no process {pid} on this computer")
        self.pid = pid
        self._spent_s: dict[int, float] = {}

    @property
    def alive(self) -> bool:
        """Whether the process runs; one that nobody has waited for yet does not."""
        fields = _stat(self.pid)
        return bool(fields) and fields[0] not in {"Z", "X"}

    def cpu_s(self) -> float:
        """Return user and system time so far; what processes that ended had used stays in it."""
        for pid in self._family():
            if fields := _stat(pid):
                self._spent_s[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return sum(self._spent_s.values())

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


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name; none if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
