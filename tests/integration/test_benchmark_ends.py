"""A benchmark that is told to end takes what it started with it: its PostgreSQL is a group of processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import benchmarks

BENCHMARK = (sys.executable, "-m", "benchmarks", "api", "--suite", "lms_postgresql", "--stages", "600s:1")
SECONDS_MAX = 60.0


def test_sigterm_ends_the_postgresql_of_a_benchmark() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:  # paths of Unix sockets are short
        place = Path(folder)
        place.chmod(0o755)  # the server runs as who is not root
        home = Path(benchmarks.__path__[0]).parent
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(BENCHMARK, cwd=home, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                server = _postgresql(place)
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)
                assert process.wait(SECONDS_MAX) == 2
            finally:
                process.kill()
        assert not Path(f"/proc/{server}").exists()
        assert not list(place.iterdir())


def _postgresql(place: Path) -> str:
    """Return the process of the PostgreSQL that keeps its files there, once it runs."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        for written in place.glob("halqa-pg-*/data/postmaster.pid"):
            if first := written.read_text().partition("\n")[0]:
                return first
        time.sleep(0.02)
    raise AssertionError(f"no PostgreSQL within {SECONDS_MAX:g} s")
