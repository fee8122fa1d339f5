"""The thread that puts records on the disk: many at a time, one fsync for all, so that no event loop waits for it.

Urgent records are committed at once; while a commit runs, the next batch gathers, so that a slow disk makes batches
larger and not the queue longer. Others wait up to `COALESCE_S` for company. When the disk fails, what waits is kept
and tried again every `retry_s`; nothing is reported as durable before it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from control_api.journal.segment_log import Pending
from control_api.metrics.histogram import Histogram

logger = logging.getLogger(__name__)

COMMIT_BOUNDS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
COALESCE_S: Final = 0.25
BATCH_MAX: Final = 4096  # records a commit: about a megabyte, so that a full queue is not one giant write


class CommitLog(Protocol):
    """Where batches go (`SegmentLog`). A commit that raises OSError has kept nothing."""

    def commit(self, records: list[Pending]) -> None: ...
    def remove_old(self) -> None: ...
    def close(self) -> None: ...


class GroupCommit:
    """Owns the thread. `committed`, `failed` and `ended` are called on it."""

    def __init__(
        self,
        log: CommitLog,
        *,
        committed: Callable[[int], None],
        failed: Callable[[Exception], None],
        ended: Callable[[], None],
        retry_s: float,
    ) -> None:
        """`committed` gets the position up to which all is durable; `failed` each error of the disk; `ended` says that
        `join` will not block.
        """
        self._log = log
        self._committed = committed
        self._failed = failed
        self._ended = ended
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._queue: deque[Pending] = deque()
        self._urgent = False
        self._closing = False
        self.commits = 0
        self.commit_times = Histogram(COMMIT_BOUNDS_S)
        self.slowest_commit_s = 0.0
        self._thread = threading.Thread(target=self._run, name="journal")
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many records are not durable yet."""
        return len(self._queue)

    @property
    def oldest(self) -> Pending | None:
        """The record that has waited longest; None if none waits."""
        try:
            return self._queue[0]
        except IndexError:
            return None

    def add(self, record: Pending, *, urgent: bool) -> None:
        """Queue a record; never blocks for longer than another thread appends to a list."""
        with self._changed:
            self._queue.append(record)
            if urgent and not self._urgent:
                self._urgent = True
                self._changed.notify()
            elif len(self._queue) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Ask the thread to commit what waits and to end."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def join(self) -> int:
        """Wait for the thread and return how many records could not be committed."""
        self._thread.join()
        return len(self._queue)

    def _run(self) -> None:
        try:
            self._commit_all()
        finally:
            self._log.close()
            self._ended()

    def _commit_all(self) -> None:
        while batch := self._gather():
            closing = self._closing
            try:
                started = time.monotonic()
                self._log.commit(batch)
                self._measure(time.monotonic() - started)
                self._log.remove_old()
            except Exception as error:  # noqa: BLE001 - our own fault too is a journal that cannot be written
                self._failed(error)
                if closing:
                    return  # that was the last attempt
                self._pause()
                continue
            with self._changed:
                for _ in batch:
                    self._queue.popleft()
            self._committed(batch[-1].position)

    def _gather(self) -> list[Pending]:
        """Wait for something to commit; empty when all is done and closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            self._changed.wait_for(lambda: self._urgent or self._closing, timeout=COALESCE_S)
            batch = list(islice(self._queue, BATCH_MAX))
            self._urgent = len(self._queue) > len(batch)
            return batch

    def _pause(self) -> None:
        with self._changed:
            self._urgent = True  # what waits has waited long enough
            self._changed.wait_for(lambda: self._closing, timeout=self._retry_s)

    def _measure(self, seconds: float) -> None:
        self.commits += 1
        self.commit_times.observe(seconds)
        self.slowest_commit_s = max(self.slowest_commit_s, seconds)
