"""Endpoints of a course's grade categories, for those who teach it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import Row

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.phrases import Phrase
from lms.api.problems import NOT_FOUND, VERSION_CONFLICT, VERSION_REQUIRED, bad_field
from lms.audit.record import record
from lms.courses.problems import COURSE_ARCHIVED
from lms.grades.members import course_to_grade, course_to_read
from lms.grades.messages import CategoryChange, CategoryPath, CategoryView, GradesOfCoursePath, NewCategory
from lms.grades.problems import CATEGORY_IN_USE, TOO_MANY
from lms.grades.store import categories_of, delete_category, find_category, insert_category, update_category
from lms.grades.views import category_view
from lms.parts import Parts

TAG: Final = "Grades"
VERSIONED: Final = (NOT_FOUND, COURSE_ARCHIVED, VERSION_CONFLICT, VERSION_REQUIRED)


class CategoryEndpoints:
    """Kinds of work, and how they count."""

    def __init__(self, parts: Parts) -> None:
        self._ids = parts.ids

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_grade_categories",
                method="GET",
                path="/api/v1/courses/{course_id}/grade-categories",
                summary="List a course's grade categories",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradesOfCoursePath,
                answers={200: Reply("All of them, in their order.", list[CategoryView])},
                problems=(NOT_FOUND,),
                run=self._list_categories,
            ),
            Endpoint(
                operation="create_grade_category",
                method="POST",
                path="/api/v1/courses/{course_id}/grade-categories",
                summary="Make a grade category",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=GradesOfCoursePath,
                body=NewCategory,
                answers={201: Reply("The category.", CategoryView)},
                problems=(NOT_FOUND, COURSE_ARCHIVED, TOO_MANY),
                idempotency_key=True,
                run=self._create_category,
            ),
            Endpoint(
                operation="change_grade_category",
                method="PATCH",
                path="/api/v1/grade-categories/{category_id}",
                summary="Change a grade category",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=CategoryPath,
                body=CategoryChange,
                answers={200: Reply("The category.", CategoryView)},
                problems=VERSIONED,
                versioned=True,
                run=self._change_category,
            ),
            Endpoint(
                operation="delete_grade_category",
                method="DELETE",
                path="/api/v1/grade-categories/{category_id}",
                summary="Delete a grade category that has no items",
                tag=TAG,
                access=Permission.GRADES_WRITE,
                parameters=CategoryPath,
                answers={204: Reply("It is gone.")},
                problems=(*VERSIONED, CATEGORY_IN_USE),
                versioned=True,
                run=self._delete_category,
            ),
        )

    async def _list_categories(self, call: Call[GradesOfCoursePath, Nothing, Nothing]) -> Result:
        course = await course_to_read(call.transaction, call.caller, call.path.course_id)
        return Result([category_view(row) for row in await categories_of(call.transaction, course.id)])

    async def _create_category(self, call: Call[GradesOfCoursePath, Nothing, NewCategory]) -> Result:
        course = await course_to_grade(call.transaction, call.caller, call.path.course_id)
        values = {
            "id": self._ids.new(),
            "course_id": course.id,
            "name": one_line("name", call.body.name),
            "weight": Decimal(call.body.weight),
            "drop_lowest": call.body.drop_lowest,
        }
        view = category_view(await insert_category(call.transaction, values))
        await record(call, "grade_category.create", "grade_category", view.id, new=view)
        return Result(view, status=201, version=view.version)

    async def _change_category(self, call: Call[CategoryPath, Nothing, CategoryChange]) -> Result:
        row = await self._own_category(call, call.path.category_id)
        call.check_version(row.version)
        body = call.body
        values: dict[str, Any] = {}
        if body.name is not UNSET:
            values["name"] = one_line("name", body.name)
        if body.weight is not UNSET:
            values["weight"] = Decimal(body.weight)
        if body.drop_lowest is not UNSET:
            values["drop_lowest"] = body.drop_lowest
        if body.position is not UNSET:
            values["position"] = body.position
        old, view = category_view(row), category_view(await update_category(call.transaction, row, values))
        await record(call, "grade_category.change", "grade_category", row.id, old=old, new=view)
        return Result(view, version=view.version)

    async def _delete_category(self, call: Call[CategoryPath, Nothing, Nothing]) -> Result:
        row = await self._own_category(call, call.path.category_id)
        call.check_version(row.version)
        await delete_category(call.transaction, row)
        await record(call, "grade_category.delete", "grade_category", row.id, old=category_view(row))
        return Result(status=204)

    async def _own_category(self, call: Call[Any, Any, Any], category_id: UUID) -> Row[Any]:
        row = await find_category(call.transaction, category_id)
        await course_to_grade(call.transaction, call.caller, row.course_id)
        return row


def one_line(field: str, text: str) -> str:
    """Return a name without needless blanks; raises ProblemError if nothing is left."""
    line = " ".join(text.split())
    if not line:
        raise bad_field(field, text, Phrase("text that is not blank", "نص غير فارغ"), "blank")
    return line
