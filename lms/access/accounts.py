"""Finding accounts by what people type, and what is changed of them when they log in."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, insert, select, update

from lms.access.messages import Myself
from lms.access.password_rules import USED_BEFORE
from lms.access.passwords import Passwords
from lms.access.problems import ORGANIZATION_NEEDED
from lms.access.roles import permissions_of
from lms.access.tables import password_history
from lms.api.languages import Language
from lms.api.problems import ProblemError
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.organizations.host_store import owner_of
from lms.organizations.tables import OrganizationStatus, organization
from lms.people.tables import UserStatus, app_user, membership


def normal_email(email: str) -> str:
    """Return the form in which addresses are compared."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


async def find_organization(transaction: Transaction, slug: str | None, host: str) -> UUID | None:
    """Return which organization is meant: named, by the address of the request, or the only one; None for none.

    Raises ProblemError (`organization_needed`) where it might be one of several.
    """
    usable = (organization.c.status == OrganizationStatus.ACTIVE, organization.c.deleted_at.is_(None))
    if slug is not None:
        named = await transaction.value(select(organization.c.id).where(organization.c.slug == slug.lower(), *usable))
        return UUID(str(named)) if named is not None else None
    by_host = await owner_of(transaction, host.lower())
    if by_host is not None:
        return by_host
    every = await transaction.rows(select(organization.c.id).where(*usable).limit(2))
    if len(every) > 1:
        raise ProblemError(ORGANIZATION_NEEDED, field="organization", rule="required")
    return every[0].id if every else None


async def find_account(transaction: Transaction, typed: str) -> Row[Any] | None:
    """Return the account with this code or e-mail address."""
    account = app_user.c.email_norm == normal_email(typed) if "@" in typed else app_user.c.code == typed.strip().upper()
    return await transaction.first(
        select(app_user).where(app_user.c.org_id == transaction.org_id, account, app_user.c.deleted_at.is_(None))
    )


async def read_account(transaction: Transaction, user_id: UUID) -> Row[Any] | None:
    """Return an account."""
    return await transaction.first(_account(transaction.org_id, user_id))


def ask_roles_ahead(transaction: Transaction, user_id: UUID) -> None:
    """Have somebody's roles be asked with whatever is asked next."""
    transaction.ahead(_roles(transaction.org_id, user_id))


async def read_myself(transaction: Transaction, account: Row[Any]) -> Myself:
    """Return what somebody sees of themselves."""
    rows = await transaction.rows(_roles(transaction.org_id, account.id))
    roles = tuple(row.role for row in rows)
    return Myself(
        id=account.id,
        organization_id=transaction.org_id,
        code=account.code,
        name=account.display_name,
        email=account.email,
        email_verified=account.email_verified_at is not None,
        language=None if account.language is None else Language(account.language),
        time_zone=account.time_zone,
        roles=roles,
        permissions=tuple(sorted(permissions_of(roles), key=lambda each: each.value)),
    )


@prepared
def _account(org_id: Any, user_id: Any) -> Select[Any]:
    return select(app_user).where(
        app_user.c.org_id == org_id, app_user.c.id == user_id, app_user.c.deleted_at.is_(None)
    )


@prepared
def _roles(org_id: Any, user_id: Any) -> Select[Any]:
    own = (membership.c.org_id == org_id, membership.c.user_id == user_id)
    return select(membership.c.role).where(*own).distinct().order_by(membership.c.role)


async def note_login(transaction: Transaction, user_id: UUID) -> None:
    """Note when somebody logged in last."""
    await transaction.execute(
        update(app_user)
        .where(app_user.c.org_id == transaction.org_id, app_user.c.id == user_id)
        .values(last_login_at=transaction.now)
    )


async def read_history(transaction: Transaction, user_id: UUID, count: int) -> list[str]:
    """Return the hashes of the last passwords of somebody, the present one too."""
    rows = await transaction.rows(
        select(password_history.c.password_hash)
        .where(password_history.c.org_id == transaction.org_id, password_history.c.user_id == user_id)
        .order_by(password_history.c.id.desc())
        .limit(count)
    )
    return [row.password_hash for row in rows]


async def check_history(earlier: list[str], password: str, passwords: Passwords) -> None:
    """Raise ProblemError for a password that was somebody's before; outside a transaction: it takes its time."""
    for kept in earlier:
        if await passwords.check(kept, password):
            raise ProblemError(USED_BEFORE, field="password", rule="history")


async def set_password(
    transaction: Transaction, history_id: UUID, user_id: UUID, password_hash: str, *, email: str | None = None
) -> None:
    """Set a password: every access token ends, and an invited account comes into use.

    With `email` the address is one that the person reads, because the link came there.
    """
    now = transaction.now
    own = (app_user.c.org_id == transaction.org_id, app_user.c.id == user_id)
    await transaction.execute(
        update(app_user)
        .where(*own)
        .values(
            password_hash=password_hash,
            password_changed_at=now,
            token_version=app_user.c.token_version + 1,
            version=app_user.c.version + 1,
        )
    )
    if email is not None:
        await transaction.execute(
            update(app_user).where(*own, app_user.c.status == UserStatus.INACTIVE).values(status=UserStatus.ACTIVE)
        )
        await transaction.execute(
            update(app_user).where(*own, app_user.c.email_norm == normal_email(email)).values(email_verified_at=now)
        )
    await transaction.execute(
        insert(password_history).values(
            org_id=transaction.org_id, id=history_id, user_id=user_id, password_hash=password_hash, created_at=now
        )
    )
