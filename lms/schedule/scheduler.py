"""Runs jobs when they are due: one process at a time, however many there are, and again after it died.

What is due is a row of `scheduled_job`. The process that takes it writes itself and a time into the row; until then
nobody else takes it, and no run lasts so long. A process that dies leaves its row behind, which another one finds when
the time is over: with SQLite, whose only process begins anew, at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.clock import Clock
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.schedule.job import Job, next_time, retry_time
from lms.schedule.tables import Outcome, scheduled_job

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""Between looks at the table."""
ERROR_CHARACTERS_MAX: Final = 500


class Scheduler:
    """Runs from `start` to `close`; jobs are added before."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._task: asyncio.Task[None] | None = None
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        """Names this process in the rows that it holds."""
        self.runs: dict[tuple[str, Outcome], int] = {}
        """How often each job ended so, in this process."""

    def add(
        self, name: str, every: timedelta, run: Callable[[], Awaitable[int]], *, timeout_s: float | None = None
    ) -> None:
        """Have something done from time to time; the first time one interval after it was first heard of."""
        assert name not in self._jobs, f"there are two jobs {name!r}"
        self._jobs[name] = Job(name, every, run) if timeout_s is None else Job(name, every, run, timeout_s)

    def add_for_all(self, name: str, every: timedelta, act: Callable[[Transaction], Awaitable[int]]) -> None:
        """Have something done from time to time in one transaction for all organizations."""

        async def run() -> int:
            async with self._database.write_all() as transaction:
                return await act(transaction)

        self.add(name, every, run)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, by name."""
        return tuple(self._jobs[name] for name in sorted(self._jobs))

    async def start(self) -> None:
        """Make a row for each job that has none, and begin."""
        async with self._database.write_all() as transaction:
            await self._make_rows(transaction)
            if not transaction.is_postgresql:  # whoever held a row was an earlier life of this process
                await transaction.execute(
                    update(scheduled_job)
                    .where(scheduled_job.c.holder.is_not(None))
                    .values(holder=None, lease_until=None, outcome=Outcome.LOST)
                )
        self._task = asyncio.create_task(self._run(), name="schedule")

    async def close(self) -> None:
        """Stop; a job that is under way is given back, and begun again by whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_due(self) -> int:
        """Run what is due now, one after the other, and return how many jobs that were."""
        count = 0
        while (taken := await self._take()) is not None:
            await self._act(*taken)
            count += 1
        return count

    async def _run(self) -> None:
        while True:
            try:
                await self.run_due()
            except Exception:
                logger.exception("the schedule could not be read")
            await asyncio.sleep(LOOK_S)

    async def _make_rows(self, transaction: Transaction) -> None:
        upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
        for job in self.jobs:
            row = {"name": job.name, "next_at": transaction.now + job.every, "attempts": 0, "runs": 0}
            await transaction.execute(upsert(scheduled_job).values(row).on_conflict_do_nothing())

    async def _take(self) -> tuple[Job, datetime] | None:
        """Take the job that has been due for longest and that nobody holds, with the time for which it was planned."""
        async with self._database.write_all() as transaction:
            row = await transaction.first(
                select(scheduled_job)
                .where(
                    scheduled_job.c.name.in_(list(self._jobs)),
                    scheduled_job.c.next_at <= transaction.now,
                    or_(scheduled_job.c.lease_until.is_(None), scheduled_job.c.lease_until <= transaction.now),
                )
                .order_by(scheduled_job.c.next_at, scheduled_job.c.name)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            job = self._jobs[row.name]
            await transaction.execute(
                update(scheduled_job)
                .where(scheduled_job.c.name == job.name)
                .values(
                    holder=self.holder,
                    lease_until=transaction.now + job.lease,
                    started_at=transaction.now,
                    runs=row.runs + 1,
                )
            )
        if row.holder is not None:
            logger.warning("a job was not ended by who began it", extra={"job": job.name, "holder": row.holder})
        return job, row.next_at

    async def _act(self, job: Job, planned: datetime) -> None:
        count, error = 0, None
        try:
            async with asyncio.timeout(job.timeout_s):
                count = await job.run()
        except asyncio.CancelledError:
            await self._give_back(job)
            raise
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"[:ERROR_CHARACTERS_MAX]
            logger.exception("a job failed", extra={"job": job.name})
        await self._note(job, planned, count, error)

    async def _note(self, job: Job, planned: datetime, count: int, error: str | None) -> None:
        async with self._database.write_all() as transaction:
            row = await self._held(transaction, job)
            if row is None:  # it took longer than its lease, and is somebody else's
                outcome = Outcome.LOST
            else:
                outcome = Outcome.DONE if error is None else Outcome.FAILED
                now = transaction.now
                values: dict[str, Any] = {
                    "holder": None,
                    "lease_until": None,
                    "ended_at": now,
                    "outcome": outcome,
                    "error": error,
                }
                if error is None:
                    following = next_time(planned, job.every, now)
                    values |= {"attempts": 0, "did": count, "succeeded_at": now, "next_at": following}
                else:
                    values |= {
                        "attempts": row.attempts + 1,
                        "next_at": retry_time(job.every, row.attempts + 1, now),
                    }
                await transaction.execute(update(scheduled_job).where(scheduled_job.c.name == job.name).values(values))
        self.runs[job.name, outcome] = self.runs.get((job.name, outcome), 0) + 1

    async def _give_back(self, job: Job) -> None:
        async with self._database.write_all() as transaction:
            if await self._held(transaction, job) is not None:
                await transaction.execute(
                    update(scheduled_job)
                    .where(scheduled_job.c.name == job.name)
                    .values(holder=None, lease_until=None, outcome=Outcome.LOST)
                )

    async def _held(self, transaction: Transaction, job: Job) -> Row[Any] | None:
        """Return the row of a job if it is still ours."""
        return await transaction.first(
            select(scheduled_job)
            .where(scheduled_job.c.name == job.name, scheduled_job.c.holder == self.holder)
            .with_for_update()
        )
