"""How a module says what it holds on people: which rows, how they are told, and what becomes of them at an erasure.

    HOLDINGS: Final = (
        Holding("notes", note, by=("user_id",), erase=DELETE),
        Holding("grades", grade, by=("user_id",), beside=(Beside("item_id", grade_item, "title"),),
                erase=Clear({"feedback": None})),
        Holding("presence", attendance_event, by=("identity",), erase=Keep("it names nobody any more")),
    )

A module keeps them in its `personal.py`, and `lms/personal/registry.py` has a line for it. What must stay, stays with
the id of the account: once that is emptied, the id leads to nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_

from lms.database.transaction import Transaction
from lms.database.types import Id

NOW: Final = object()
"""As a value of `Clear`: the time of the erasure."""

NEVER_TOLD: Final = frozenset(
    {
        "org_id", "password_hash", "hash", "previous_hash", "secret_hash", "request_hash", "code_hmac", "client_hash",
        "origin_hash", "origin_salt", "content_hash", "content_salt", "content", "headers", "token_version",
        "sort_key", "search_key", "email_norm", "input_hash",
    }
)  # fmt: skip
"""Columns that an archive leaves out: secrets and their likes, and what others follow from."""


@dataclass(frozen=True, slots=True)
class Delete:
    """The rows go."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The rows stay as they are."""

    because: str


@dataclass(frozen=True, slots=True)
class Clear:
    """The rows stay, and these columns of them become these values."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TakeOut:
    """The rows stay; these texts of them become what a function makes of them, and `erased_at` says when.

    For append-only tables (`lms.database.protect.allow_erasing`): the service alone may, in a transaction of its own.
    """

    texts: Mapping[str, Callable[[Any], Any]]


Act: TypeAlias = Callable[[Transaction, UUID], Awaitable[int]]
"""Does it in a way of its own; returns how many rows it changed. It may be repeated."""
Erase: TypeAlias = Delete | Keep | Clear | TakeOut | Act

DELETE: Final = Delete()


@dataclass(frozen=True, slots=True)
class Beside:
    """What a row is told with: the name of what one of its columns points to."""

    column: str
    table: Table
    name: str
    """A column of that table."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one table that are about somebody."""

    section: str
    """Of the archive: names the files."""
    table: Table
    by: tuple[str, ...]
    """Columns that say about whom: ids of accounts, or identities in rooms (`ID` or `ID/DEVICE`)."""
    erase: Erase
    beside: tuple[Beside, ...] = ()
    leave_out: frozenset[str] = frozenset()
    where: Callable[[UUID], ColumnElement[bool]] | None = None
    """Says it instead of `by`, where a column is not enough."""

    def about(self, org_id: UUID, user_id: UUID) -> ColumnElement[bool]:
        """Return the condition for the rows about somebody."""
        own: ColumnElement[bool] = self.table.c.org_id == org_id
        if self.where is not None:
            return own & self.where(user_id)
        return own & or_(*(self._names(column, user_id) for column in self.by))

    def _names(self, name: str, user_id: UUID) -> ColumnElement[bool]:
        column = self.table.c[name]
        if isinstance(column.type, Id):
            return column == user_id
        return or_(column == str(user_id), column.like(f"{user_id}/%"))
