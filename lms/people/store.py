"""Queries of people: reading them with their roles, making and changing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, or_, select, update

from lms.access.accounts import normal_email
from lms.access.roles import Role
from lms.api.languages import Language
from lms.api.paging import fetch_page
from lms.api.problems import ALREADY_TAKEN, ProblemError
from lms.database.transaction import Transaction
from lms.people.messages import User, UserQuery
from lms.people.tables import app_user, guardian, membership
from lms.text import search_pattern, sort_key

UNIQUE = ("code", "email_norm", "external_id")


async def read_users(transaction: Transaction, query: UserQuery) -> tuple[list[User], str | None]:
    """Return a page of people in the order of their names, and the cursor of the next."""
    statement = select(app_user).where(app_user.c.org_id == transaction.org_id, app_user.c.deleted_at.is_(None))
    if query.status is not None:
        statement = statement.where(app_user.c.status == query.status)
    if query.role is not None:
        has = select(membership.c.user_id).where(
            membership.c.org_id == app_user.c.org_id,
            membership.c.user_id == app_user.c.id,
            membership.c.role == query.role,
        )
        statement = statement.where(has.exists())
    if query.search is not None:
        statement = _searched(statement, query.search)
    rows, following = await fetch_page(transaction, statement, (app_user.c.sort_key, app_user.c.id), query)
    return await views_of(transaction, rows), following


async def read_all_users(transaction: Transaction) -> list[User]:
    """Return everybody of the organization, in the order of their names."""
    rows = await transaction.rows(
        select(app_user)
        .where(app_user.c.org_id == transaction.org_id, app_user.c.deleted_at.is_(None))
        .order_by(app_user.c.sort_key, app_user.c.id)
    )
    return await views_of(transaction, rows)


async def read_user(transaction: Transaction, user_id: UUID) -> User | None:
    """Return somebody, None for nobody; who writes holds the row until the end."""
    statement = select(app_user).where(
        app_user.c.org_id == transaction.org_id, app_user.c.id == user_id, app_user.c.deleted_at.is_(None)
    )
    views = await views_of(
        transaction, await transaction.rows(statement.with_for_update() if transaction.writes else statement)
    )
    return views[0] if views else None


async def views_of(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[User]:
    """Return accounts with their roles; one query for all."""
    roles: dict[UUID, set[Role]] = {row.id: set() for row in rows}
    found = await transaction.rows(
        select(membership.c.user_id, membership.c.role).where(
            membership.c.org_id == transaction.org_id, membership.c.user_id.in_(list(roles))
        )
    )
    for each in found:
        roles[each.user_id].add(each.role)
    return [_view(row, roles[row.id]) for row in rows]


async def check_unique(transaction: Transaction, values: Mapping[str, Any], but: UUID | None = None) -> None:
    """Raise ProblemError (`already_taken`) if somebody else has the code, the address or the external id."""
    for name in UNIQUE:
        if values.get(name) is None:
            continue
        statement = select(app_user.c.id).where(
            app_user.c.org_id == transaction.org_id, app_user.c[name] == values[name]
        )
        if name == "email_norm":  # an address is free again when its account is gone; codes are not
            statement = statement.where(app_user.c.deleted_at.is_(None))
        if but is not None:
            statement = statement.where(app_user.c.id != but)
        if await transaction.first(statement.limit(1)) is not None:
            field = "email" if name == "email_norm" else name
            raise ProblemError(ALREADY_TAKEN, field=field, value=values[field], rule="unique")


def derived(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns with those that follow from them."""
    made = dict(values)
    if "code" in made:
        made["code"] = made["code"].upper()
    if "email" in made:
        made["email_norm"] = None if made["email"] is None else normal_email(made["email"])
        made["email_verified_at"] = None
    if "display_name" in made:
        made["sort_key"] = sort_key(made["display_name"])
    if isinstance(made.get("language"), Language):
        made["language"] = made["language"].value
    return made


async def insert_user(transaction: Transaction, user_id: UUID, values: Mapping[str, Any]) -> None:
    """Make an account."""
    whole = {"token_version": 1, "version": 1, "created_at": transaction.now, **values}
    await transaction.execute(insert(app_user).values(org_id=transaction.org_id, id=user_id, **whole))


