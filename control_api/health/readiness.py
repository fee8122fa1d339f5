"""Should new rooms come to this server? It says no while something is wrong that a new class would suffer from.

Not ready never ends what runs. Each reason has a gap between its yes and its no (so many misses in a row, another
threshold), so that a busy second does not take a server out, and a fleet does not go out together.
"""

from __future__ import annotations

import enum
from typing import Final

from control_api.settings import HealthSettings

MISSES_MAX: Final = 3
"""Checks in a row that a worker may leave unanswered: one may be lost to a full buffer."""


class Reason(enum.Enum):
    """Why new rooms should go elsewhere; the value is what `GET /readyz` says."""

    DRAINING = "draining"
    JOURNAL_FAILED = "journal_failed"
    EVENT_LOOP_SLOW = "event_loop_slow"
    WORKER_SILENT = "worker_silent"


class Readiness:
    """Takes what was seen, and says what follows."""

    def __init__(self, settings: HealthSettings) -> None:
        self._settings = settings
        self._slow = False
        self._misses = 0

    def take_loop_lag(self, mean_s: float) -> None:
        """Take the mean lag of the event loop over the last seconds."""
        limit = self._settings.loop_lag_ready_s if self._slow else self._settings.loop_lag_unready_s
        self._slow = mean_s >= limit

    def take_check(self, *, all_answered: bool) -> None:
        """Take whether every worker answered just now."""
        self._misses = 0 if all_answered else self._misses + 1

    def reasons(self, *, draining: bool, journal_failed: bool) -> tuple[Reason, ...]:
        """Return why it is not ready; empty if it is."""
        found = {
            Reason.DRAINING: draining,
            Reason.JOURNAL_FAILED: journal_failed,
            Reason.EVENT_LOOP_SLOW: self._slow,
            Reason.WORKER_SILENT: self._misses >= MISSES_MAX,
        }
        return tuple(reason for reason, holds in found.items() if holds)
