"""What people's own tables hold on somebody; the account stays, as an id that leads to nobody."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

from lms.api.languages import Language
from lms.database.transaction import Transaction
from lms.organizations.tables import organization
from lms.people.tables import UserStatus, app_user, guardian, membership
from lms.personal.holding import DELETE, Beside, Holding
from lms.text import sort_key

FORMER: Final = {Language.ENGLISH: "Former member", Language.ARABIC: "عضو سابق"}
"""What lists show where the name was."""
_EMPTY: Final = (
    "external_id", "email", "email_norm", "email_verified_at", "phone", "given_name", "family_name", "language",
    "time_zone", "password_hash", "password_changed_at", "last_login_at",
)  # fmt: skip


async def erase_account(transaction: Transaction, user_id: UUID) -> int:
    """Leave of an account nothing but its id, and a code that says nothing."""
    language = await transaction.value(select(organization.c.language).where(organization.c.id == transaction.org_id))
    name = FORMER[Language(language)]
    values: dict[str, Any] = dict.fromkeys(_EMPTY)
    values |= {"code": f"X-{user_id.hex[-12:].upper()}", "display_name": name, "sort_key": sort_key(name)}
    done = await transaction.execute(
        update(app_user)
        .where(app_user.c.org_id == transaction.org_id, app_user.c.id == user_id)
        .values(
            **values,
            status=UserStatus.INACTIVE,
            deleted_at=transaction.now,
            token_version=app_user.c.token_version + 1,
            version=app_user.c.version + 1,
        )
    )
    return done.rowcount


HOLDINGS: Final = (
    Holding("account", app_user, by=("id",), erase=erase_account),
    Holding("roles", membership, by=("user_id",), erase=DELETE),
    Holding(
        "guardians",
        guardian,
        by=("observer_id", "student_id"),
        beside=(Beside("observer_id", app_user, "display_name"), Beside("student_id", app_user, "display_name")),
        erase=DELETE,
    ),
)
