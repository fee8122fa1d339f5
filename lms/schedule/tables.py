"""The table of jobs: when each runs next, which process runs it now, and what came of the last time."""

from __future__ import annotations

import enum

from sqlalchemy import Column

from lms.database.tables import choice, service_table
from lms.database.types import INTEGER, TEXT, Time


class Outcome(enum.Enum):
    """What came of a run."""

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    """The process that ran it died, or was too slow to end in its time."""


scheduled_job = service_table(
    "scheduled_job",
    Column("name", TEXT, primary_key=True),
    Column("next_at", Time, nullable=False),
    # While it runs: by whom, and until when nobody else may begin it.
    Column("holder", TEXT),
    Column("lease_until", Time),
    # Failures in a row.
    Column("attempts", INTEGER, nullable=False),
    Column("runs", INTEGER, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("succeeded_at", Time),
    *choice("outcome", Outcome, nullable=True),
    # What the last run did, e.g. how many rows it deleted.
    Column("did", INTEGER),
    Column("error", TEXT),
)
