"""Endpoints of a course's grade items, for those who teach it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import Row, func, select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.phrases import Phrase
from lms.api.problems import NOT_FOUND, bad_field, not_found
from lms.audit.record import record
from lms.classes.problems import THE_LIVE_CLASS
from lms.classes.tables import live_class
from lms.courses.access import check_moment
from lms.courses.problems import COURSE_ARCHIVED
from lms.database.transaction import Transaction
from lms.grades.automatic import fill_item
from lms.grades.category_endpoints import TAG, VERSIONED, one_line
from lms.grades.events import tell_grades
from lms.grades.members import course_to_grade, course_to_read
from lms.grades.messages import (
    GradesOfCoursePath,
    ItemChange,
    ItemPath,
    ItemView,
    NewItem,
)
from lms.grades.problems import SOURCE_TAKEN, THE_CATEGORY, TITLE_TAKEN, TOO_MANY
from lms.grades.spreadsheet import RESERVED, title_key
from lms.grades.store import (
    delete_item,
    find_category,
    find_item,
    insert_item,
    items_of,
    update_item,
)
from lms.grades.tables import ItemKind, Source, grade
from lms.grades.views import item_view, keep_scale
from lms.parts import Parts

_NOT_RESERVED: Final = Phrase(
    f"none of {', '.join(sorted(RESERVED))}: columns of files",
    f"غير {', '.join(sorted(RESERVED))}: فهي أعمدة في الملفات",
)


class ItemEndpoints:
    """Pieces of work: made, changed, shown, hidden and locked."""

    def __init__(self, parts: Parts) -> None:
        self._ids = parts.ids
        self._outbox = parts.outbox

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_grade_items",
                method="GET",
                path="/api/v1/courses/{course_id}/grade-items",
                summary="List a course's grade items",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradesOfCoursePath,
                answers={200: Reply("All of them, in their order; hidden ones too.", list[ItemView])},
                problems=(NOT_FOUND,),
                run=self._list_items,
            ),
            Endpoint(
                operation="create_grade_item",
                method="POST",
                path="/api/v1/courses/{course_id}/grade-items",
                summary="Make a grade item",
                description="An item of kind `attendance` gets its grades at once, and again whenever attendance of "
                "its classes changes. Grades that people write in it stay as they are.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=GradesOfCoursePath,
                body=NewItem,
                answers={201: Reply("The item.", ItemView)},
                problems=(NOT_FOUND, COURSE_ARCHIVED, TITLE_TAKEN, SOURCE_TAKEN, TOO_MANY),
                idempotency_key=True,
                run=self._create_item,
            ),
            Endpoint(
                operation="get_grade_item",
                method="GET",
                path="/api/v1/grade-items/{item_id}",
                summary="Look at a grade item",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=ItemPath,
                answers={200: Reply("The item.", ItemView)},
                problems=(NOT_FOUND,),
                run=self._get_item,
            ),
            Endpoint(
                operation="change_grade_item",
                method="PATCH",
                path="/api/v1/grade-items/{item_id}",
                summary="Change, move or lock a grade item",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=ItemPath,
                body=ItemChange,
                answers={200: Reply("The item.", ItemView)},
                problems=(*VERSIONED, TITLE_TAKEN),
                versioned=True,
                run=self._change_item,
            ),
            Endpoint(
                operation="delete_grade_item",
                method="DELETE",
                path="/api/v1/grade-items/{item_id}",
                summary="Delete a grade item",
                description="Its grades count no more; they and their history are kept.",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=ItemPath,
                answers={204: Reply("It is gone.")},
                problems=VERSIONED,
                versioned=True,
                run=self._delete_item,
            ),
            *(
                Endpoint(
                    operation=f"{name}_grade_item",
                    method="POST",
                    path=f"/api/v1/grade-items/{{item_id}}/{name}",
                    summary=summary,
                    tag=TAG,
                    access=Permission.GRADES_WRITE,
                    parameters=ItemPath,
                    answers={200: Reply("The item.", ItemView)},
                    problems=(NOT_FOUND, COURSE_ARCHIVED),
                    run=run,
                )
                for name, summary, run in (
                    ("publish", "Show an item and its grades to students and guardians", self._publish),
                    ("hide", "Hide an item and its grades from students and guardians", self._hide),
                )
            ),
        )

    async def _list_items(self, call: Call[GradesOfCoursePath, Nothing, Nothing]) -> Result:
        course = await course_to_read(call.transaction, call.caller, call.path.course_id)
        return Result([item_view(row) for row in await items_of(call.transaction, course.id)])

    async def _create_item(self, call: Call[GradesOfCoursePath, Nothing, NewItem]) -> Result:
        body, transaction = call.body, call.transaction
        course = await course_to_grade(transaction, call.caller, call.path.course_id)
        await _check_category(transaction, course.id, body.category_id)
        attends = body.kind == "attendance"
        if not attends and (body.class_id is not None or body.scale is not None):
            field = "class_id" if body.class_id is not None else "scale"
            raise bad_field(
                field,
                getattr(body, field),
                Phrase("nothing, unless kind is attendance", "لا شيء، إلا إذا كان kind هو attendance"),
                "kind",
            )
        if body.class_id is not None:
            await _check_class(transaction, course.id, body.class_id)
        values = {
            "id": self._ids.new(),
            "course_id": course.id,
            "category_id": body.category_id,
            **_titles(body.title),
            "kind": ItemKind(body.kind),
            "ref_id": (body.class_id or course.id) if attends else None,
            "scale": None if body.scale is None else keep_scale(body.scale),
            "max_points": _max_points(body.max_points),
            "weight": Decimal(body.weight),
            "due_at": _due(body.due_at),
            "hidden": body.hidden,
        }
        row = await insert_item(transaction, values)
        view = item_view(row)
        await record(call, "grade_item.create", "grade_item", view.id, new=view)
        if attends:
            await fill_item(transaction, self._outbox, row)
        return Result(view, status=201, version=view.version)

    async def _get_item(self, call: Call[ItemPath, Nothing, Nothing]) -> Result:
        row = await find_item(call.transaction, call.path.item_id)
        await course_to_read(call.transaction, call.caller, row.course_id)
        return Result(item_view(row), version=row.version)

    async def _change_item(self, call: Call[ItemPath, Nothing, ItemChange]) -> Result:
        row = await self._own_item(call)
        call.check_version(row.version)
        body, transaction = call.body, call.transaction
        values: dict[str, Any] = {}
        if body.category_id is not UNSET:
            await _check_category(transaction, row.course_id, body.category_id)
            values["category_id"] = body.category_id
        if body.title is not UNSET:
            values |= _titles(body.title)
        if body.scale is not UNSET:
            if row.kind is not ItemKind.ATTENDANCE:
                raise bad_field(
                    "scale",
                    body.scale.basis.value,
                    Phrase("nothing, unless kind is attendance", "لا شيء، إلا إذا كان kind هو attendance"),
                    "kind",
                )
            values["scale"] = keep_scale(body.scale)
        if body.max_points is not UNSET:
            values["max_points"] = _max_points(body.max_points)
            is_locked = row.locked_at is not None if body.locked is UNSET else body.locked
            await _check_fits(transaction, row, values["max_points"], is_locked=is_locked)
        if body.weight is not UNSET:
            values["weight"] = Decimal(body.weight)
        if body.due_at is not UNSET:
            values["due_at"] = _due(body.due_at)
        if body.position is not UNSET:
            values["position"] = body.position
        if body.locked is not UNSET:
            values["locked_at"] = (row.locked_at or transaction.now) if body.locked else None
        changed = await update_item(transaction, row, values)
        old, view = item_view(row), item_view(changed)
        await record(call, "grade_item.change", "grade_item", row.id, old=old, new=view)
        if changed.kind is ItemKind.ATTENDANCE:
            await fill_item(transaction, self._outbox, changed)
        return Result(view, version=view.version)

    async def _delete_item(self, call: Call[ItemPath, Nothing, Nothing]) -> Result:
        row = await self._own_item(call)
        call.check_version(row.version)
        await delete_item(call.transaction, row)
        await record(call, "grade_item.delete", "grade_item", row.id, old=item_view(row))
        return Result(status=204)

    async def _publish(self, call: Call[ItemPath, Nothing, Nothing]) -> Result:
        return await self._show(call, hidden=False)

    async def _hide(self, call: Call[ItemPath, Nothing, Nothing]) -> Result:
        return await self._show(call, hidden=True)

    async def _show(self, call: Call[ItemPath, Nothing, Nothing], *, hidden: bool) -> Result:
        row = await self._own_item(call)
        if row.hidden == hidden:
            return Result(item_view(row), version=row.version)
        changed = await update_item(call.transaction, row, {"hidden": hidden})
        action = "grade_item.hide" if hidden else "grade_item.publish"
        await record(call, action, "grade_item", row.id, old={"hidden": row.hidden}, new={"hidden": hidden})
        if not hidden:
            statement = select(grade.c.user_id).where(
                grade.c.org_id == call.transaction.org_id, grade.c.item_id == row.id
            )
            users = [each.user_id for each in await call.transaction.rows(statement)]
            await tell_grades(call.transaction, self._outbox, changed, users)
        return Result(item_view(changed), version=changed.version)

    async def _own_item(self, call: Call[ItemPath, Any, Any]) -> Row[Any]:
        row = await find_item(call.transaction, call.path.item_id)
        await course_to_grade(call.transaction, call.caller, row.course_id)
        return row


async def _check_category(transaction: Transaction, course_id: UUID, category_id: UUID) -> None:
    if (await find_category(transaction, category_id)).course_id != course_id:
        raise not_found(THE_CATEGORY)


async def _check_class(transaction: Transaction, course_id: UUID, class_id: UUID) -> None:
    statement = select(live_class.c.id).where(
        live_class.c.org_id == transaction.org_id,
        live_class.c.id == class_id,
        live_class.c.course_id == course_id,
        live_class.c.parent_id.is_(None),
    )
    if await transaction.first(statement) is None:
        raise not_found(THE_LIVE_CLASS)


async def _check_fits(transaction: Transaction, row: Row[Any], max_points: Decimal, *, is_locked: bool) -> None:
    """Raise ProblemError if somebody has more points than there are to be; what the service gave is made anew."""
    statement = select(func.max(grade.c.points)).where(grade.c.org_id == transaction.org_id, grade.c.item_id == row.id)
    if row.kind is ItemKind.ATTENDANCE and not is_locked:
        statement = statement.where(grade.c.source != Source.AUTO)
    most = await transaction.value(statement)
    if most is not None and most > max_points:
        raise bad_field("max_points", str(max_points), _at_least(most), "range")


def _max_points(text: str) -> Decimal:
    points = Decimal(text)
    if points <= 0:
        raise bad_field("max_points", text, Phrase("a number > 0", "عدد أكبر من 0"), "range")
    return points


def _due(due_at: datetime | None) -> datetime | None:
    check_moment("due_at", due_at)
    return due_at


def _titles(text: str) -> dict[str, str]:
    title = one_line("title", text)
    if title_key(title) in RESERVED:
        raise bad_field("title", text, _NOT_RESERVED, "reserved")
    return {"title": title, "title_key": title_key(title)}


def _at_least(most: Decimal) -> Phrase:
    least = f"{most.normalize():f}"
    return Phrase(f"at least {least}, which somebody has", f"{least} على الأقل، وهي درجة أحد الطلاب")
