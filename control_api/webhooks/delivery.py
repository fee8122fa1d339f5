"""One receiver's deliveries as a pure machine: what to send next, when to try again, when to give up.

Order is kept by never having more than one delivery under way, and by not going on before it is taken. Events that
could not be delivered for too long become dead letters: ranges of the journal, which keeps their content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

BATCH_EVENTS_MAX: Final = 100  # about 30 kB a delivery
RETRY_S_FIRST: Final = 1.0
RETRY_S_MAX: Final = 300.0  # a receiver that is back after an outage hears from us within five minutes
JITTER: Final = 0.2  # of the wait, either way, so that receivers behind one outage are not met all at once
PATIENCE_S: Final = 3600.0
"""No event dies before its receiver failed for so long, even if this server was down for days and all are old."""
DEAD_RANGES_MAX: Final = 1000
ERROR_CHARACTERS_MAX: Final = 200


class Range(msgspec.Struct, frozen=True):
    """Events after one position, up to another."""

    after: int
    last: int


class Progress(msgspec.Struct, kw_only=True):
    """How far a receiver has got: what its file holds."""

    journal_id: str
    position: int
    """Everything up to here was delivered or is dead."""
    dead: list[Range] = []
    replay: list[Range] = []
    """Dead letters that are to be delivered again, before anything new."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send next: up to `BATCH_EVENTS_MAX` events after a position."""

    after: int
    last: int | None
    """Where a replay ends; None for what is new."""


class Delivery:
    """The deliveries of one receiver."""

    def __init__(self, progress: Progress, *, give_up_s: float) -> None:
        self.progress = progress
        self.failures = 0
        """Attempts in a row that failed."""
        self.error: str | None = None
        """Why the last attempt failed; None if it did not."""
        self._give_up_s = give_up_s
        self._retry_at = 0.0
        self._failing_since: float | None = None

    def next_job(self) -> Job:
        """Return what to send next; the same again after a failure."""
        if self.progress.replay:
            first = self.progress.replay[0]
            return Job(first.after, first.last)
        return Job(self.progress.position, None)

    def wait_s(self, *, now: float) -> float:
        """Return how long to wait before the next attempt; `now` is monotonic."""
        return max(0.0, self._retry_at - now)

    def succeeded(self, job: Job, last: int) -> None:
        """Take note that the receiver took everything up to `last`."""
        self.failures, self.error, self._retry_at, self._failing_since = 0, None, 0.0, None
        self._advance(job, last)

    def failed(self, job: Job, last: int, error: str, *, now: float, age_s: float, chance: float) -> bool:
        """Take note that an attempt failed and tell whether its events are dead now.

        `age_s` is that of the newest event in it, so that each had its time; `chance` is in [0, 1), for the jitter.
        `now` is monotonic.
        """
        if self._failing_since is None:
            self._failing_since = now
        self.error = error[:ERROR_CHARACTERS_MAX]
        wait_s = min(RETRY_S_MAX, RETRY_S_FIRST * 2.0 ** min(self.failures, 30))
        self.failures += 1
        self._retry_at = now + wait_s * (1 - JITTER + 2 * JITTER * chance)
        if age_s < self._give_up_s or now - self._failing_since < min(self._give_up_s, PATIENCE_S):
            return False
        self._bury(Range(job.after, last))
        self._advance(job, last)
        return True

    def replay_dead(self) -> int:
        """Ask for all dead letters again and return how many ranges they are."""
        count = len(self.progress.dead)
        self.progress.replay += self.progress.dead
        self.progress.dead = []
        self._retry_at = 0.0
        return count

    def restart(self, journal_id: str, position: int) -> None:
        """Go on at another place: what was to follow does not exist any more."""
        self.progress = Progress(journal_id=journal_id, position=position)

    def skip_replay(self) -> None:
        """Drop the replay that is due: its events are no longer kept."""
        del self.progress.replay[0]

    def _advance(self, job: Job, last: int) -> None:
        if job.last is None:
            self.progress.position = last
        elif last >= job.last:
            del self.progress.replay[0]
        else:
            self.progress.replay[0] = Range(last, job.last)

    def _bury(self, found: Range) -> None:
        """Add a range, joined to its neighbours; above the bound, the oldest are forgotten."""
        merged: list[Range] = []
        for each in sorted((*self.progress.dead, found), key=lambda one: (one.after, one.last)):
            if merged and each.after <= merged[-1].last:
                merged[-1] = Range(merged[-1].after, max(merged[-1].last, each.last))
            else:
                merged.append(each)
        self.progress.dead = merged[-DEAD_RANGES_MAX:]