async def update_user(transaction: Transaction, user_id: UUID, values: Mapping[str, Any]) -> None:
    """Change an account; its version rises."""
    await transaction.execute(
        update(app_user)
        .where(app_user.c.org_id == transaction.org_id, app_user.c.id == user_id)
        .values(**values, version=app_user.c.version + 1)
    )


async def set_roles(transaction: Transaction, user_id: UUID, roles: Iterable[Role]) -> None:
    """Give somebody these roles in the whole organization, and no others."""
    own = (
        membership.c.org_id == transaction.org_id,
        membership.c.user_id == user_id,
        membership.c.branch_key == "",
    )
    wanted = set(roles)
    present = {row.role for row in await transaction.rows(select(membership.c.role).where(*own))}
    gone = present - wanted
    if gone:
        await transaction.execute(delete(membership).where(*own, membership.c.role.in_(gone)))
    for role in sorted(wanted - present, key=lambda each: each.value):
        await transaction.execute(
            insert(membership).values(
                org_id=transaction.org_id, user_id=user_id, role=role, branch_key="", created_at=transaction.now
            )
        )


async def count_owners(transaction: Transaction) -> int:
    """Return how many owners in use the organization has."""
    return int(
        await transaction.value(
            select(func.count(membership.c.user_id.distinct()))
            .join(app_user, (app_user.c.org_id == membership.c.org_id) & (app_user.c.id == membership.c.user_id))
            .where(
                membership.c.org_id == transaction.org_id,
                membership.c.role == Role.OWNER,
                app_user.c.deleted_at.is_(None),
            )
        )
    )


async def read_guardians(transaction: Transaction, student_id: UUID) -> Sequence[Row[Any]]:
    """Return who looks after a student: id, code, display_name."""
    return await transaction.rows(
        select(app_user.c.id, app_user.c.code, app_user.c.display_name)
        .join(guardian, (guardian.c.org_id == app_user.c.org_id) & (guardian.c.observer_id == app_user.c.id))
        .where(
            guardian.c.org_id == transaction.org_id,
            guardian.c.student_id == student_id,
            app_user.c.deleted_at.is_(None),
        )
        .order_by(app_user.c.sort_key, app_user.c.id)
    )


async def looks_after(transaction: Transaction, observer_id: UUID, student_id: UUID) -> bool:
    """Return whether somebody is a guardian of a student."""
    row = await transaction.first(
        select(guardian.c.student_id).where(
            guardian.c.org_id == transaction.org_id,
            guardian.c.observer_id == observer_id,
            guardian.c.student_id == student_id,
        )
    )
    return row is not None


async def children_of(transaction: Transaction, observer_id: UUID) -> Sequence[Row[Any]]:
    """Return the students that somebody looks after: id, code, display_name."""
    return await transaction.rows(
        select(app_user.c.id, app_user.c.code, app_user.c.display_name)
        .join(guardian, (guardian.c.org_id == app_user.c.org_id) & (guardian.c.student_id == app_user.c.id))
        .where(
            guardian.c.org_id == transaction.org_id,
            guardian.c.observer_id == observer_id,
            app_user.c.deleted_at.is_(None),
        )
        .order_by(app_user.c.sort_key, app_user.c.id)
    )


def _searched(statement: Select[Any], text: str) -> Select[Any]:
    return statement.where(
        or_(
            app_user.c.sort_key.like(search_pattern(text), escape="\\"),
            app_user.c.code == text.strip().upper(),
            app_user.c.email_norm == normal_email(text),
            app_user.c.external_id == text.strip(),
        )
    )


def _view(row: Row[Any], roles: Iterable[Role]) -> User:
    return User(
        id=row.id,
        code=row.code,
        name=row.display_name,
        email=row.email,
        email_verified=row.email_verified_at is not None,
        external_id=row.external_id,
        phone=row.phone,
        given_name=row.given_name,
        family_name=row.family_name,
        language=None if row.language is None else Language(row.language),
        time_zone=row.time_zone,
        status=row.status,
        roles=tuple(sorted(roles, key=list(Role).index)),
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        version=row.version,
    )
