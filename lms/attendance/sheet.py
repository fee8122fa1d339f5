"""The sheet of one run: everybody who was expected, came or not, and apart from them who else came. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lms.attendance.clocks import read_clocks
from lms.attendance.facts import Boot, Fact
from lms.attendance.intervals import Hearing, Interval, Place, derive_intervals
from lms.attendance.outcome import Outcome, Status, judge
from lms.attendance.policy import Policy
from lms.attendance.spans import Span


@dataclass(frozen=True, slots=True)
class Run:
    """One holding of a class; times are wall time in microseconds since 1970."""

    started_us: int
    ended_us: int | None
    """None while it lasts."""
    scheduled: Span | None
    """None for a class that nobody planned."""
    places: Mapping[str, Place]
    """The rooms that belong to it, breakouts too."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who was expected, as noted when the run began: who enrols afterwards was not absent."""

    expected: Collection[str]
    excused: Collection[str] = frozenset()
    identities: Mapping[str, str] = field(default_factory=dict)
    """Guests who were recognised: the identity of their token, and who they are."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What comes out for a run."""

    window: Span
    is_live: bool
    """The run lasts, and so does the window: everything is "so far"."""
    members: tuple[Outcome, ...]
    """One for each who was expected, by identity."""
    others: tuple[Outcome, ...]
    """Whoever came without being expected: staff, guests, by identity."""
    intervals: tuple[Interval, ...]
    clock_steps: int
    """How often a media server's wall clock was seen to jump; durations are right all the same."""

    def count(self) -> Mapping[Status, int]:
        """Return how many of the expected have each status; the sum is the size of the roster."""
        return {status: sum(each.status is status for each in self.members) for status in Status}


def fill_sheet(
    facts: Iterable[Fact],
    run: Run,
    roster: Roster,
    policy: Policy,
    *,
    now_us: int,
    lost: Mapping[Boot, int] | None = None,
) -> Sheet:
    """Return the sheet as far as `now_us`; `lost` names boots that are silent, with when they were last heard of."""
    facts = tuple(facts)
    hearing = Hearing(now_us, lost or {}, run.ended_us)
    intervals = derive_intervals(facts, run.places, hearing, identities=roster.identities)
    end_us = now_us if run.ended_us is None else run.ended_us
    whole = policy.window(scheduled=run.scheduled, actual=Span(run.started_us, max(run.started_us, end_us)))
    window = Span(whole.start_us, max(whole.start_us, min(whole.end_us, now_us)))
    of_person = _by_identity(intervals)
    excused = frozenset(roster.excused)

    def outcomes(identities: Iterable[str]) -> tuple[Outcome, ...]:
        return tuple(
            judge(each, of_person.get(each, ()), policy, window, excused=each in excused) for each in sorted(identities)
        )

    expected = frozenset(roster.expected)
    return Sheet(
        window=window,
        is_live=run.ended_us is None,
        members=outcomes(expected),
        others=outcomes(of_person.keys() - expected),
        intervals=intervals,
        clock_steps=sum(
            clock.steps for clock in read_clocks(fact for fact in facts if fact.room in run.places).values()
        ),
    )


def _by_identity(intervals: Iterable[Interval]) -> Mapping[str, Sequence[Interval]]:
    of_person: dict[str, list[Interval]] = {}
    for each in intervals:
        of_person.setdefault(each.identity, []).append(each)
    return of_person
