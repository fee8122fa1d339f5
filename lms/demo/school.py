"""What the steps of filling a school share: the service, its clock, and who is who."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lms.clock import TurnedClock
from lms.demo.api import SchoolApi
from lms.demo.plan import SchoolPlan
from lms.parts import Parts

Step = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class HeldCourse:
    """A course that is there."""

    id: UUID
    key: str
    teacher: UUID
    groups: list[UUID] = field(default_factory=list)


@dataclass(slots=True)
class School:
    """A school that is being filled."""

    api: SchoolApi
    parts: Parts
    clock: TurnedClock
    plan: SchoolPlan
    zone: ZoneInfo
    now: datetime
    """The true time, in the zone of the school; the clock runs up to it."""
    org_id: UUID
    owner: UUID
    seed: int
    ids: dict[str, UUID] = field(default_factory=dict)
    """People by the key of the plan."""
    codes: dict[str, str] = field(default_factory=dict)
    """By which they log in."""
    courses: dict[str, HeldCourse] = field(default_factory=dict)
    agenda: list[tuple[datetime, int, Step]] = field(default_factory=list)
    """What is to be done when, by time and then in the order in which it was planned."""
    counts: dict[str, int] = field(default_factory=dict)

    def at(self, when: datetime, step: Step) -> None:
        """Have something done at a time of the past."""
        self.agenda.append((when, len(self.agenda), step))

    def turn_to(self, when: datetime) -> None:
        """Let time pass until then; it never runs backwards."""
        self.clock.turn(max(when - self.clock.now(), timedelta(0)))

    def count(self, what: str, number: int = 1) -> None:
        """Count what was made, for the summary."""
        self.counts[what] = self.counts.get(what, 0) + number

    def chance(self, *what: Any) -> Random:
        """Return chances of their own for something, so that one step more changes no other."""
        return Random(":".join(map(str, (self.seed, *what))))
