"""The supervisor starts a child again when it ends by itself, and not when it was asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent
WITHIN_S = 30

# Each child writes a line; what it does then, the third argument says.
PROGRAM = """
import os, signal, sys, time
from control_api.supervisor import Supervisor
log, ends = sys.argv[1], sys.argv[2]

def run(ready, before):
    with open(log, "a") as file:
        file.write(f"{before}\\n")
    if ends == "at once":
        return 3
    ready("ports")
    if ends == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if ends == "done" :
        return 0
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    time.sleep(60)
    return 1

sys.exit(Supervisor(run, on_first_ready=lambda line: print(line, flush=True)).supervise())
"""


def start(log: Path, ends: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(log), ends]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def children(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def until_children(log: Path, count: int) -> None:
    limit = time.monotonic() + WITHIN_S
    while len(children(log)) < count:
        assert time.monotonic() < limit, children(log)
        time.sleep(0.02)


def test_child_that_never_worked_is_not_started_again(tmp_path: Path) -> None:
    with start(tmp_path / "log", "at once") as program:
        assert program.wait(WITHIN_S) == 3
    assert children(tmp_path / "log") == ["None"]


def test_child_that_worked_is_started_again_and_told_what_it_said(tmp_path: Path) -> None:
    for ends in ("killed", "done"):
        log = tmp_path / ends
        with start(log, ends) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "ports\n"
            until_children(log, 3)
            program.terminate()
            assert program.wait(WITHIN_S) == 0
        assert children(log)[:3] == ["None", "ports", "ports"]


def test_pauses_grow_while_children_end_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with start(log, "killed") as program:
        until_children(log, 4)
        time.sleep(0.3)
        assert len(children(log)) <= 6, "0, 0.1, 0.2, 0.4 s and so on: it does not spin"
        program.terminate()
        assert program.wait(WITHIN_S) == 0


def test_stop_signal_goes_to_the_child_and_ends_both(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with start(log, "when asked") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ports\n"
        time.sleep(0.2)  # the child's own handler comes after its line
        os.kill(program.pid, signal.SIGTERM)
        assert program.wait(WITHIN_S) == 0
    assert children(log) == ["None"]
