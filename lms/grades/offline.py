"""Grades from queues of devices: the same act as by the endpoint, over the version that the device saw."""

from __future__ import annotations

from uuid import UUID

from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.audit.record import record_by
from lms.database.transaction import Transaction
from lms.grades.amounts import plain_or_none
from lms.grades.grading import check_students, conflict, item_to_grade, score_for, write_and_tell
from lms.grades.messages import BulkEntry, Reason
from lms.grades.tables import Source
from lms.grades.total import GradeState
from lms.grades.views import audited
from lms.grades.writing import Entry, Outcome, Writer
from lms.outbox.send import Outbox
from lms.sync.registry import Operations
from webapi.shapes import Answer


class QueuedGrade(BulkEntry, frozen=True, kw_only=True):
    """A grade that was given offline, over the version that the device saw."""

    item_id: UUID
    reason: Reason | None = None
    """For the history, e.g. why it was changed."""


class GradePlace(Answer, frozen=True, kw_only=True):
    """Which grade it is, and what it is now. Not the feedback: results are kept, and texts may be erased."""

    item_id: UUID
    user_id: UUID
    state: GradeState
    points: str | None
    version: int


class GradeQueue:
    """Adds grades to what can be done from queues."""

    def __init__(self, operations: Operations, outbox: Outbox) -> None:
        self._operations = operations
        self._outbox = outbox

    def add(self) -> None:
        """Add every operation."""
        self._operations.add("grade.set", QueuedGrade, self._set, access=Permission.GRADES_WRITE)

    async def _set(self, transaction: Transaction, caller: Caller, body: QueuedGrade) -> GradePlace:
        item = await item_to_grade(transaction, caller, body.item_id)
        await check_students(transaction, item, {body.user_id: "user_id"})
        score = score_for(item, body.state, body.points, "body.")
        entry = Entry(body.user_id, score, body.version, body.feedback)
        writer = Writer(caller.user_id, Source.MANUAL, body.reason)
        [done], written = await write_and_tell(transaction, self._outbox, item, [entry], writer)
        if done.outcome is Outcome.CONFLICT:
            raise conflict(item, done, "body.version", body.version)
        if written:
            old, new = audited(written)
            await record_by(transaction, caller.user_id, "grade.write", "grade_item", item.id, old=old, new=new)
        return GradePlace(
            item_id=item.id,
            user_id=done.user_id,
            state=done.held.state,
            points=plain_or_none(done.held.points),
            version=done.held.version,
        )
