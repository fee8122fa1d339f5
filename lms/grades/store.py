"""Categories and items of a course: found, made, changed, ordered and put away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, false, insert, select, update

from lms.api.phrases import same
from lms.api.problems import ProblemError, not_found
from lms.courses.tables import course
from lms.database.prepared import Prepared, prepared
from lms.database.transaction import Transaction
from lms.grades.problems import CATEGORY_IN_USE, SOURCE_TAKEN, THE_CATEGORY, THE_ITEM, TITLE_TAKEN, TOO_MANY
from lms.grades.tables import ItemKind, grade_category, grade_item
from lms.grades.total import Category, Item

CATEGORIES_MAX: Final = 50
"""Of a course: they are columns of somebody's screen."""
ITEMS_MAX: Final = 300
"""Of a course: two for every school day of a term."""


async def find_category(transaction: Transaction, category_id: UUID) -> Row[Any]:
    """Return a category, locked for whoever writes; raises ProblemError (`not_found`)."""
    row = await transaction.first(_locked(transaction, _category(transaction, category_id)))
    if row is None:
        raise not_found(THE_CATEGORY)
    return row


async def find_item(transaction: Transaction, item_id: UUID, *, to_grade: bool = False) -> Row[Any]:
    """Return an item, locked for whoever writes; raises ProblemError (`not_found`).

    `to_grade`: others may grade it at the same time, but nobody may lock or delete it meanwhile.
    """
    statement = _item(transaction.org_id, item_id, locked=transaction.writes, shared=to_grade)
    row = await transaction.first(statement)
    if row is None:
        raise not_found(THE_ITEM)
    return row


async def categories_of(transaction: Transaction, course_id: UUID) -> Sequence[Row[Any]]:
    """Return a course's categories in their order."""
    return await transaction.rows(_categories(transaction.org_id, course_id))


async def items_of(transaction: Transaction, course_id: UUID, *, published: bool = False) -> Sequence[Row[Any]]:
    """Return a course's items in their order; `published` leaves out those that are hidden."""
    return await transaction.rows(_items(transaction.org_id, course_id, published=published))


def structure_asked(transaction: Transaction, course_id: UUID, *, published: bool = False) -> tuple[Prepared, Prepared]:
    """Return the statements for a course's categories and items."""
    org_id = transaction.org_id
    return _categories(org_id, course_id), _items(org_id, course_id, published=published)


