"""/api/v1/organization: its addresses, at which nobody has to say whose they are, its quota, and what anybody sees."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import delete, func, insert, select

from lms.access.accounts import find_organization
from lms.access.problems import ORGANIZATION_NEEDED
from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.languages import Language
from lms.api.phrases import Phrase
from lms.api.problems import ALREADY_TAKEN, NOT_FOUND, QUOTA_EXCEEDED, ProblemError, not_found
from lms.audit.record import record
from lms.organizations.messages import (
    HostPath,
    OrganizationSettings,
    PublicOrganization,
    PublicQuery,
    QuotaView,
)
from lms.organizations.problems import THE_HOST, THE_ORGANIZATION
from lms.organizations.quotas import read_quota, read_usage
from lms.organizations.tables import org_host, organization
from lms.parts import Parts

TAG: Final = "Organization"
HOSTS_MAX: Final = 20
HOST: Final = "/api/v1/organization/hosts/{host}"


class HostEndpoints:
    """Hosts and quotas of one's own organization, and what anybody may know of it."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        self._own_host = urlsplit(parts.settings.http.public_url or "").hostname

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="get_public_organization", method="GET", path="/api/v1/organization/public",
                summary="See whose page this is", tag=TAG, access=Open.ANYBODY, query=PublicQuery,
                description="For pages before a login: named, by the address of the request, or the only one.",
                answers={200: Reply("What anybody may know.", PublicOrganization)},
                problems=(NOT_FOUND, ORGANIZATION_NEEDED), use=Use.OWN, run=self._public,
            ),
            Endpoint(
                operation="get_quota", method="GET", path="/api/v1/organization/quota", tag=TAG,
                summary="See what your organization may use, and uses", access=Permission.ORGANIZATION_READ,
                answers={200: Reply("Quota and usage.", QuotaView)}, run=self._quota,
            ),
            Endpoint(
                operation="add_host", method="PUT", path=HOST, summary="Have an address known as yours", tag=TAG,
                description="Then nobody who comes by it has to say of which organization they are.",
                access=Permission.SETTINGS_WRITE, parameters=HostPath, answers={204: Reply("It is yours.")},
                problems=(ALREADY_TAKEN, QUOTA_EXCEEDED), use=Use.OWN, run=self._add,
            ),
            Endpoint(
                operation="remove_host", method="DELETE", path=HOST, summary="Give an address up", tag=TAG,
                access=Permission.SETTINGS_WRITE, parameters=HostPath, answers={204: Reply("It is free again.")},
                problems=(NOT_FOUND,), run=self._remove,
            ),
        )  # fmt: skip

    async def _public(self, call: Call[Nothing, PublicQuery, Nothing]) -> Result:
        async with self._database.read_all() as transaction:
            host = (call.http.url.host or "").lower()
            org_id = await find_organization(transaction, call.query.organization, host)
            row = await transaction.first(select(organization).where(organization.c.id == org_id))
        if row is None:
            raise not_found(THE_ORGANIZATION)
        settings = msgspec.convert(row.settings, OrganizationSettings)
        return Result(
            PublicOrganization(
                slug=row.slug,
                name=row.name,
                language=Language(row.language),
                time_zone=row.time_zone,
                branding=settings.branding,
            )
        )

    async def _quota(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        quota, usage = await read_quota(call.transaction), await read_usage(call.transaction)
        return Result(QuotaView(quota=quota, usage=usage))

    async def _add(self, call: Call[HostPath, Nothing, Nothing]) -> Result:
        """Look over all organizations whose it is, and then take it."""
        host, org_id = call.path.host, call.caller.org_id
        async with self._database.read_all() as transaction:
            owner = await transaction.value(select(org_host.c.org_id).where(org_host.c.host == host))
            others = await transaction.first(select(organization.c.id).where(organization.c.id != org_id).limit(1))
        # Nobody takes the address of the whole service for themselves where others use it, too.
        if (owner is not None and owner != org_id) or (host == self._own_host and others is not None):
            raise ProblemError(ALREADY_TAKEN, field="host", value=host, rule="unique")
        if owner is not None:
            return Result(status=204)
        async with self._database.write(org_id) as transaction:
            own = select(func.count()).select_from(org_host).where(org_host.c.org_id == org_id)
            if await transaction.value(own) >= HOSTS_MAX:
                raise ProblemError(
                    QUOTA_EXCEEDED, field="host", value=HOSTS_MAX, rule="quota", what=Phrase("hosts", "عناوين المواقع")
                )
            await transaction.execute(insert(org_host).values(host=host, org_id=org_id))
            await record(call, "host.add", "organization", org_id, new={"host": host}, transaction=transaction)
        return Result(status=204)

    async def _remove(self, call: Call[HostPath, Nothing, Nothing]) -> Result:
        own = (org_host.c.org_id == call.caller.org_id, org_host.c.host == call.path.host)
        done = await call.transaction.execute(delete(org_host).where(*own))
        if done.rowcount == 0:
            raise not_found(THE_HOST)
        await record(call, "host.remove", "organization", call.caller.org_id, old={"host": call.path.host})
        return Result(status=204)
