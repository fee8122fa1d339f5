"""Writing of grades: each names the version that it replaces, and leaves a row in the history in the same transaction.

What was changed meanwhile is not written over but told, and what the service computes never replaces what a person
wrote. The rows are locked in one order, so that two who grade the same class wait for each other and never cross.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy import Row, Select, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.grades.tables import Source, grade, grade_history
from lms.grades.total import GradeState, Score

ROWS_OF_A_STATEMENT: Final = 500  # of ten values each; SQLite takes 32,766 in one statement


@dataclass(frozen=True, slots=True)
class Held:
    """A grade as it stands; without a row nothing is held, in version 0."""

    state: GradeState = GradeState.NONE
    points: Decimal | None = None
    source: Source = Source.AUTO
    feedback: str | None = None
    graded_by: UUID | None = None
    version: int = 0
    updated_at: datetime | None = None

    @property
    def score(self) -> Score:
        return Score(self.state, self.points)


@dataclass(frozen=True, slots=True)
class Entry:
    """A grade as somebody wants it."""

    user_id: UUID
    score: Score
    version: int | None
    """The one that it replaces; None: whichever is there."""
    feedback: str | UnsetType | None = UNSET
    """Unset: as it is."""


class Outcome(enum.Enum):
    """What became of an entry."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    """It was there already."""
    CONFLICT = "conflict"
    """Another version was there; nothing was written."""
    KEPT = "kept"
    """A person wrote it: the service leaves it."""


@dataclass(frozen=True, slots=True)
class Done:
    """An entry, what became of it, and what is there now."""

    user_id: UUID
    outcome: Outcome
    before: Held
    held: Held


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and how."""

    actor_id: UUID | None
    source: Source
    reason: str | None = None
    releases: bool = False
    """Gives the grades back to the service: it may write them again."""


def decide(held: Held, entry: Entry, writer: Writer) -> Outcome:
    """Return what becomes of an entry over what is held. Pure."""
    by_service = writer.source is Source.AUTO and not writer.releases
    if by_service and held.version > 0 and held.source is not Source.AUTO:
        return Outcome.KEPT
    if entry.version is not None and entry.version != held.version:
        return Outcome.CONFLICT
    same_feedback = isinstance(entry.feedback, UnsetType) or entry.feedback == held.feedback
    # Who confirms by hand what was computed makes it theirs.
    same_source = by_service or held.version == 0 or (held.source is Source.AUTO) == (writer.source is Source.AUTO)
    if entry.score == held.score and same_feedback and same_source:
        return Outcome.UNCHANGED
    return Outcome.WRITTEN


async def write_grades(transaction: Transaction, item_id: UUID, entries: Sequence[Entry], writer: Writer) -> list[Done]:
    """Write the grades of one item, each student once, and return what became of each, in the order of `entries`."""
    assert len({each.user_id for each in entries}) == len(entries), "one student twice has no order"
    held = await read_held(transaction, item_id, [each.user_id for each in entries], lock=True)
    done: dict[UUID, Done] = {}
    for entry in entries:
        now = held.get(entry.user_id, Held())
        outcome = decide(now, entry, writer)
        new = _replaced(now, entry, writer, transaction.now) if outcome is Outcome.WRITTEN else now
        done[entry.user_id] = Done(entry.user_id, outcome, now, new)
    written = [each for each in done.values() if each.outcome is Outcome.WRITTEN]
    first = await _insert(transaction, item_id, [each for each in written if each.before.version == 0])
    lost = [each.user_id for each in written if each.before.version == 0 and each.user_id not in first]
    await _update(transaction, item_id, [each for each in written if each.before.version > 0])
    if lost:  # somebody was the first in this very moment
        there = await read_held(transaction, item_id, lost)
        for user_id in lost:
            outcome = Outcome.KEPT if writer.source is Source.AUTO else Outcome.CONFLICT
            done[user_id] = Done(user_id, outcome, there[user_id], there[user_id])
    kept = [each for each in done.values() if each.outcome is Outcome.WRITTEN]
    if kept:
        await transaction.execute(_NOTE, [_history(transaction, item_id, each, writer) for each in kept])
    return [done[each.user_id] for each in entries]