async def insert_category(transaction: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Make a category, the last one; raises ProblemError where there are too many."""
    await _lock_course(transaction, values["course_id"])
    known = await categories_of(transaction, values["course_id"])
    if len(known) >= CATEGORIES_MAX:
        raise ProblemError(TOO_MANY, field="name", expected=same(CATEGORIES_MAX), rule="count")
    position = max((row.position for row in known), default=0) + 1
    row = {"org_id": transaction.org_id, "position": position, "version": 1, "created_at": transaction.now} | values
    await transaction.execute(insert(grade_category).values(row))
    return await find_category(transaction, values["id"])


async def update_category(transaction: Transaction, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Change a category that is locked."""
    await transaction.execute(
        update(grade_category)
        .where(grade_category.c.org_id == transaction.org_id, grade_category.c.id == row.id)
        .values(version=row.version + 1, **values)
    )
    return await find_category(transaction, row.id)


async def delete_category(transaction: Transaction, row: Row[Any]) -> None:
    """Put a category away that has no items; raises ProblemError if it has."""
    await _lock_course(transaction, row.course_id)
    if any(item.category_id == row.id for item in await items_of(transaction, row.course_id)):
        raise ProblemError(CATEGORY_IN_USE, rule="empty")
    await transaction.execute(
        update(grade_category)
        .where(grade_category.c.org_id == transaction.org_id, grade_category.c.id == row.id)
        .values(version=row.version + 1, deleted_at=transaction.now)
    )


async def insert_item(transaction: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Make an item, the last one; raises ProblemError for a title or a source that is there, or too many."""
    await _lock_course(transaction, values["course_id"])
    known = await items_of(transaction, values["course_id"])
    if len(known) >= ITEMS_MAX:
        raise ProblemError(TOO_MANY, field="title", expected=same(ITEMS_MAX), rule="count")
    check_unique(known, None, values)
    position = max((row.position for row in known), default=0) + 1
    row = {"org_id": transaction.org_id, "position": position, "version": 1, "created_at": transaction.now} | values
    await transaction.execute(insert(grade_item).values(row))
    return await find_item(transaction, values["id"])


async def update_item(transaction: Transaction, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Change an item that is locked; raises ProblemError for a title that is there."""
    if "title_key" in values:
        check_unique(await items_of(transaction, row.course_id), row.id, values)
    await transaction.execute(
        update(grade_item)
        .where(grade_item.c.org_id == transaction.org_id, grade_item.c.id == row.id)
        .values(version=row.version + 1, **values)
    )
    return await find_item(transaction, row.id)


async def delete_item(transaction: Transaction, row: Row[Any]) -> None:
    """Put an item away; its grades and their history are kept, and count nowhere."""
    await transaction.execute(
        update(grade_item)
        .where(grade_item.c.org_id == transaction.org_id, grade_item.c.id == row.id)
        .values(version=row.version + 1, deleted_at=transaction.now)
    )


def check_unique(items: Sequence[Row[Any]], own_id: UUID | None, values: dict[str, Any]) -> None:
    """Raise ProblemError if another item of the course has this title, or comes from the same."""
    for each in items:
        if each.id == own_id:
            continue
        if each.title_key == values["title_key"]:
            raise ProblemError(TITLE_TAKEN, field="title", value=values["title"], rule="unique")
        kind, ref_id = values.get("kind", ItemKind.MANUAL), values.get("ref_id")
        if ref_id is not None and (each.kind, each.ref_id) == (kind, ref_id):
            raise ProblemError(SOURCE_TAKEN, field="class_id", value=str(ref_id), rule="unique")


def category_value(row: Row[Any]) -> Category:
    """Return what a total needs of a category."""
    return Category(row.id, row.weight, row.drop_lowest)


def item_value(row: Row[Any]) -> Item:
    """Return what a total needs of an item."""
    return Item(row.id, row.category_id, row.max_points, row.weight, row.due_at)


@prepared
def _item(org_id: Any, item_id: Any, *, locked: bool, shared: bool) -> Select[Any]:
    statement = select(grade_item).where(
        grade_item.c.org_id == org_id, grade_item.c.id == item_id, grade_item.c.deleted_at.is_(None)
    )
    return statement.with_for_update(read=shared) if locked else statement


@prepared
def _items(org_id: Any, course_id: Any, *, published: bool) -> Select[Any]:
    statement = (
        select(grade_item)
        .where(grade_item.c.org_id == org_id, grade_item.c.course_id == course_id, grade_item.c.deleted_at.is_(None))
        .order_by(grade_item.c.position, grade_item.c.id)
    )
    return statement.where(grade_item.c.hidden == false()) if published else statement


@prepared
def _categories(org_id: Any, course_id: Any) -> Select[Any]:
    return (
        select(grade_category)
        .where(
            grade_category.c.org_id == org_id,
            grade_category.c.course_id == course_id,
            grade_category.c.deleted_at.is_(None),
        )
        .order_by(grade_category.c.position, grade_category.c.id)
    )


def _category(transaction: Transaction, category_id: UUID) -> Any:
    return select(grade_category).where(
        grade_category.c.org_id == transaction.org_id,
        grade_category.c.id == category_id,
        grade_category.c.deleted_at.is_(None),
    )


def _locked(transaction: Transaction, statement: Any) -> Any:
    return statement.with_for_update() if transaction.writes else statement


async def _lock_course(transaction: Transaction, course_id: UUID) -> None:
    """Have whoever counts or orders what a course has wait for each other."""
    await transaction.one(
        select(course.c.id).where(course.c.org_id == transaction.org_id, course.c.id == course_id).with_for_update()
    )
