"""A parent that keeps one child running: forked, started again when it ends by itself, and gone when the parent is.

The parent has everything loaded and the listening socket open. So a new child is there in a fraction of a second, on
the same ports, and whoever connects in between waits in the socket's queue instead of being refused.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

logger = logging.getLogger(__name__)

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STABLE_S: Final = 10.0  # a child that lived so long did not fail for what made the one before it fail
PAUSE_FIRST_S: Final = 0.1
PAUSE_MAX_S: Final = 5.0  # what it waits for may be a disk or a port that comes back
_LOOK_S: Final = 0.05
_PR_SET_PDEATHSIG: Final = 1  # <sys/prctl.h>
_EXIT_FAILED: Final = 1

Run = Callable[[Callable[[str], None], str | None], int]
"""What the child does: it gets `ready`, to be called with one line once all works, and the line of the child before
it, None for the first; it returns the exit code.
"""


class Supervisor:
    """Must be the only thread of its process when it forks."""

    def __init__(self, run: Run, *, on_first_ready: Callable[[str], None]) -> None:
        """`on_first_ready` gets the first child's line, in the parent."""
        self._run = run
        self._on_first_ready = on_first_ready
        self._child: int | None = None
        self._asked: signal.Signals | None = None
        self.restarts = 0

    def supervise(self) -> int:
        """Run until a stop signal, or until the first child fails to start; return the exit code."""
        with self._stop_signals():
            line, code = self._one_child(None)
            if line is None:
                return code if code >= 0 else self._code_of_killed()
            pause_s = 0.0
            while self._asked is None:
                level = logging.ERROR if code else logging.WARNING  # 0: it was drained
                fields = {"code": code, "pause_s": pause_s}
                logger.log(level, "the server ended and is started again", extra=fields)
                self._pause(pause_s)
                if self._asked is None:
                    started = time.monotonic()
                    self.restarts += 1
                    _, code = self._one_child(line)
                    lived_s = time.monotonic() - started
                    pause_s = 0.0 if lived_s >= STABLE_S else min(max(PAUSE_FIRST_S, 2 * pause_s), PAUSE_MAX_S)
        return code if code >= 0 else self._code_of_killed()

    def _code_of_killed(self) -> int:
        """Stopped before it could handle the signal is as good as stopped."""
        return _EXIT_FAILED if self._asked is None else 0

    def _one_child(self, before: str | None) -> tuple[str | None, int]:
        """Run a child to its end; return what it said when it was ready, if ever, and its exit code."""
        reading, writing = os.pipe()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._be_child(parent, writing, before)
        os.close(writing)
        self._child = child
        if self._asked is not None:  # the signal came when there was nobody to hand it to
            self._pass_on(self._asked)
        with os.fdopen(reading) as lines:
            line = lines.readline().strip() or None
        if line is not None and before is None:
            self._on_first_ready(line)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        self._child = None  # before its id is given back: a signal that comes now has nobody to go to
        _, status = os.waitpid(child, 0)
        return line, os.waitstatus_to_exitcode(status)

    def _be_child(self, parent: int, writing: int, before: str | None) -> NoReturn:
        """Never return: the parent's stack is not ours to unwind."""
        code = _EXIT_FAILED
        try:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            if self._asked is not None:  # our parent's handler, which we had until now, took what was meant for us
                os._exit(0)
            die_with_parent(parent)

            def ready(line: str) -> None:
                with os.fdopen(writing, "w") as pipe:
                    pipe.write(f"{line}\n")

            code = self._run(ready, before)
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
                logging.shutdown()
            finally:
                os._exit(code)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._asked is None and time.monotonic() < until:
            time.sleep(_LOOK_S)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._asked = signal.Signals(number)
        if self._child is not None:
            self._pass_on(self._asked)

    def _pass_on(self, asked: signal.Signals) -> None:
        """SIGTERM drains; the others end at once, a closed terminal too."""
        assert self._child is not None
        # Not reaped yet, so the id is still the child's.
        os.kill(self._child, signal.SIGTERM if asked is signal.SIGTERM else signal.SIGINT)

    @contextmanager
    def _stop_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, disposition in before.items():
                signal.signal(number, disposition)


def die_with_parent(parent: int, number: signal.Signals = signal.SIGINT) -> None:
    """Have the kernel end this process in order, by a signal, when its parent dies, however that happens."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew
        os._exit(_EXIT_FAILED)
