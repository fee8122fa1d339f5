"""How somebody stands now: whether the account is in use, with which roles; remembered for some seconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select

from lms.access.roles import Role
from lms.api.languages import Language
from lms.clock import Clock
from lms.database.database import Database
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.organizations.tables import OrganizationStatus, organization
from lms.people.tables import UserStatus, app_user, membership

STANDINGS_MAX: Final = 65_536
"""Remembered; who was asked about longest ago is forgotten. Some 30 MiB."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one account."""

    active: bool
    """It, and its organization."""
    token_version: int
    roles: frozenset[Role]
    name: str
    language: Language | None
    """The one that they chose, if they did."""
    language_of_organization: Language


class Standings:
    """Those who asked lately."""

    def __init__(self, database: Database, clock: Clock, remembered_s: float) -> None:
        self._database = database
        self._clock = clock
        self._remembered_s = remembered_s
        self._known: OrderedDict[tuple[UUID, UUID], tuple[float, Standing | None]] = OrderedDict()

    async def get(self, org_id: UUID, user_id: UUID) -> Standing | None:
        """Return how somebody stands, None for nobody."""
        known = self._known.get((org_id, user_id))
        now = self._clock.monotonic()
        if known is not None and now - known[0] < self._remembered_s:
            return known[1]
        async with self._database.read(org_id) as transaction:
            standing = await read_standing(transaction, user_id)
        self._known[org_id, user_id] = (now, standing)
        self._known.move_to_end((org_id, user_id))
        while len(self._known) > STANDINGS_MAX:
            self._known.popitem(last=False)
        return standing

    def forget(self, org_id: UUID, user_id: UUID) -> None:
        """Ask anew next time; to be called after each commit that changed account or roles."""
        self._known.pop((org_id, user_id), None)

    def forget_organization(self, org_id: UUID) -> None:
        """Ask anew for everybody of an organization."""
        for key in [key for key in self._known if key[0] == org_id]:
            del self._known[key]


async def read_standing(transaction: Transaction, user_id: UUID) -> Standing | None:
    """Return how somebody of the transaction's organization stands."""
    rows = await transaction.rows(_standing(transaction.org_id, user_id))
    if not rows:
        return None
    first = rows[0]
    open_ = first.of_organization is OrganizationStatus.ACTIVE and first.closed is None
    return Standing(
        active=open_ and first.status is UserStatus.ACTIVE,
        token_version=first.token_version,
        roles=frozenset(row.role for row in rows if row.role is not None),
        name=first.display_name,
        language=None if first.language is None else Language(first.language),
        language_of_organization=Language(first.language_of_organization),
    )


@prepared
def _standing(org_id: Any, user_id: Any) -> Select[Any]:
    return (
        select(
            app_user.c.status,
            app_user.c.token_version,
            app_user.c.display_name,
            app_user.c.language,
            organization.c.language.label("language_of_organization"),
            organization.c.status.label("of_organization"),
            organization.c.deleted_at.label("closed"),
            membership.c.role,
        )
        .join(organization, organization.c.id == app_user.c.org_id)
        .outerjoin(membership, (membership.c.org_id == app_user.c.org_id) & (membership.c.user_id == app_user.c.id))
        .where(app_user.c.org_id == org_id, app_user.c.id == user_id, app_user.c.deleted_at.is_(None))
    )
