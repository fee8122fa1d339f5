"""Computing attendance from what is stored: live for who looks, and settled once a run is over.

Both are the same function of the same facts; settling writes down what came out, where it is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.attendance.facts import microseconds, moment_of
from lms.attendance.runs import HeldRun, expected_of, find_run
from lms.attendance.sheet import Roster, Run, Sheet, fill_sheet
from lms.attendance.store import (
    ChosenPolicy,
    add_to_roster,
    choose_policy,
    read_facts,
    read_guests,
    read_lost,
    read_roster,
    replace_intervals,
    write_results,
)
from lms.attendance.tables import attendance_run
from lms.classes.room import user_of
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.outbox.send import Outbox

UPDATED = "attendance.updated"
"""Topic of the outbox: results of a run are new or other than before."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A sheet, with what it was computed by."""

    sheet: Sheet
    chosen: ChosenPolicy
    guests: dict[str, Row[Any]]
    roster: Mapping[UUID, str | None]
    """Who was expected, and why somebody is excused."""
    state: Row[Any] | None
    """The run's row of `attendance_run`."""


async def compute(transaction: Transaction, run: HeldRun) -> Computed:
    """Return the sheet of a run as it is now; nothing is written."""
    facts, places = await read_facts(transaction, run)
    guests = dict(await read_guests(transaction, run))
    chosen = await choose_policy(transaction, run.course_id, run.policy_id)
    state = await read_state(transaction, run.run_id)
    if state is None or state.roster_at is None:  # who would be noted now
        roster = dict.fromkeys(await expected_of(transaction, run))
    else:
        roster = await read_roster(transaction, run.run_id)
    known = {identity: str(user_id) for each in facts if (user_id := user_of(identity := each.identity)) is not None}
    known |= {identity: str(row.user_id) for identity, row in guests.items() if row.user_id is not None}
    sheet = fill_sheet(
        facts,
        Run(
            started_us=microseconds(run.started_at),
            ended_us=None if run.ended_at is None else microseconds(run.ended_at),
            scheduled=run.scheduled,
            places=places,
        ),
        Roster(
            expected={str(user_id) for user_id in roster},
            excused={str(user_id) for user_id, reason in roster.items() if reason is not None},
            identities=known,
        ),
        chosen.policy,
        now_us=microseconds(transaction.now),
        lost=await read_lost(transaction, run),
    )
    return Computed(sheet, chosen, guests, roster, state)


async def lock_run(transaction: Transaction, run_id: UUID) -> Row[Any]:
    """Return where a run's attendance stands, and let nobody else change it until the transaction ends."""
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    row = {"org_id": transaction.org_id, "run_id": run_id, "clock_steps": 0, "losses": 0, "version": 0}
    await transaction.execute(upsert(attendance_run).values(row).on_conflict_do_nothing())
    own = (attendance_run.c.org_id == transaction.org_id, attendance_run.c.run_id == run_id)
    return await transaction.one(select(attendance_run).where(*own).with_for_update())


async def read_state(transaction: Transaction, run_id: UUID) -> Row[Any] | None:
    """Return where a run's attendance stands."""
    own = (attendance_run.c.org_id == transaction.org_id, attendance_run.c.run_id == run_id)
    return await transaction.first(select(attendance_run).where(*own))


async def take_roster(transaction: Transaction, run: HeldRun) -> bool:
    """Note who is expected, once; return whether that was now."""
    own = (attendance_run.c.org_id == transaction.org_id, attendance_run.c.run_id == run.run_id)
    if (await lock_run(transaction, run.run_id)).roster_at is not None:
        return False
    await add_to_roster(transaction, run.run_id, await expected_of(transaction, run))
    await transaction.execute(update(attendance_run).where(*own).values(roster_at=transaction.now))
    return True


async def settle(transaction: Transaction, ids: Ids, outbox: Outbox, run_id: UUID, *, reason: str) -> list[UUID]:
    """Compute a run that is over and write down what is new; return whose result changed.

    For a run that lasts, only the roster is taken: it is settled once it is over.
    """
    run = await find_run(transaction, run_id)
    if run is None:
        return []
    await take_roster(transaction, run)
    if run.ended_at is None:
        return []
    computed = await compute(transaction, run)
    sheet = computed.sheet
    changed = await write_results(transaction, ids, run.run_id, sheet.members, computed.chosen, reason=reason)
    await replace_intervals(transaction, run.run_id, sheet.intervals)
    values: dict[str, Any] = {
        "due_at": None,
        "computed_at": transaction.now,
        "window_start": moment_of(sheet.window.start_us),
        "window_end": moment_of(sheet.window.end_us),
        "clock_steps": sheet.clock_steps,
    }
    if changed:
        values["version"] = attendance_run.c.version + 1
        await tell_updated(transaction, outbox, run, changed)
    own = (attendance_run.c.org_id == transaction.org_id, attendance_run.c.run_id == run.run_id)
    await transaction.execute(update(attendance_run).where(*own).values(values))
    return changed


async def tell_updated(transaction: Transaction, outbox: Outbox, run: HeldRun, users: Iterable[UUID]) -> None:
    """Have others told that results are other than before: grades that follow attendance, pages that show it."""
    payload = {
        "run_id": str(run.run_id),
        "class_id": str(run.class_id),
        "course_id": None if run.course_id is None else str(run.course_id),
        "user_ids": sorted(str(each) for each in users),
    }
    await outbox.send(transaction, UPDATED, key=str(run.run_id), payload=payload)
