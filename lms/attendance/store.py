"""Reading and writing what attendance hangs on: facts, rosters, guests, rules and results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, or_, select, update

from lms.attendance.facts import Boot, Fact, Inference, microseconds, moment_of
from lms.attendance.intervals import Interval, Place
from lms.attendance.outcome import Outcome, Status
from lms.attendance.policy import Policy
from lms.attendance.runs import HeldRun
from lms.attendance.tables import (
    attendance_event,
    attendance_guest,
    attendance_heard,
    attendance_history,
    attendance_interval,
    attendance_policy,
    attendance_result,
    attendance_roster,
)
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.ids import Ids

LEASE: Final = timedelta(seconds=45)
"""A media server that we did not hear of for so long is taken for lost; three of our polls and more."""

ORGANIZATION: Final = "organization"

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """The rules of a run, and where they come from."""

    policy: Policy
    policy_id: UUID | None = None
    """None for the defaults of the service."""
    version: int = 0
    is_of_course: bool = False
    """Set for the course itself, not for the whole organization."""


async def read_facts(transaction: Transaction, run: HeldRun) -> tuple[list[Fact], dict[str, Place]]:
    """Return all facts of a run and of its breakouts, and which of their rooms is what."""
    wanted = sorted({run.run_id, *run.breakouts})
    rows = await transaction.rows(_facts_of(transaction.org_id, wanted))
    places = {row.room: Place.MAIN if row.run_id == run.run_id else Place.BREAKOUT for row in rows}
    return [_fact(row) for row in rows], places


async def read_lost(transaction: Transaction, run: HeldRun) -> dict[Boot, int]:
    """Return which processes are not heard of any more, with when they were last."""
    rows = await transaction.rows(
        select(attendance_heard.c.node, attendance_heard.c.boot_id, attendance_heard.c.heard_at).where(
            attendance_heard.c.org_id == transaction.org_id,
            attendance_heard.c.run_id.in_(sorted({run.run_id, *run.breakouts})),
            attendance_heard.c.heard_at < transaction.now - LEASE,
        )
    )
    lost: dict[Boot, int] = {}
    for row in rows:
        boot = Boot(row.node, row.boot_id)
        lost[boot] = max(lost.get(boot, 0), microseconds(row.heard_at))
    return lost


async def read_roster(transaction: Transaction, run_id: UUID) -> dict[UUID, str | None]:
    """Return who was expected, and why somebody is excused."""
    own = (attendance_roster.c.org_id == transaction.org_id, attendance_roster.c.run_id == run_id)
    rows = await transaction.rows(select(attendance_roster).where(*own))
    return {row.user_id: row.excused_reason for row in rows}


async def add_to_roster(transaction: Transaction, run_id: UUID, users: Iterable[UUID]) -> None:
    """Note that these were expected."""
    rows = [
        {"org_id": transaction.org_id, "run_id": run_id, "user_id": user_id, "taken_at": transaction.now}
        for user_id in sorted(users)
    ]
    if rows:
        await transaction.execute(insert(attendance_roster), rows)


async def read_guests(transaction: Transaction, run: HeldRun) -> Mapping[str, Row[Any]]:
    """Return the guests of a run and its breakouts by identity; who was recognised counts before who was not."""
    rows = await transaction.rows(
        select(attendance_guest)
        .where(
            attendance_guest.c.org_id == transaction.org_id,
            attendance_guest.c.run_id.in_(sorted({run.run_id, *run.breakouts})),
        )
        .order_by(attendance_guest.c.identity, attendance_guest.c.run_id)
    )
    return {row.identity: row for row in sorted(rows, key=lambda row: row.user_id is not None)}


async def choose_policy(
    transaction: Transaction, course_id: UUID | None, policy_id: UUID | None = None
) -> ChosenPolicy:
    """Return the rules of a course: its own, else the organization's, else the defaults. `policy_id` goes before."""
    scopes = [ORGANIZATION] if course_id is None else [scope_of(course_id), ORGANIZATION]
    rows = await transaction.rows(
        select(attendance_policy).where(
            attendance_policy.c.org_id == transaction.org_id,
            or_(attendance_policy.c.scope.in_(scopes), attendance_policy.c.id == policy_id),
        )
    )
    found = {row.scope: row for row in rows}
    chosen = next((row for row in rows if row.id == policy_id), None) or next(
        (found[scope] for scope in scopes if scope in found), None
    )
    if chosen is None:
        return ChosenPolicy(Policy())
    return ChosenPolicy(policy_of(chosen), chosen.id, chosen.version, chosen.scope != ORGANIZATION)


def scope_of(course_id: UUID | None) -> str:
    """Return the word for whose rules they are."""
    return ORGANIZATION if course_id is None else f"course:{course_id}"


def policy_of(row: Row[Any]) -> Policy:
    """Return a policy as it was stored."""
    return Policy(**{each.name: getattr(row, each.name) for each in fields(Policy)})


