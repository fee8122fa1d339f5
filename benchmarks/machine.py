"""What a figure was measured on: without this it cannot be compared with another."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine_facts() -> dict[str, str | int]:
    """Return processor, cores, kernel and Python of this computer."""
    return {
        "processor": processor_name(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": os.cpu_count() or 1,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def processor_name(cpuinfo: str) -> str:
    """Return the model name in the text of /proc/cpuinfo, "unknown" without one."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return "unknown"
