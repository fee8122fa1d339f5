"""Keeping what the feed told: facts, guests, how far we have read and whom we heard, in one transaction.

Facts that come again change nothing: no row, no recomputation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from control_api.contract import FeedEvent, ParticipantJoined
from lms.attendance.facts import Boot, Fact, fact_of, lost_events, microseconds, moment_of
from lms.attendance.tables import attendance_event, attendance_feed, attendance_guest, attendance_heard, attendance_run
from lms.classes.room import user_of
from lms.classes.tables import class_run
from lms.database.transaction import Transaction

SETTLED: Final = timedelta(minutes=2)
"""So long after the last fact of a run its attendance is computed: stragglers have arrived by then."""

HEARD_BEYOND: Final = timedelta(minutes=10)
"""So long after the end of a run it is noted that its server lives: longer than any gap of the feed counts."""

_ROWS_AT_ONCE: Final = 500  # SQLite takes 32,766 values a statement


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact that was new."""

    org_id: UUID
    run_id: UUID
    fact: Fact


async def read_cursor(transaction: Transaction, server: str) -> str | None:
    """Return where to read on; None at the first time."""
    cursor: str | None = await transaction.value(
        select(attendance_feed.c.cursor).where(attendance_feed.c.server == server)
    )
    return cursor


async def keep_page(
    transaction: Transaction, server: str, events: Sequence[FeedEvent], cursor: str, *, is_newest: bool
) -> list[Kept]:
    """Keep a page of the feed and return what was new. `is_newest`: nothing more waits to be read."""
    now_us = microseconds(transaction.now)
    facts = [fact for event in events if (fact := fact_of(event, received_us=now_us)) is not None]
    runs = await _find_runs(transaction, {fact.room for fact in facts})
    kept = await _keep_facts(transaction, facts, runs)
    await _keep_guests(transaction, kept, events)
    await _keep_boots(transaction, kept)
    await _make_due(transaction, {(each.org_id, each.run_id) for each in kept})
    lost = sum(lost_events(event) for event in events)
    if lost:
        await note_loss(transaction, server)
    await _keep_place(transaction, server, events, cursor, lost=lost, is_newest=is_newest)
    return kept


async def begin_anew(transaction: Transaction, server: str) -> None:
    """Forget the cursor: what followed it is not kept any more, and perhaps lost."""
    await note_loss(transaction, server)
    await _upsert(
        transaction,
        attendance_feed,
        {"server": server, "cursor": None, "lost_events": 0, "gone": 1, "heard_at": transaction.now},
        ("server",),
        lambda _new: {"cursor": None, "gone": attendance_feed.c.gone + 1},
    )


async def note_loss(transaction: Transaction, server: str) -> None:
    """Note for all runs that lasted since we last heard of a server that presence may be missing."""
    heard_at = await transaction.value(select(attendance_feed.c.heard_at).where(attendance_feed.c.server == server))
    touched = select(class_run.c.org_id, class_run.c.id).where(
        class_run.c.started_at <= transaction.now,
        or_(class_run.c.ended_at.is_(None), class_run.c.ended_at >= (heard_at or transaction.now)),
    )
    for row in await transaction.rows(touched):
        await _make_due(transaction, {(row.org_id, row.id)})
        await transaction.execute(
            update(attendance_run)
            .where(attendance_run.c.org_id == row.org_id, attendance_run.c.run_id == row.id)
            .values(losses=attendance_run.c.losses + 1)
        )


async def _find_runs(transaction: Transaction, rooms: Collection[str]) -> Mapping[str, tuple[UUID, UUID]]:
    """Return organization and run of each room that is one of ours; others share the media server with us."""
    if not rooms:
        return {}
    found = await transaction.rows(
        select(class_run.c.room, class_run.c.org_id, class_run.c.id).where(class_run.c.room.in_(sorted(rooms)))
    )
    return {row.room: (row.org_id, row.id) for row in found}


async def _keep_facts(
    transaction: Transaction, facts: Iterable[Fact], runs: Mapping[str, tuple[UUID, UUID]]
) -> list[Kept]:
    wanted = {fact.key: Kept(*runs[fact.room], fact) for fact in facts if fact.room in runs}
    rows = [_row_of(each, transaction) for each in wanted.values()]
    insert = _insert(transaction)
    kept = []
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        new = await transaction.rows(
            insert(attendance_event)
            .values(rows[first : first + _ROWS_AT_ONCE])
            .on_conflict_do_nothing()
            .returning(attendance_event.c.node, attendance_event.c.boot_id, attendance_event.c.seq)
        )
        kept += [wanted[row.node, row.boot_id, row.seq] for row in new]
    return kept