async def read_held(
    transaction: Transaction, item_id: UUID, user_ids: Collection[UUID], *, lock: bool = False
) -> Mapping[UUID, Held]:
    """Return the grades of some students in one item; who has none is not in it."""
    rows = await transaction.rows(_held(transaction.org_id, item_id, list(user_ids), locked=lock))
    return {row.user_id: held_of(row) for row in rows}


@prepared(lists=("user_ids",))
def _held(org_id: Any, item_id: Any, user_ids: Any, *, locked: bool) -> Select[Any]:
    statement = (
        select(grade)
        .where(grade.c.org_id == org_id, grade.c.item_id == item_id, grade.c.user_id.in_(user_ids))
        .order_by(grade.c.user_id)
    )
    return statement.with_for_update() if locked else statement


def held_of(row: Row[Any]) -> Held:
    """Return a row of the table as a value."""
    return Held(row.state, row.points, row.source, row.feedback, row.graded_by, row.version, row.updated_at)


def _replaced(held: Held, entry: Entry, writer: Writer, at: datetime) -> Held:
    return replace(
        held,
        state=entry.score.state,
        points=entry.score.points,
        source=writer.source,
        feedback=held.feedback if isinstance(entry.feedback, UnsetType) else entry.feedback,
        graded_by=writer.actor_id,
        version=held.version + 1,
        updated_at=at,
    )


def _values(held: Held) -> dict[str, Any]:
    return {
        "state": held.state,
        "points": held.points,
        "source": held.source,
        "feedback": held.feedback,
        "graded_by": held.graded_by,
        "version": held.version,
        "updated_at": held.updated_at,
    }


_NOTE: Final = insert(grade_history)


async def _insert(transaction: Transaction, item_id: UUID, fresh: Sequence[Done]) -> set[UUID]:
    """Return whose rows were made; the others had one already."""
    if not fresh:
        return set()
    rows = [
        {"org_id": transaction.org_id, "item_id": item_id, "user_id": each.user_id, **_values(each.held)}
        for each in sorted(fresh, key=lambda each: each.user_id)
    ]
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    made: set[UUID] = set()
    for first in range(0, len(rows), ROWS_OF_A_STATEMENT):
        statement = (
            upsert(grade)
            .values(rows[first : first + ROWS_OF_A_STATEMENT])
            .on_conflict_do_nothing()
            .returning(grade.c.user_id)
        )
        made |= {row.user_id for row in await transaction.rows(statement)}
    return made


_UPDATE: Final = (
    update(grade)
    .where(
        grade.c.org_id == bindparam("of_org"),
        grade.c.item_id == bindparam("of_item"),
        grade.c.user_id == bindparam("of_user"),
        grade.c.version == bindparam("of_version"),
    )
    .values({name: bindparam(name) for name in _values(Held())})
)


async def _update(transaction: Transaction, item_id: UUID, known: Sequence[Done]) -> None:
    """Write over rows that this transaction has locked."""
    if not known:
        return
    of_item = {"of_org": transaction.org_id, "of_item": item_id}
    for each in known:
        values = of_item | _values(each.held) | {"of_user": each.user_id, "of_version": each.before.version}
        result = await transaction.execute(_UPDATE, values)
        assert result.rowcount == 1, "the row is locked, so nobody else changed it"


def _history(transaction: Transaction, item_id: UUID, done: Done, writer: Writer) -> dict[str, Any]:
    return {
        "org_id": transaction.org_id,
        "item_id": item_id,
        "user_id": done.user_id,
        "version": done.held.version,
        "old_state": done.before.state,
        "old_points": done.before.points,
        "new_state": done.held.state,
        "new_points": done.held.points,
        "source": writer.source,
        "actor_id": writer.actor_id,
        "reason": writer.reason,
        "at": transaction.now,
    }
