"""Grades that the service gives: from attendance, again whenever it changes, and never over what a person wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.attendance.outcome import Status
from lms.attendance.tables import attendance_result, attendance_run
from lms.audit.record import record_by_service
from lms.classes.tables import class_run, live_class
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.grades.events import tell_grades
from lms.grades.from_attendance import Presence, score_of
from lms.grades.members import students_of
from lms.grades.store import items_of
from lms.grades.tables import ItemKind, Source, grade, grade_item
from lms.grades.total import Score
from lms.grades.views import audited, scale_value
from lms.grades.writing import Entry, Outcome, Writer, write_grades
from lms.outbox.relay import Message
from lms.outbox.send import Outbox

ATTENDANCE_UPDATED: Final = "attendance.updated"


class AttendanceGrades:
    """Listens to attendance, and fills in the items that follow it."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def consume(self, message: Message) -> None:
        """Take a message that results of a run changed; the same one again changes nothing."""
        course_id = message.payload.get("course_id")
        if course_id is None:
            return
        class_id = UUID(message.payload["class_id"])
        changed = {UUID(each) for each in message.payload["user_ids"]}
        async with self._database.write(message.org_id) as transaction:
            for row in await _items_to_fill(transaction, UUID(course_id), class_id):
                await fill_item(transaction, self._outbox, row, changed)


async def fill_item(
    transaction: Transaction, outbox: Outbox, item: Row[Any], among: Collection[UUID] | None = None
) -> None:
    """Compute the grades of an attendance item that is locked by the transaction; `among`: of these students alone."""
    assert item.kind is ItemKind.ATTENDANCE, "other items have no attendance"
    if item.locked_at is not None:
        return
    scores = await attendance_scores(transaction, item)
    students = {row.id for row in await transaction.rows(students_of(transaction, item.course_id))}
    if among is not None:
        students &= set(among)
    graded = select(grade.c.user_id).where(grade.c.org_id == transaction.org_id, grade.c.item_id == item.id)
    known = {row.user_id for row in await transaction.rows(graded)}
    entries = [
        Entry(user_id, scores.get(user_id, Score()), version=None)
        for user_id in sorted(students)
        if user_id in scores or user_id in known  # whose results went away has no grade any more
    ]
    done = await write_grades(
        transaction, item.id, entries, Writer(actor_id=None, source=Source.AUTO, reason="attendance")
    )
    written = [each for each in done if each.outcome is Outcome.WRITTEN]
    if written:
        old, new = audited(written)
        await record_by_service(transaction, "grade.compute", "grade_item", item.id, old=old, new=new)
        await tell_grades(transaction, outbox, item, [each.user_id for each in written])


async def attendance_scores(transaction: Transaction, item: Row[Any]) -> Mapping[UUID, Score]:
    """Return what attendance is worth in an item, of everybody who has a result."""
    statement = (
        select(
            attendance_result.c.user_id,
            attendance_result.c.status,
            attendance_result.c.override_status,
            attendance_result.c.percent,
            attendance_run.c.window_start,
            attendance_run.c.window_end,
            class_run.c.class_id,
        )
        .join(
            class_run,
            (class_run.c.org_id == attendance_result.c.org_id) & (class_run.c.id == attendance_result.c.run_id),
        )
        .join(live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id))
        .join(
            attendance_run,
            (attendance_run.c.org_id == class_run.c.org_id) & (attendance_run.c.run_id == class_run.c.id),
        )
        .where(
            attendance_result.c.org_id == transaction.org_id,
            live_class.c.course_id == item.course_id,
            attendance_run.c.computed_at.is_not(None),
        )
    )
    if item.ref_id != item.course_id:
        statement = statement.where(live_class.c.id == item.ref_id)
    presences: dict[UUID, list[Presence]] = {}
    for row in await transaction.rows(statement):
        presences.setdefault(row.user_id, []).append(_presence(row))
    scale = scale_value(item.scale)
    return {user_id: score_of(found, scale, item.max_points) for user_id, found in presences.items()}


def _presence(row: Row[Any]) -> Presence:
    status: Status = row.override_status or row.status
    length = row.window_end - row.window_start if row.window_start and row.window_end else timedelta(0)
    window_us = length // timedelta(microseconds=1)
    return Presence(row.class_id, status, row.percent, max(window_us, 0), is_judged=row.override_status is not None)


async def _items_to_fill(transaction: Transaction, course_id: UUID, class_id: UUID) -> list[Row[Any]]:
    """Return the items that follow a class, each held so that nobody locks or deletes it meanwhile."""
    found = []
    for row in await items_of(transaction, course_id):
        if row.kind is ItemKind.ATTENDANCE and row.ref_id in {class_id, course_id}:
            own = (grade_item.c.org_id == transaction.org_id, grade_item.c.id == row.id)
            held = await transaction.one(select(grade_item).where(*own).with_for_update())
            if held.deleted_at is None:
                found.append(held)
    return found
