"""Making an organization with its first owner: by the operator's command, and for a school to try things in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select

from lms.access.roles import Role
from lms.api.languages import Language
from lms.database.database import Database
from lms.errors import LmsError
from lms.ids import Ids
from lms.organizations.host_store import claim, owner_of
from lms.organizations.tables import OrganizationStatus, Plan, organization
from lms.people.codes import next_code
from lms.people.store import derived, insert_user, set_roles
from lms.people.tables import UserStatus


@dataclass(frozen=True, slots=True)
class Owner:
    """The first owner."""

    org_id: UUID
    user_id: UUID
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganization:
    """What an organization begins with."""

    slug: str
    name: str
    owner_name: str
    owner_email: str | None = None
    password_hash: str | None = None
    """Of the owner; without one they are to be invited."""
    time_zone: str = "UTC"
    language: Language = Language.ENGLISH
    hosts: tuple[str, ...] = ()
    """Addresses that are its own, verified: whoever runs the service says so."""


async def make_organization(database: Database, ids: Ids, new: NewOrganization) -> Owner:
    """Make an organization and an account that owns it; raises LmsError for a slug or host that is taken."""
    org_id, user_id = ids.new(), ids.new()
    async with database.write_all() as transaction:
        if await transaction.first(select(organization.c.id).where(organization.c.slug == new.slug)) is not None:
            raise LmsError(f"there is an organization {new.slug!r} already")
        for host in new.hosts:
            if await owner_of(transaction, host) is not None:
                raise LmsError(f"the host {host!r} is another organization's already")
        await transaction.execute(
            insert(organization).values(
                id=org_id,
                slug=new.slug,
                name=new.name,
                plan=Plan.FREE,
                status=OrganizationStatus.ACTIVE,
                time_zone=new.time_zone,
                language=new.language.value,
                settings={},
                quota={},
                version=1,
                created_at=transaction.now,
            )
        )
    async with database.write(org_id) as transaction:
        code = await next_code(transaction, (Role.OWNER,))
        values = {
            "code": code,
            "display_name": new.owner_name,
            "email": new.owner_email,
            "password_hash": new.password_hash,
            "status": UserStatus.INACTIVE if new.password_hash is None else UserStatus.ACTIVE,
        }
        for host in new.hosts:
            await claim(transaction, org_id, host, len(new.hosts), verified=True)
        await insert_user(transaction, user_id, derived(values))
        await set_roles(transaction, user_id, (Role.OWNER,))
    return Owner(org_id, user_id, code)
