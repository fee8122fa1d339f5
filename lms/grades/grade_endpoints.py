"""Endpoints of grades themselves: list, enter one or many, give back to the service, and what was there before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import PageQuery, fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import NOT_FOUND, VERSION_REQUIRED, ProblemError, bad_field
from lms.audit.record import record
from lms.courses.problems import COURSE_ARCHIVED
from lms.grades.automatic import attendance_scores
from lms.grades.category_endpoints import TAG
from lms.grades.grading import check_students, conflict, item_to_grade, score_for, write_and_tell
from lms.grades.members import course_to_read, students_of
from lms.grades.messages import (
    BulkEntry,
    BulkInput,
    ChangeView,
    GradeInput,
    GradeOutcome,
    GradePath,
    GradesPageQuery,
    GradeView,
    ItemPath,
    StudentGradeView,
)
from lms.grades.problems import GRADE_CONFLICT, ITEM_LOCKED
from lms.grades.store import find_item
from lms.grades.tables import ItemKind, Source, grade_history
from lms.grades.total import Score
from lms.grades.views import audited, change_view, grade_view, outcome_view
from lms.grades.writing import Done, Entry, Held, Outcome, Writer, read_held
from lms.parts import Parts
from lms.people.tables import app_user

BULK_BYTES_MAX: Final = 2 << 20  # 100 grades with the longest feedback, in Arabic


class SingleGradeEndpoints:
    """Grades of one item."""

    def __init__(self, parts: Parts) -> None:
        self._outbox = parts.outbox

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_grades",
                method="GET",
                path="/api/v1/grade-items/{item_id}/grades",
                summary="List the students of an item and their grades",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=ItemPath,
                query=GradesPageQuery,
                answers={200: Reply("A page of the course's students, by name.", list[StudentGradeView])},
                problems=(NOT_FOUND,),
                run=self._list,
            ),
            Endpoint(
                operation="get_grade",
                method="GET",
                path="/api/v1/grade-items/{item_id}/grades/{user_id}",
                summary="Look at a grade",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradePath,
                answers={200: Reply("The grade; version 0 if there is none yet.", GradeView)},
                problems=(NOT_FOUND,),
                run=self._get,
            ),
            Endpoint(
                operation="set_grade",
                method="PUT",
                path="/api/v1/grade-items/{item_id}/grades/{user_id}",
                summary="Grade a student",
                description="`If-Match` names the version that it replaces, 0 where there is none. If somebody was "
                "faster, the answer is 409 with the grade that is there now in `error.details.more.grade`.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=GradePath,
                body=GradeInput,
                answers={200: Reply("The grade.", GradeView)},
                problems=(NOT_FOUND, COURSE_ARCHIVED, GRADE_CONFLICT, ITEM_LOCKED, VERSION_REQUIRED),
                versioned=True,
                idempotency_key=True,
                run=self._set,
            ),
            Endpoint(
                operation="release_grade",
                method="DELETE",
                path="/api/v1/grade-items/{item_id}/grades/{user_id}",
                summary="Take a grade back",
                description="The student has none then; of an item of kind `attendance`, the one that the service "
                "computes. The history keeps what was there.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=GradePath,
                answers={200: Reply("The grade as it is now.", GradeView)},
                problems=(NOT_FOUND, COURSE_ARCHIVED, GRADE_CONFLICT, ITEM_LOCKED, VERSION_REQUIRED),
                versioned=True,
                run=self._release,
            ),
            Endpoint(
                operation="set_grades",
                method="PUT",
                path="/api/v1/grade-items/{item_id}/grades",
                summary="Grade several students",
                description="Each entry names the version that it replaces. Those that somebody else was faster with "
                "are answered with outcome `conflict` and the grade that is there; the others are written.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=ItemPath,
                body=BulkInput,
                body_bytes_max=BULK_BYTES_MAX,
                answers={200: Reply("What became of each, in the order of the request.", list[GradeOutcome])},
                problems=(NOT_FOUND, COURSE_ARCHIVED, ITEM_LOCKED),
                idempotency_key=True,
                run=self._set_many,
            ),
            Endpoint(
                operation="list_grade_history",
                method="GET",
                path="/api/v1/grade-items/{item_id}/grades/{user_id}/history",
                summary="List all that a grade has been",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradePath,
                query=PageQuery,
                answers={200: Reply("A page of changes, newest first.", list[ChangeView])},
                problems=(NOT_FOUND,),
                run=self._history,
            ),
        )

    async def _list(self, call: Call[ItemPath, GradesPageQuery, Nothing]) -> Result:
        item = await self._item_to_read(call, call.path.item_id)
        statement = students_of(call.transaction, item.course_id)
        order = (app_user.c.sort_key, app_user.c.id)
        students, following = await fetch_page(call.transaction, statement, order, call.query)
        held = await read_held(call.transaction, item.id, [row.id for row in students])
        views = [
            StudentGradeView(
                user_id=row.id,
                code=row.code,
                name=row.display_name,
                grade=grade_view(item.id, row.id, held.get(row.id, Held())),
            )
            for row in students
        ]
        return Result(views, next=following)

    async def _get(self, call: Call[GradePath, Nothing, Nothing]) -> Result:
        item = await self._item_to_read(call, call.path.item_id)
        held = await self._held_or_student(call, item)
        return Result(grade_view(item.id, call.path.user_id, held), version=held.version)

    async def _set(self, call: Call[GradePath, Nothing, GradeInput]) -> Result:
        item = await item_to_grade(call.transaction, call.caller, call.path.item_id)
        await check_students(call.transaction, item, {call.path.user_id: "user_id"})
        body = call.body
        score = score_for(item, body.state, body.points)
        entry = Entry(call.path.user_id, score, _expected(call), body.feedback)
        done = (await self._write(call, item, [entry], _writer(call, body.reason)))[0]
        return _one(item, done, call)

    async def _release(self, call: Call[GradePath, Nothing, Nothing]) -> Result:
        item = await item_to_grade(call.transaction, call.caller, call.path.item_id)
        await self._held_or_student(call, item)
        score = Score()
        if item.kind is ItemKind.ATTENDANCE:
            score = (await attendance_scores(call.transaction, item)).get(call.path.user_id, Score())
        entry = Entry(call.path.user_id, score, _expected(call), feedback=None)
        writer = Writer(call.caller.user_id, Source.AUTO, reason="released", releases=True)
        done = (await self._write(call, item, [entry], writer))[0]
        return _one(item, done, call)

    async def _set_many(self, call: Call[ItemPath, Nothing, BulkInput]) -> Result:
        item = await item_to_grade(call.transaction, call.caller, call.path.item_id)
        places: dict[UUID, str] = {}
        for index, each in enumerate(call.body.grades):
            if each.user_id in places:
                raise bad_field(
                    f"grades[{index}].user_id",
                    str(each.user_id),
                    Phrase("each student once", "كل طالب مرة واحدة"),
                    "unique",
                )
            places[each.user_id] = f"grades[{index}].user_id"
        await check_students(call.transaction, item, places)
        entries = [_bulk_entry(item, each, f"grades[{index}].") for index, each in enumerate(call.body.grades)]
        done = await self._write(call, item, entries, _writer(call, call.body.reason))
        return Result([outcome_view(item.id, each) for each in done])

    async def _history(self, call: Call[GradePath, PageQuery, Nothing]) -> Result:
        item = await self._item_to_read(call, call.path.item_id)
        await self._held_or_student(call, item)
        statement = select(grade_history).where(
            grade_history.c.org_id == call.transaction.org_id,
            grade_history.c.item_id == item.id,
            grade_history.c.user_id == call.path.user_id,
        )
        order = (grade_history.c.version,)
        rows, following = await fetch_page(call.transaction, statement, order, call.query, descending=True)
        return Result([change_view(row) for row in rows], next=following)

    async def _write(
        self, call: Call[Any, Any, Any], item: Row[Any], entries: Sequence[Entry], writer: Writer
    ) -> list[Done]:
        done, written = await write_and_tell(call.transaction, self._outbox, item, entries, writer)
        if written:
            old, new = audited(written)
            action = "grade.release" if writer.releases else "grade.write"
            await record(call, action, "grade_item", item.id, old=old, new=new)
        return done

    async def _item_to_read(self, call: Call[Any, Any, Any], item_id: UUID) -> Row[Any]:
        item = await find_item(call.transaction, item_id)
        await course_to_read(call.transaction, call.caller, item.course_id)
        return item

    async def _held_or_student(self, call: Call[GradePath, Any, Any], item: Row[Any]) -> Held:
        """Return a grade, also of somebody who has left; raises ProblemError for who never was a student here."""
        user_id = call.path.user_id
        held = (await read_held(call.transaction, item.id, [user_id])).get(user_id)
        if held is None:
            await check_students(call.transaction, item, {user_id: "user_id"})
        return held or Held()


def _writer(call: Call[Any, Any, Any], reason: str | None) -> Writer:
    return Writer(call.caller.user_id, Source.MANUAL, reason)


def _expected(call: Call[Any, Any, Any]) -> int:
    if call.version is None:
        raise ProblemError(VERSION_REQUIRED, field="If-Match", rule="required")
    return call.version


def _one(item: Row[Any], done: Done, call: Call[Any, Any, Any]) -> Result:
    if done.outcome is Outcome.CONFLICT:
        raise conflict(item, done, "If-Match", call.version)
    return Result(grade_view(item.id, done.user_id, done.held), version=done.held.version)


def _bulk_entry(item: Row[Any], entry: BulkEntry, place: str) -> Entry:
    return Entry(entry.user_id, score_for(item, entry.state, entry.points, place), entry.version, entry.feedback)
