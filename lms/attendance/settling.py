"""The job that settles attendance: looks every few seconds which runs are due; nothing is kept in memory.

A run is due two minutes after its end, and again two minutes after a fact that came late, or when its rules changed. It
is found by what stands in the database, so a restart forgets none, and a class to which nobody came is settled, too.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_, select, update

from lms.attendance.computing import settle
from lms.attendance.keeping import SETTLED
from lms.attendance.runs import find_run
from lms.attendance.tables import attendance_run
from lms.classes.tables import class_run
from lms.clock import Clock
from lms.database.database import Database
from lms.ids import Ids
from lms.outbox.send import Outbox

logger = logging.getLogger(__name__)

PAUSE_S: Final = 5.0
BATCH: Final = 20
"""Runs a look; each is a transaction of its own, so that writers of SQLite wait for one run at most."""
PAUSE_AFTER_FAILURE_S: Final = 30.0


class Settler:
    """Runs from `start` to `close`."""

    def __init__(self, database: Database, ids: Ids, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._ids = ids
        self._outbox = outbox
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self.settled = 0

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="attendance")

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def close(self) -> None:
        """Stop; what was under way is done at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> int:
        """Settle what is due and return how many runs that were."""
        due = await self._due()
        for org_id, run_id in due:
            async with self._database.write(org_id) as transaction:
                held = await find_run(transaction, run_id)
                changed = await settle(transaction, self._ids, self._outbox, run_id, reason="computed")
                if held is None or held.run_id != run_id or held.ended_at is None:
                    # A breakout has no sheet of its own, and what lasts is settled when it is over.
                    own = (attendance_run.c.org_id == org_id, attendance_run.c.run_id == run_id)
                    await transaction.execute(update(attendance_run).where(*own).values(due_at=None))
            logger.debug("attendance was computed", extra={"run": str(run_id), "changed": len(changed)})
        self.settled += len(due)
        return len(due)

    async def _due(self) -> list[tuple[UUID, UUID]]:
        now = self._clock.now()
        state = and_(attendance_run.c.org_id == class_run.c.org_id, attendance_run.c.run_id == class_run.c.id)
        over = and_(class_run.c.ended_at.is_not(None), class_run.c.ended_at <= now - SETTLED)
        statement = (
            select(class_run.c.org_id, class_run.c.id)
            .outerjoin(attendance_run, state)
            .where(
                or_(
                    attendance_run.c.due_at <= now,
                    and_(class_run.c.parent_run_id.is_(None), attendance_run.c.roster_at.is_(None)),
                    and_(class_run.c.parent_run_id.is_(None), over, attendance_run.c.computed_at.is_(None)),
                )
            )
            .order_by(class_run.c.started_at, class_run.c.id)
            .limit(BATCH)
        )
        async with self._database.read_all() as transaction:
            return [(row.org_id, row.id) for row in await transaction.rows(statement)]

    async def _run(self) -> None:
        while True:
            try:
                self._woken.clear()
                while await self.run_once() == BATCH:
                    pass
                async with asyncio.timeout(PAUSE_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            except Exception:
                logger.exception("attendance could not be computed")
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)
