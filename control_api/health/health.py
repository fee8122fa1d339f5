"""Watches the parts of a running server: event loop, workers, journal, drain."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from control_api.drain import Drain
from control_api.health.loop_lag import LoopLag
from control_api.health.readiness import Readiness, Reason
from control_api.journal.journal import Journal
from control_api.settings import HealthSettings
from media.net.engine import Engine

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 2.0  # a busy event loop may need one


class Health:
    """Asks every so often; tells at once."""

    def __init__(self, settings: HealthSettings, engine: Engine, journal: Journal, drain: Drain) -> None:
        self.loop_lag = LoopLag()
        self.silent_workers = 0
        """How many did not answer at the last check."""
        self._settings = settings
        self._readiness = Readiness(settings)
        self._engine = engine
        self._journal = journal
        self._drain = drain
        self._tasks = [
            asyncio.create_task(self.loop_lag.watch(), name="event loop lag"),
            asyncio.create_task(self._check_workers(), name="worker check"),
        ]

    def reasons(self) -> tuple[Reason, ...]:
        """Return why new rooms should go elsewhere; empty: they may come."""
        self._readiness.take_loop_lag(self.loop_lag.mean_s)
        return self._readiness.reasons(draining=self._drain.active, journal_failed=self._journal.failure is not None)

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _check_workers(self) -> None:
        while True:
            await asyncio.sleep(self._settings.udp_check_s)
            timeout_s = min(ANSWER_WITHIN_S, self._settings.udp_check_s)
            silent = await self._engine.silent_workers(timeout_s=timeout_s)
            self._readiness.take_check(all_answered=not silent)
            if bool(silent) != bool(self.silent_workers):
                logger.warning("workers that do not answer", extra={"workers": list(silent)})
            self.silent_workers = len(silent)
