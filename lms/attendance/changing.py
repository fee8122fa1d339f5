"""What teachers change in a sheet, each with a reason: overrides, excuses, and who a guest was."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from lms.api.problems import ProblemError, not_found
from lms.attendance.computing import compute, lock_run, settle, take_roster, tell_updated
from lms.attendance.outcome import Status
from lms.attendance.problems import NO_GUEST, NOT_EXPECTED
from lms.attendance.runs import HeldRun
from lms.attendance.store import note_change, read_guests, told, write_results
from lms.attendance.tables import attendance_guest, attendance_result, attendance_roster
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.outbox.send import Outbox
from lms.people.problems import THE_USER
from lms.people.tables import app_user


class Changes:
    """Changes of one run's sheet, in the caller's transaction."""

    def __init__(self, transaction: Transaction, ids: Ids, outbox: Outbox, run: HeldRun, actor_id: UUID) -> None:
        self._transaction = transaction
        self._ids = ids
        self._outbox = outbox
        self._run = run
        self._actor_id = actor_id

    async def override(self, user_id: UUID, status: Status | None, reason: str) -> tuple[Any, Any]:
        """Set or take back what somebody was; return the result before and after, for the audit log."""
        await lock_run(self._transaction, self._run.run_id)
        await self._expected(user_id)
        own = self._own(attendance_result, user_id)
        row = await self._transaction.first(select(attendance_result).where(*own))
        if row is None:  # the class lasts: what has come so far is written down with it
            computed = await compute(self._transaction, self._run)
            mine = [each for each in computed.sheet.members if each.identity == str(user_id)]
            await write_results(
                self._transaction, self._ids, self._run.run_id, mine, computed.chosen, reason="override"
            )
            row = await self._transaction.one(select(attendance_result).where(*own))
        old = told(row)
        given = status is not None
        values = {
            "override_status": status,
            "override_by": self._actor_id if given else None,
            "override_at": self._transaction.now if given else None,
            "override_note": reason if given else None,
        }
        await self._transaction.execute(update(attendance_result).where(*own).values(values))
        new = told(await self._transaction.one(select(attendance_result).where(*own)))
        await self._note(user_id, old, new, reason)
        await self._tell(user_id)
        return old, new

    async def excuse(self, user_id: UUID, *, excused: bool, reason: str) -> tuple[Any, Any]:
        """Excuse somebody, or take it back; return the reason before and after."""
        await lock_run(self._transaction, self._run.run_id)
        before = await self._expected(user_id)
        after = reason if excused else None
        own = self._own(attendance_roster, user_id)
        await self._transaction.execute(update(attendance_roster).where(*own).values(excused_reason=after))
        await self._note(user_id, {"excused": before}, {"excused": after}, reason)
        await settle(self._transaction, self._ids, self._outbox, self._run.run_id, reason="excuse")
        return before, after

    async def recognise(self, identity: str, user_id: UUID | None, reason: str) -> tuple[Any, Any]:
        """Say who a guest was, or take it back; return who it was before and after."""
        await lock_run(self._transaction, self._run.run_id)
        guest = (await read_guests(self._transaction, self._run)).get(identity)
        if guest is None:
            raise ProblemError(NO_GUEST, field="identity", value=identity, rule="exists")
        if user_id is not None:
            known = (app_user.c.org_id == self._transaction.org_id, app_user.c.id == user_id)
            if await self._transaction.first(select(app_user.c.id).where(*known)) is None:
                raise not_found(THE_USER)
        given = user_id is not None
        await self._transaction.execute(
            update(attendance_guest)
            .where(
                attendance_guest.c.org_id == self._transaction.org_id,
                attendance_guest.c.run_id.in_(sorted({self._run.run_id, *self._run.breakouts})),
                attendance_guest.c.identity == identity,
            )
            .values(
                user_id=user_id,
                claimed_by=self._actor_id if given else None,
                claimed_at=self._transaction.now if given else None,
            )
        )
        await settle(self._transaction, self._ids, self._outbox, self._run.run_id, reason=reason)
        return guest.user_id, user_id

    async def _expected(self, user_id: UUID) -> str | None:
        """Return why somebody is excused, None if they are not; raises ProblemError for who was not expected."""
        await take_roster(self._transaction, self._run)
        row = await self._transaction.first(
            select(attendance_roster.c.excused_reason).where(*self._own(attendance_roster, user_id))
        )
        if row is None:
            raise ProblemError(NOT_EXPECTED, field="user_id", value=str(user_id), rule="roster")
        reason: str | None = row.excused_reason
        return reason

    async def _note(self, user_id: UUID, old: dict[str, Any], new: dict[str, Any], reason: str) -> None:
        await note_change(
            self._transaction,
            self._ids,
            self._run.run_id,
            user_id,
            old=old,
            new=new,
            actor_id=self._actor_id,
            reason=reason,
        )

    async def _tell(self, user_id: UUID) -> None:
        await tell_updated(self._transaction, self._outbox, self._run, [user_id])

    def _own(self, table: Any, user_id: UUID) -> tuple[Any, ...]:
        return (
            table.c.org_id == self._transaction.org_id,
            table.c.run_id == self._run.run_id,
            table.c.user_id == user_id,
        )
