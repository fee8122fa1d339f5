"""/api/v1/jobs: what is done from time to time, when it was done last, and when next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.parts import Parts
from lms.schedule.tables import Outcome, scheduled_job
from webapi.shapes import Answer


class JobView(Answer, frozen=True, kw_only=True):
    """A job of the service. Why one failed is in the log: it may be of another organization."""

    name: str
    every_s: float
    next_at: datetime
    running: bool
    started_at: datetime | None
    ended_at: datetime | None
    succeeded_at: datetime | None
    outcome: Outcome | None
    """Of the last run; `lost`: the process that ran it died, and it is begun again."""
    failures: int
    """In a row; the pauses between attempts grow."""
    runs: int


class ScheduleEndpoints:
    """The jobs of the service."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_jobs",
                method="GET",
                path="/api/v1/jobs",
                summary="See what the service does from time to time",
                description="There are some twenty, and they are of the whole service; so they come in one page.",
                tag="For operators",
                access=Permission.SETTINGS_WRITE,
                answers={200: Reply("All jobs, by name.", list[JobView])},
                use=Use.OWN,
                run=self._list,
            ),
        )

    async def _list(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        async with self._parts.database.read_all() as transaction:
            rows = {row.name: row for row in await transaction.rows(select(scheduled_job))}
            now = transaction.now
        return Result(
            [
                JobView(
                    name=job.name,
                    every_s=job.every.total_seconds(),
                    next_at=row.next_at,
                    running=row.holder is not None and row.lease_until > now,
                    started_at=row.started_at,
                    ended_at=row.ended_at,
                    succeeded_at=row.succeeded_at,
                    outcome=row.outcome,
                    failures=row.attempts,
                    runs=row.runs,
                )
                for job in self._parts.schedule.jobs
                if (row := rows.get(job.name)) is not None
            ]
        )
