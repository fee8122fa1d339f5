"""The gradebook of a course: structure, grades and totals, for those who teach it and for one student."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.grades.store import categories_of, category_value, item_value, items_of, structure_asked
from lms.grades.tables import grade
from lms.grades.total import Item, Total, course_total
from lms.grades.writing import Held, held_of

Grades = Mapping[tuple[UUID, UUID], Held]
"""By student and item."""


@dataclass(frozen=True, slots=True)
class Gradebook:
    """What a course grades, and how it counts."""

    categories: Sequence[Row[Any]]
    items: Sequence[Row[Any]]
    """In their order; of a student's gradebook those that are published."""

    @property
    def item_ids(self) -> list[UUID]:
        return [row.id for row in self.items]

    def total(self, user_id: UUID, grades: Grades, *, at: datetime, published: bool = False) -> Total:
        """Return what came out for a student; `published` counts what they see."""
        items: list[Item] = [item_value(row) for row in self.items if not (published and row.hidden)]
        scores = {each.id: grades[user_id, each.id].score for each in items if (user_id, each.id) in grades}
        return course_total([category_value(row) for row in self.categories], items, scores, at=at)


async def read_gradebook(transaction: Transaction, course_id: UUID, *, published: bool = False) -> Gradebook:
    """Return a course's categories and items."""
    ask_gradebook_ahead(transaction, course_id, published=published)
    return Gradebook(
        await categories_of(transaction, course_id), await items_of(transaction, course_id, published=published)
    )


def ask_gradebook_ahead(transaction: Transaction, course_id: UUID, *, published: bool = False) -> None:
    """Have the same be asked with whatever is asked next."""
    transaction.ahead(*structure_asked(transaction, course_id, published=published))


async def read_grades(transaction: Transaction, item_ids: Collection[UUID], user_ids: Collection[UUID]) -> Grades:
    """Return what these students have in these items."""
    if not item_ids or not user_ids:
        return {}
    rows = await transaction.rows(_grades(transaction.org_id, list(item_ids), list(user_ids)))
    return {(row.user_id, row.item_id): held_of(row) for row in rows}


@prepared(lists=("item_ids", "user_ids"))
def _grades(org_id: Any, item_ids: Any, user_ids: Any) -> Select[Any]:
    return select(grade).where(grade.c.org_id == org_id, grade.c.item_id.in_(item_ids), grade.c.user_id.in_(user_ids))