def _row_of(kept: Kept, transaction: Transaction) -> dict[str, Any]:
    fact = kept.fact
    return {
        "org_id": kept.org_id,
        "node": fact.boot.node,
        "boot_id": fact.boot.boot_id,
        "seq": fact.seq,
        "run_id": kept.run_id,
        "kind": fact.kind,
        "room": fact.room,
        "at": moment_of(fact.at_us),
        "uptime_us": fact.uptime_us,
        "participant": fact.participant,
        "identity": fact.identity,
        "reason": fact.reason,
        "hidden": fact.hidden,
        "inferred_boot_id": None if fact.inferred is None else fact.inferred.boot_id,
        "inferred_uptime_us": None if fact.inferred is None else fact.inferred.uptime_us,
        "received_at": transaction.now,
    }


async def _keep_guests(transaction: Transaction, kept: Iterable[Kept], events: Sequence[FeedEvent]) -> None:
    """Note the names of those who are no accounts: the first that each had in a run."""
    names = {
        event.event.identity: event.event.name or ""
        for event in reversed(events)
        if isinstance(event.event, ParticipantJoined) and not event.event.hidden
    }
    guests = {
        (each.org_id, each.run_id, each.fact.identity)
        for each in kept
        if each.fact.identity in names and user_of(each.fact.identity) is None
    }
    for org_id, run_id, identity in sorted(guests):
        row = {"org_id": org_id, "run_id": run_id, "identity": identity, "name": names[identity]}
        await transaction.execute(_insert(transaction)(attendance_guest).values(row).on_conflict_do_nothing())


async def _make_due(transaction: Transaction, runs: Collection[tuple[UUID, UUID]]) -> None:
    due_at = transaction.now + SETTLED
    for org_id, run_id in sorted(runs):
        row = {"org_id": org_id, "run_id": run_id, "due_at": due_at, "clock_steps": 0, "losses": 0, "version": 0}
        await _upsert(transaction, attendance_run, row, ("org_id", "run_id"), lambda new: {"due_at": new.due_at})


async def _keep_place(
    transaction: Transaction, server: str, events: Sequence[FeedEvent], cursor: str, *, lost: int, is_newest: bool
) -> None:
    """Note how far we have read; and that the server lives, if it told us everything that it has."""
    told = [(event.node, event.boot_id) for event in events if event.boot_id is not None]
    row: dict[str, Any] = {
        "server": server, "cursor": cursor, "lost_events": lost, "gone": 0, "heard_at": transaction.now,
    }  # fmt: skip
    if told:
        row["node"], row["boot_id"] = told[-1]

    def changed(new: Any) -> dict[str, Any]:
        values = {"cursor": new.cursor, "lost_events": attendance_feed.c.lost_events + new.lost_events}
        if told:
            values |= {"node": new.node, "boot_id": new.boot_id}
        return values | ({"heard_at": new.heard_at} if is_newest else {})

    await _upsert(transaction, attendance_feed, row, ("server",), changed)
    place = await transaction.one(select(attendance_feed).where(attendance_feed.c.server == server))
    if place.boot_id is not None and is_newest:
        await _hear(transaction, Boot(place.node, place.boot_id))


async def _hear(transaction: Transaction, boot: Boot) -> None:
    """Note that a process lives, for all runs on it that last, or that ended a moment ago: one statement."""
    lasts = select(class_run.c.id).where(
        class_run.c.org_id == attendance_heard.c.org_id,
        class_run.c.id == attendance_heard.c.run_id,
        or_(class_run.c.ended_at.is_(None), class_run.c.ended_at > transaction.now - HEARD_BEYOND),
    )
    await transaction.execute(
        update(attendance_heard)
        .where(attendance_heard.c.node == boot.node, attendance_heard.c.boot_id == boot.boot_id, lasts.exists())
        .values(heard_at=transaction.now)
    )


async def _keep_boots(transaction: Transaction, kept: Iterable[Kept]) -> None:
    """Note on which processes runs were held."""
    held = {(each.org_id, each.run_id, each.fact.boot) for each in kept if each.fact.inferred is None}
    for org_id, run_id, boot in sorted(held):
        row = {"org_id": org_id, "run_id": run_id, "node": boot.node, "boot_id": boot.boot_id}
        statement = _insert(transaction)(attendance_heard).values(**row, heard_at=transaction.now)
        await transaction.execute(statement.on_conflict_do_nothing())


async def _upsert(
    transaction: Transaction,
    table: Any,
    row: dict[str, Any],
    key: tuple[str, ...],
    change: Callable[[Any], dict[str, Any]],
) -> None:
    statement = _insert(transaction)(table).values(row)
    changed = change(statement.excluded)
    await transaction.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _insert(transaction: Transaction) -> Any:
    return postgresql.insert if transaction.is_postgresql else sqlite.insert
