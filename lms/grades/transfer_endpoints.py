"""Endpoints of files of grades: the gradebook as CSV, and back: first as a preview, then exactly what it showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Reply, Result, Use
from lms.api.languages import Language
from lms.api.problems import NOT_FOUND, ProblemError
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.courses.problems import COURSE_ARCHIVED
from lms.database.transaction import Transaction
from lms.grades.category_endpoints import TAG
from lms.grades.cells import CellError, CellFault, read_score, write_score
from lms.grades.events import tell_grades
from lms.grades.gradebook import Gradebook, Grades, read_gradebook, read_grades
from lms.grades.members import course_to_grade, course_to_read, students_of
from lms.grades.messages import CellReport, GradesOfCoursePath, ImportQuery, ImportReport
from lms.grades.problems import FILE_CONFIRMS_OTHER, FILE_REJECTED, FILE_UNREADABLE, ITEM_LOCKED
from lms.grades.spreadsheet import (
    CHANGES_MAX,
    CODE,
    FILE_BYTES_MAX,
    Change,
    FileError,
    Line,
    Sheet,
    fingerprint_of,
    match_columns,
    read_sheet,
    write_sheet,
)
from lms.grades.store import find_item
from lms.grades.tables import Source
from lms.grades.total import Score
from lms.grades.writing import Entry, Held, Outcome, Writer, write_grades
from lms.parts import Parts

CSV: Final = "text/csv"
CELLS_TOLD_MAX: Final = 1000

_FAULTS: Final[Mapping[CellFault, tuple[str, str]]] = {
    CellFault.NOT_POINTS: (
        "expected points with at most 4 decimal places, excused, missing or -",
        "المتوقع درجة بأربع منازل عشرية على الأكثر، أو excused أو missing أو -",
    ),
    CellFault.TOO_MANY_POINTS: ("more points than the item has", "أكثر من درجة العنصر القصوى"),
    CellFault.LOCKED: ("the item is locked", "العنصر مقفل"),
    CellFault.UNKNOWN_STUDENT: ("no student of the course has this code", "لا يوجد في المقرر طالب بهذا الرمز"),
    CellFault.STUDENT_TWICE: ("the student has a line already", "للطالب سطر سابق"),
    CellFault.TOO_MANY_CELLS: (f"more than {CHANGES_MAX} changes", f"أكثر من {CHANGES_MAX} تغيير"),
}


@dataclass(slots=True)
class _Plan:
    """What a file asks for."""

    lines: int
    changes: list[Change] = field(default_factory=list)
    cells: list[CellReport] = field(default_factory=list)
    unchanged: int = 0
    rejected: int = 0

    def reject(self, line: Line, column: str, cell: str, fault: CellFault, language: Language) -> None:
        self.rejected += 1
        problem = _FAULTS[fault][1 if language is Language.ARABIC else 0]
        self._tell(line, column, "rejected", None, cell[:100], problem)

    def take(self, line: Line, column: str, item_id: UUID, user_id: UUID, held: Held, score: Score) -> None:
        if score == held.score:
            self.unchanged += 1
            return
        self.changes.append(Change(item_id, user_id, held.version, score))
        old = write_score(held.score) or None
        self._tell(line, column, "changed" if old else "new", old, write_score(score) or None, None)

    def _tell(
        self, line: Line, column: str, outcome: Any, old: str | None, new: str | None, problem: str | None
    ) -> None:
        if len(self.cells) < CELLS_TOLD_MAX:
            report = CellReport(
                line=line.number,
                column=column,
                student=line.code[:100],
                outcome=outcome,
                old=old,
                new=new,
                problem=problem,
            )
            self.cells.append(report)

    def report(self, fingerprint: str, *, written: bool) -> ImportReport:
        return ImportReport(
            written=written,
            fingerprint=fingerprint,
            lines=self.lines,
            changes=len(self.changes),
            unchanged=self.unchanged,
            rejected=self.rejected,
            cells=self.cells,
        )


class TransferEndpoints:
    """Export and import."""

    def __init__(self, parts: Parts) -> None:
        self._outbox = parts.outbox

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="export_gradebook",
                method="GET",
                path="/api/v1/courses/{course_id}/gradebook.csv",
                summary="Download a course's gradebook",
                description="CSV in UTF-8: `student_code`, `student_name`, a column for each item, `total`. Texts that "
                "a spreadsheet would take for formulas begin with an apostrophe.",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradesOfCoursePath,
                answers={200: Reply("The file.", media_type=CSV)},
                problems=(NOT_FOUND,),
                use=Use.WRITE,
                run=self._export,
            ),
            Endpoint(
                operation="import_gradebook",
                method="POST",
                path="/api/v1/courses/{course_id}/gradebook/import",
                summary="Upload grades",
                description="A file as it was exported: `student_code` and columns headed by titles of items. Empty "
                "cells change nothing; points, `excused`, `missing` and `-` (no grade) do. Without `confirm` the "
                "answer is a preview; with its fingerprint exactly that is written, or nothing.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=GradesOfCoursePath,
                query=ImportQuery,
                body_media_type=CSV,
                body_bytes_max=FILE_BYTES_MAX,
                answers={200: Reply("What is in the file.", ImportReport)},
                problems=(NOT_FOUND, COURSE_ARCHIVED, FILE_UNREADABLE, FILE_REJECTED, FILE_CONFIRMS_OTHER, ITEM_LOCKED),
                limit=Limit.UPLOAD,
                run=self._import,
            ),
        )

    async def _export(self, call: Call[GradesOfCoursePath, Nothing, Nothing]) -> Result:
        transaction = call.transaction
        course = await course_to_read(transaction, call.caller, call.path.course_id)
        book = await read_gradebook(transaction, course.id)
        students = await _students(transaction, course.id)
        grades = await read_grades(transaction, book.item_ids, [row.id for row in students])
        rows = [_row(student, book, grades, at=transaction.now) for student in students]
        content = write_sheet([item.title for item in book.items], rows)
        await record(call, "grade.export", "course", course.id, new={"students": len(students)})
        return Result(file=File(content, f"{CSV}; charset=utf-8", f"{course.title}.csv"))

    async def _import(self, call: Call[GradesOfCoursePath, ImportQuery, Nothing]) -> Result:
        transaction = call.transaction
        course = await course_to_grade(transaction, call.caller, call.path.course_id)
        try:
            plan, items = await _plan(transaction, course.id, call.content, call.language)
        except FileError as error:
            raise ProblemError(
                FILE_UNREADABLE,
                field="body",
                rule="file",
                reason=error.phrase,
            ) from None
        fingerprint = fingerprint_of(plan.changes)
        if call.query.confirm is None:
            return Result(plan.report(fingerprint, written=False))
        if plan.rejected:
            raise ProblemError(FILE_REJECTED, rule="rejected", count=plan.rejected)
        if call.query.confirm != fingerprint:
            raise ProblemError(FILE_CONFIRMS_OTHER, field="confirm", value=call.query.confirm, rule="fingerprint")
        await self._write(call, plan.changes, items)
        await record(
            call, "grade.import", "course", course.id, new={"changes": len(plan.changes), "fingerprint": fingerprint}
        )
        return Result(plan.report(fingerprint, written=True))

    async def _write(
        self, call: Call[Any, Any, Any], changes: Sequence[Change], items: Mapping[UUID, Row[Any]]
    ) -> None:
        of_items: dict[UUID, list[Entry]] = {}
        for change in changes:
            entry = Entry(change.user_id, change.score, change.version)
            of_items.setdefault(change.item_id, []).append(entry)
        writer = Writer(call.caller.user_id, Source.IMPORT, reason="import")
        for item_id in sorted(of_items):
            item = await find_item(call.transaction, item_id, to_grade=True)
            if item.locked_at is not None:
                raise ProblemError(ITEM_LOCKED, rule="locked")
            if item.max_points != items[item_id].max_points:
                raise ProblemError(FILE_CONFIRMS_OTHER, field="confirm", rule="fingerprint")
            done = await write_grades(call.transaction, item_id, of_items[item_id], writer)
            if any(each.outcome is Outcome.CONFLICT for each in done):
                raise ProblemError(FILE_CONFIRMS_OTHER, field="confirm", rule="version")
            await tell_grades(call.transaction, self._outbox, item, [each.user_id for each in done])


def _row(student: Row[Any], book: Gradebook, grades: Grades, *, at: Any) -> list[str]:
    scores = [grades.get((student.id, item_id), Held()).score for item_id in book.item_ids]
    percent = book.total(student.id, grades, at=at).percent
    total = "" if percent is None else str(percent)
    return [student.code, student.display_name, *map(write_score, scores), total]


async def _students(transaction: Transaction, course_id: UUID) -> Sequence[Row[Any]]:
    statement = students_of(transaction, course_id, in_order=True)
    return await transaction.rows(statement)


async def _plan(
    transaction: Transaction, course_id: UUID, content: bytes, language: Language
) -> tuple[_Plan, Mapping[UUID, Row[Any]]]:
    """Return what a file asks for, and the items of its columns; raises FileError."""
    sheet = read_sheet(content)
    book = await read_gradebook(transaction, course_id)
    columns = match_columns(sheet, {row.title_key: row for row in book.items})
    students = {row.code.casefold(): row.id for row in await _students(transaction, course_id)}
    items = {row.id: row for row in columns.values()}
    named = {students[line.code.casefold()] for line in sheet.lines if line.code.casefold() in students}
    grades = await read_grades(transaction, list(items), named)
    plan = _Plan(len(sheet.lines))
    seen: set[UUID] = set()
    for line in sheet.lines:
        user_id = students.get(line.code.casefold())
        if user_id is None or user_id in seen:
            fault = CellFault.UNKNOWN_STUDENT if user_id is None else CellFault.STUDENT_TWICE
            plan.reject(line, CODE, line.code, fault, language)
            continue
        seen.add(user_id)
        _take_line(plan, sheet, line, user_id, columns, grades, language)
    return plan, items


def _take_line(
    plan: _Plan,
    sheet: Sheet,
    line: Line,
    user_id: UUID,
    columns: Mapping[int, Row[Any]],
    grades: Grades,
    language: Language,
) -> None:
    for index, item in columns.items():
        cell, column = line.cells[index], sheet.columns[index]
        held = grades.get((user_id, item.id), Held())
        try:
            score = read_score(cell, item.max_points, comma=sheet.comma)
            if score is None:
                continue
            if score != held.score and item.locked_at is not None:
                raise CellError(CellFault.LOCKED)
            if score != held.score and len(plan.changes) >= CHANGES_MAX:
                raise CellError(CellFault.TOO_MANY_CELLS)
        except CellError as error:
            plan.reject(line, column, cell, error.fault, language)
            continue
        plan.take(line, column, item.id, user_id, held, score)
