"""Codes by which people log in: a prefix by role, and the next number of the organization, never given twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from lms.access.roles import Role
from lms.database.transaction import Transaction
from lms.people.tables import app_user, code_counter

FIRST_NUMBER: Final = 1001
TRIES_MAX: Final = 1000  # numbers that somebody chose by hand already

_PREFIXES: Final = {
    Role.OWNER: "OWN",
    Role.ADMIN: "ADM",
    Role.MANAGER: "MGR",
    Role.TEACHER: "TCH",
    Role.TA: "TAS",
    Role.STUDENT: "STU",
    Role.OBSERVER: "PAR",
    Role.SERVICE: "SRV",
}


def prefix_of(roles: Iterable[Role]) -> str:
    """Return the prefix for somebody with these roles: the first in the order of roles counts."""
    listed = list(Role)
    first = min(roles, key=listed.index, default=None)
    return "USR" if first is None else _PREFIXES[first]


async def next_code(transaction: Transaction, roles: Iterable[Role]) -> str:
    """Return a code that nobody of the organization has, or had."""
    prefix = prefix_of(roles)
    insert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    for _ in range(TRIES_MAX):
        made = insert(code_counter).values(org_id=transaction.org_id, prefix=prefix, last=FIRST_NUMBER)
        counted = made.on_conflict_do_update(
            index_elements=["org_id", "prefix"], set_={"last": code_counter.c.last + 1}
        ).returning(code_counter.c.last)
        code = f"{prefix}{await transaction.value(counted)}"
        taken = await transaction.first(
            select(app_user.c.id).where(app_user.c.org_id == transaction.org_id, app_user.c.code == code)
        )
        if taken is None:
            return code
    raise AssertionError(f"{TRIES_MAX} codes {prefix}... in a row are taken")
