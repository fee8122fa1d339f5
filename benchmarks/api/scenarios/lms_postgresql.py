"""The LMS on PostgreSQL: the same school as on SQLite."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from benchmarks.api.scenario import Suite, Target
from benchmarks.api.scenarios import lms


def start() -> AbstractAsyncContextManager[Target]:
    """Start it on a PostgreSQL of its own."""
    return lms.started(postgresql=True)


SUITE: Final[Suite] = replace(
    lms.SUITE, question="How fast is the LMS on PostgreSQL for a school that comes to class?", start=start
)
