"""Reads all that is held on somebody, and erases it, as the holdings say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import Select, delete, select, update

from lms.database.transaction import Transaction
from lms.personal.holding import NEVER_TOLD, NOW, Clear, Delete, Holding, Keep, TakeOut


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an archive: rows of the same columns."""

    name: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]


async def read_sections(transaction: Transaction, holdings: Iterable[Holding], user_id: UUID) -> list[Section]:
    """Return what is held on somebody, empty sections too: that nothing is held is an answer."""
    sections = []
    for holding in holdings:
        statement, columns = _statement(holding, transaction.org_id, user_id)
        rows = [dict(row._mapping) for row in await transaction.rows(statement)]
        sections.append(Section(holding.section, columns, rows))
    return sections


async def erase(transaction: Transaction, holdings: Iterable[Holding], user_id: UUID) -> dict[str, int]:
    """Erase somebody, and return how many rows of each section were deleted or changed."""
    return {holding.section: await _erase(transaction, holding, user_id) for holding in holdings}


async def take_out(
    transaction: Transaction, holdings: Iterable[Holding], org_id: UUID, user_id: UUID
) -> dict[str, int]:
    """Take texts about somebody out of append-only tables, and return out of how many rows of each section.

    The transaction is one of the service (`write_all`); it may be repeated.
    """
    return {
        holding.section: await _take_out(transaction, holding, holding.erase, org_id, user_id)
        for holding in holdings
        if isinstance(holding.erase, TakeOut)
    }


async def _take_out(transaction: Transaction, holding: Holding, erase: TakeOut, org_id: UUID, user_id: UUID) -> int:
    table = holding.table
    key = tuple(table.primary_key.columns)
    present = select(*key, *(table.c[name] for name in erase.texts)).where(holding.about(org_id, user_id))
    rows = await transaction.rows(present.where(table.c.erased_at.is_(None)))
    for row in rows:
        left = {name: make(getattr(row, name)) for name, make in erase.texts.items()}
        own = [column == getattr(row, column.name) for column in key]
        await transaction.execute(update(table).where(*own).values(**left, erased_at=transaction.now))
    return len(rows)


def _statement(holding: Holding, org_id: UUID, user_id: UUID) -> tuple[Select[Any], tuple[str, ...]]:
    table = holding.table
    told = [column for column in table.columns if column.name not in NEVER_TOLD | holding.leave_out]
    names = [column.name for column in told]
    source: Any = table
    chosen: list[Any] = list(told)
    for beside in holding.beside:
        target = beside.table.alias()
        source = source.outerjoin(target, (target.c.org_id == table.c.org_id) & (target.c.id == table.c[beside.column]))
        label = f"{beside.column.removesuffix('_id')}_{beside.name}"
        chosen.append(target.c[beside.name].label(label))
        names.append(label)
    statement = select(*chosen).select_from(source).where(holding.about(org_id, user_id))
    return statement.order_by(*table.primary_key.columns), tuple(names)


async def _erase(transaction: Transaction, holding: Holding, user_id: UUID) -> int:
    about = holding.about(transaction.org_id, user_id)
    match holding.erase:
        case Keep() | TakeOut():
            return 0
        case Delete():
            return (await transaction.execute(delete(holding.table).where(about))).rowcount
        case Clear(values=values):
            written = {name: transaction.now if value is NOW else value for name, value in values.items()}
            return (await transaction.execute(update(holding.table).where(about).values(**written))).rowcount
        case act if callable(act):
            return await act(transaction, user_id)
        case other:
            assert_never(other)