async def read_results(transaction: Transaction, run_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Return the results of runs."""
    return await transaction.rows(_results_of(transaction.org_id, sorted(run_ids)))


@prepared(lists=("run_ids",))
def _results_of(org_id: Any, run_ids: Any) -> Select[Any]:
    return select(attendance_result).where(
        attendance_result.c.org_id == org_id, attendance_result.c.run_id.in_(run_ids)
    )


@prepared(lists=("run_ids",))
def _facts_of(org_id: Any, run_ids: Any) -> Select[Any]:
    return select(attendance_event).where(attendance_event.c.org_id == org_id, attendance_event.c.run_id.in_(run_ids))


async def write_results(
    transaction: Transaction, ids: Ids, run_id: UUID, outcomes: Iterable[Outcome], chosen: ChosenPolicy, *, reason: str
) -> list[UUID]:
    """Write what came out, where it is not what stands there already; return whose it was.

    Overrides stay. What is changed goes into the history; what is there for the first time does not.
    """
    before = {row.user_id: row for row in await read_results(transaction, [run_id])}
    new, history, changed = [], [], []
    for outcome in outcomes:
        user_id = UUID(outcome.identity)
        values = _values(outcome)
        row = before.get(user_id)
        if row is not None and all(row._mapping[name] == value for name, value in values.items()):
            continue
        changed.append(user_id)
        values |= {
            "policy_id": chosen.policy_id,
            "policy_version": chosen.version,
            "input_hash": outcome.input_hash,
            "computed_at": transaction.now,
        }
        if row is None:
            new.append({"org_id": transaction.org_id, "run_id": run_id, "user_id": user_id, **values})
            continue
        await transaction.execute(
            update(attendance_result).where(*_of(attendance_result, transaction, run_id, user_id)).values(values)
        )
        history.append((user_id, told(row), {**told(row), **_plain(outcome)}))
    for first in range(0, len(new), _ROWS_AT_ONCE):
        await transaction.execute(insert(attendance_result), new[first : first + _ROWS_AT_ONCE])
    for user_id, old, now in history:
        await note_change(transaction, ids, run_id, user_id, old=old, new=now, actor_id=None, reason=reason)
    return changed


async def note_change(
    transaction: Transaction,
    ids: Ids,
    run_id: UUID,
    user_id: UUID,
    *,
    old: dict[str, Any] | None,
    new: dict[str, Any],
    actor_id: UUID | None,
    reason: str,
) -> None:
    """Append to the history of a result."""
    row = {"id": ids.new(), "run_id": run_id, "user_id": user_id, "old": old, "new": new, "actor_id": actor_id}
    await transaction.execute(
        insert(attendance_history).values(org_id=transaction.org_id, reason=reason, at=transaction.now, **row)
    )


async def replace_intervals(transaction: Transaction, run_id: UUID, intervals: Iterable[Interval]) -> None:
    """Keep the intervals of a run that is over in place of those that were there."""
    own = (attendance_interval.c.org_id == transaction.org_id, attendance_interval.c.run_id == run_id)
    await transaction.execute(delete(attendance_interval).where(*own))
    rows = [
        {
            "org_id": transaction.org_id,
            "run_id": run_id,
            "node": each.boot.node,
            "boot_id": each.boot.boot_id,
            "connection": each.connection,
            "ordinal": each.ordinal,
            "identity": each.identity,
            "place": each.place,
            "start_at": moment_of(each.start_us),
            "end_at": moment_of(each.end_us),
            "close": each.close,
        }
        for each in intervals
    ]
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        await transaction.execute(insert(attendance_interval), rows[first : first + _ROWS_AT_ONCE])


def told(row: Row[Any]) -> dict[str, Any]:
    """Return a stored result as the history tells it."""
    override: Status | None = row.override_status
    return {
        "status": row.status.value,
        "present_s": row.present_s,
        "percent": str(row.percent),
        "joins": row.joins,
        "override": None if override is None else override.value,
        "note": row.override_note,
    }


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status.value,
        "present_s": outcome.present_s,
        "percent": str(outcome.percent),
        "joins": outcome.joins,
    }


def _values(outcome: Outcome) -> dict[str, Any]:
    def moment(at_us: int | None) -> datetime | None:
        return None if at_us is None else moment_of(at_us)

    percent: Decimal = outcome.percent
    return {
        "status": outcome.status,
        "present_s": outcome.present_s,
        "percent": percent,
        "first_join": moment(outcome.first_join_us),
        "last_leave": moment(outcome.last_leave_us),
        "joins": outcome.joins,
        "late_s": outcome.late_s,
        "early_s": outcome.early_s,
    }


def _of(table: Any, transaction: Transaction, run_id: UUID, user_id: UUID) -> tuple[Any, ...]:
    return (table.c.org_id == transaction.org_id, table.c.run_id == run_id, table.c.user_id == user_id)


def _fact(row: Row[Any]) -> Fact:
    inferred = None
    if row.inferred_boot_id is not None:
        inferred = Inference(row.inferred_boot_id, row.inferred_uptime_us)
    return Fact(
        boot=Boot(row.node, row.boot_id),
        seq=row.seq,
        kind=row.kind,
        room=row.room,
        at_us=microseconds(row.at),
        uptime_us=row.uptime_us,
        participant=row.participant,
        identity=row.identity,
        reason=row.reason,
        hidden=row.hidden,
        inferred=inferred,
        received_us=microseconds(row.received_at),
    )
