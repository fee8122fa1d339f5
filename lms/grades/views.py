"""From rows and values to what is answered, and to what the audit log keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from lms.attendance.outcome import Status
from lms.grades.amounts import plain, plain_or_none
from lms.grades.from_attendance import Basis, Scale
from lms.grades.gradebook import Gradebook, Grades
from lms.grades.messages import (
    AttendanceScale,
    CategoryPercent,
    CategoryView,
    ChangeView,
    GradebookRow,
    GradeOutcome,
    GradeView,
    ItemView,
    OwnCategory,
    OwnGrades,
    OwnItem,
    Shares,
    TotalView,
)
from lms.grades.tables import ItemKind
from lms.grades.total import Total
from lms.grades.writing import Done, Held


def category_view(row: Row[Any]) -> CategoryView:
    return CategoryView(
        id=row.id,
        course_id=row.course_id,
        name=row.name,
        weight=plain(row.weight),
        drop_lowest=row.drop_lowest,
        position=row.position,
        version=row.version,
    )


def item_view(row: Row[Any]) -> ItemView:
    return ItemView(
        id=row.id,
        course_id=row.course_id,
        category_id=row.category_id,
        title=row.title,
        kind=row.kind,
        class_id=row.ref_id if row.kind is ItemKind.ATTENDANCE and row.ref_id != row.course_id else None,
        scale=None if row.scale is None else read_scale(row.scale),
        max_points=plain(row.max_points),
        weight=plain(row.weight),
        due_at=row.due_at,
        hidden=row.hidden,
        locked=row.locked_at is not None,
        position=row.position,
        version=row.version,
    )


def read_scale(kept: Mapping[str, Any]) -> AttendanceScale:
    """Return the scale that an item keeps as JSON."""
    return AttendanceScale(basis=Basis(kept["basis"]), shares=Shares(**kept["shares"]))


def keep_scale(scale: AttendanceScale) -> dict[str, Any]:
    """Return a scale as JSON to keep."""
    return {"basis": scale.basis.value, "shares": {name: getattr(scale.shares, name) for name in _STATUSES}}


def scale_value(kept: Mapping[str, Any] | None) -> Scale:
    """Return a scale to count with."""
    if kept is None:
        return Scale()
    return Scale(Basis(kept["basis"]), {Status(name): Decimal(kept["shares"][name]) for name in _STATUSES})


_STATUSES = Shares.__struct_fields__


def grade_view(item_id: UUID, user_id: UUID, held: Held) -> GradeView:
    return GradeView(
        item_id=item_id,
        user_id=user_id,
        state=held.state,
        points=plain_or_none(held.points),
        source=held.source if held.version else None,
        feedback=held.feedback,
        graded_by=held.graded_by,
        version=held.version,
        updated_at=held.updated_at,
    )


def outcome_view(item_id: UUID, done: Done) -> GradeOutcome:
    return GradeOutcome(user_id=done.user_id, outcome=done.outcome, grade=grade_view(item_id, done.user_id, done.held))


def change_view(row: Row[Any]) -> ChangeView:
    return ChangeView(
        version=row.version,
        old_state=row.old_state,
        old_points=plain_or_none(row.old_points),
        new_state=row.new_state,
        new_points=plain_or_none(row.new_points),
        source=row.source,
        actor_id=row.actor_id,
        reason=row.reason,
        at=row.at,
        erased_at=row.erased_at,
    )


def total_view(total: Total) -> TotalView:
    return TotalView(
        percent=_percent(total.percent),
        categories=[
            CategoryPercent(
                category_id=each.category_id,
                percent=str(each.percent),
                dropped=sorted(each.dropped),
            )
            for each in total.categories
        ],
    )


def gradebook_row(student: Row[Any], book: Gradebook, grades: Grades, *, at: datetime) -> GradebookRow:
    """Return a student's line; `student` has id, code and display_name."""
    written = [(item_id, grades.get((student.id, item_id))) for item_id in book.item_ids]
    total = total_view(book.total(student.id, grades, at=at))
    has_hidden = any(row.hidden for row in book.items)
    return GradebookRow(
        user_id=student.id,
        code=student.code,
        name=student.display_name,
        grades=[grade_view(item_id, student.id, held) for item_id, held in written if held is not None],
        total=total,
        published_total=total_view(book.total(student.id, grades, at=at, published=True)) if has_hidden else total,
    )


def own_grades(course: Row[Any], student_id: UUID, book: Gradebook, grades: Grades, *, at: datetime) -> OwnGrades:
    """Return what a student sees; `book` has published items alone."""
    assert not any(row.hidden for row in book.items), "students see nothing of what is hidden"
    return OwnGrades(
        course_id=course.id,
        title=course.title,
        student_id=student_id,
        categories=[
            OwnCategory(id=row.id, name=row.name, weight=plain(row.weight), drop_lowest=row.drop_lowest)
            for row in book.categories
        ],
        items=[_own_item(row, grades.get((student_id, row.id), Held())) for row in book.items],
        total=total_view(book.total(student_id, grades, at=at)),
    )


def audited(dones: Sequence[Done]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was there and what is there now, by student, for the audit log."""
    old = {str(each.user_id): _brief(each.before) for each in dones}
    return old, {str(each.user_id): _brief(each.held) for each in dones}


def _brief(held: Held) -> dict[str, Any]:
    return {"version": held.version, "state": held.state.value, "points": plain_or_none(held.points)}


def _own_item(row: Row[Any], held: Held) -> OwnItem:
    return OwnItem(
        id=row.id,
        category_id=row.category_id,
        title=row.title,
        max_points=plain(row.max_points),
        due_at=row.due_at,
        state=held.state,
        points=plain_or_none(held.points),
        feedback=held.feedback,
        updated_at=held.updated_at,
    )


def _percent(percent: Decimal | None) -> str | None:
    return None if percent is None else str(percent)
