"""/api/v1/operator: organizations, as the operator sees them. Known by the setting `operator.token` alone."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import (
    ALREADY_TAKEN,
    BAD_CURSOR,
    BAD_TOKEN,
    NOT_FOUND,
    NOT_SIGNED_IN,
    QUOTA_EXCEEDED,
    ProblemError,
    bad_field,
    not_found,
)
from lms.audit.record import record
from lms.database.transaction import Transaction
from lms.organizations.challenge import can_be_proven
from lms.organizations.host_store import claim, find_host, give_up, grant, list_hosts
from lms.organizations.hosts import VERIFIED, view_of_host
from lms.organizations.messages import HostText, HostView, Quota, Usage
from lms.organizations.problems import PROVABLE_HOST, THE_HOST, THE_ORGANIZATION, host_taken
from lms.organizations.quotas import read_usage
from lms.organizations.tables import OrganizationStatus, Plan, organization
from lms.parts import Parts
from webapi.shapes import Answer, Request

TAG: Final = "For operators"
PATH: Final = "/api/v1/operator/organizations"
ONE: Final = f"{PATH}/{{slug}}"
HOSTS: Final = f"{ONE}/hosts"
HOST: Final = f"{HOSTS}/{{host}}"


class SlugPath(Request, frozen=True, kw_only=True):
    slug: Annotated[str, Meta(min_length=1, max_length=100)]


class TenantHostPath(SlugPath, frozen=True, kw_only=True):
    host: HostText


class ChangeTenant(Request, frozen=True, kw_only=True):
    """What changes; what is left out stays. A quota is replaced as a whole."""

    plan: Plan | UnsetType = UNSET
    status: OrganizationStatus | UnsetType = UNSET
    quota: Quota | UnsetType = UNSET


class Tenant(Answer, frozen=True, kw_only=True):
    """An organization, as the operator sees it."""

    slug: str
    name: str
    plan: Plan
    status: OrganizationStatus
    quota: Quota
    usage: Usage
    version: int


class OperatorEndpoints:
    """Organizations of the service."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        self._standings = parts.standings
        self._outbox = parts.outbox
        self._hosts_max = parts.settings.hosts.per_organization
        self._token = parts.settings.operator.token

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        refusals = (NOT_SIGNED_IN, BAD_TOKEN, NOT_FOUND)
        about = "For whoever has the token of the setting `operator.token`."
        return (
            Endpoint(
                operation="list_tenants", method="GET", path=PATH, summary="List organizations", description=about,
                tag=TAG, access=Open.ANYBODY, query=PageQuery,
                answers={200: Reply("A page of organizations.", list[Tenant])},
                problems=(NOT_SIGNED_IN, BAD_TOKEN, BAD_CURSOR), use=Use.OWN, run=self._list,
            ),
            Endpoint(
                operation="get_tenant", method="GET", path=ONE, summary="Look at an organization", description=about,
                tag=TAG, access=Open.ANYBODY, parameters=SlugPath,
                answers={200: Reply("The organization.", Tenant)}, problems=refusals, use=Use.OWN, run=self._get,
            ),
            Endpoint(
                operation="change_tenant", method="PATCH", path=ONE, description=about,
                summary="Change an organization's plan, status or quota", tag=TAG, access=Open.ANYBODY,
                parameters=SlugPath, body=ChangeTenant, answers={200: Reply("As it is now.", Tenant)},
                problems=refusals, versioned=True, use=Use.OWN, run=self._change,
            ),
            Endpoint(
                operation="list_tenant_hosts", method="GET", path=HOSTS, summary="List an organization's addresses",
                description=about, tag=TAG, access=Open.ANYBODY, parameters=SlugPath,
                answers={200: Reply("All that are claimed or verified.", list[HostView])},
                problems=refusals, use=Use.OWN, run=self._list_hosts,
            ),
            Endpoint(
                operation="verify_tenant_host", method="PUT", path=HOST, tag=TAG, access=Open.ANYBODY,
                summary="Give an organization an address, verified without DNS",
                description=f"{about} Whether it was claimed or not; an address that another one has verified must be "
                "taken from it first.",
                parameters=TenantHostPath, answers={200: Reply("It leads to the organization.", HostView)},
                problems=(*refusals, ALREADY_TAKEN, QUOTA_EXCEEDED), use=Use.OWN, run=self._verify_host,
            ),
            Endpoint(
                operation="remove_tenant_host", method="DELETE", path=HOST, tag=TAG, access=Open.ANYBODY,
                summary="Take an address from an organization", description=about, parameters=TenantHostPath,
                answers={204: Reply("It is free again.")}, problems=refusals, use=Use.OWN, run=self._remove_host,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, PageQuery, Nothing]) -> Result:
        self._check(call)
        async with self._database.read_all() as transaction:
            statement = select(organization).where(organization.c.deleted_at.is_(None))
            rows, following = await fetch_page(transaction, statement, (organization.c.slug,), call.query)
        return Result([await self._view(row) for row in rows], next=following)

    async def _get(self, call: Call[SlugPath, Nothing, Nothing]) -> Result:
        self._check(call)
        view = await self._view(await self._find(call.path.slug))
        return Result(view, version=view.version)

    async def _change(self, call: Call[SlugPath, Nothing, ChangeTenant]) -> Result:
        self._check(call)
        org_id = (await self._find(call.path.slug)).id
        async with self._database.write(org_id) as transaction:
            row = await transaction.one(select(organization).where(organization.c.id == org_id).with_for_update())
            call.check_version(row.version)
            said = {name: getattr(call.body, name) for name in call.body.__struct_fields__}
            changes = {name: value for name, value in said.items() if value is not UNSET}
            if changes:
                told = {name: msgspec.to_builtins(value) for name, value in changes.items()}
                written = changes | ({"quota": told["quota"]} if "quota" in told else {})
                await transaction.execute(
                    update(organization)
                    .where(organization.c.id == org_id)
                    .values(**written, version=organization.c.version + 1)
                )
                old = {name: msgspec.to_builtins(row._mapping[name]) for name in changes}
                await record(
                    call, "organization.operate", "organization", org_id, old=old, new=told, transaction=transaction
                )
            transaction.after_commit.append(lambda: self._standings.forget_organization(org_id))
        view = await self._view(await self._find(call.path.slug))
        return Result(view, version=view.version)

    async def _list_hosts(self, call: Call[SlugPath, Nothing, Nothing]) -> Result:
        self._check(call)
        org_id = (await self._find(call.path.slug)).id
        async with self._database.read(org_id) as transaction:
            return Result([view_of_host(row) for row in await list_hosts(transaction, org_id)])

    async def _verify_host(self, call: Call[TenantHostPath, Nothing, Nothing]) -> Result:
        self._check(call)
        org_id, host = (await self._find(call.path.slug)).id, call.path.host
        if not can_be_proven(host):
            raise bad_field("host", host, PROVABLE_HOST, "form")
        try:
            async with self._database.write(org_id) as transaction:
                if await self._give_host(transaction, org_id, host):
                    told = {"host": host, "by": "operator"}
                    await record(call, "host.verify", "organization", org_id, new=told, transaction=transaction)
                    await self._outbox.send(transaction, VERIFIED, key=host, payload={"host": host})
                row = await find_host(transaction, org_id, host)
        except IntegrityError:
            raise host_taken(host) from None
        assert row is not None, "it was written above"
        return Result(view_of_host(row))

    async def _give_host(self, transaction: Transaction, org_id: UUID, host: str) -> bool:
        """Return whether it is verified only now."""
        if await find_host(transaction, org_id, host) is not None:
            return await grant(transaction, org_id, host)
        await claim(transaction, org_id, host, self._hosts_max, verified=True)
        return True

    async def _remove_host(self, call: Call[TenantHostPath, Nothing, Nothing]) -> Result:
        self._check(call)
        org_id, host = (await self._find(call.path.slug)).id, call.path.host
        async with self._database.write(org_id) as transaction:
            if not await give_up(transaction, org_id, host):
                raise not_found(THE_HOST)
            told = {"host": host, "by": "operator"}
            await record(call, "host.remove", "organization", org_id, old=told, transaction=transaction)
        return Result(status=204)

    def _check(self, call: Call[Any, Any, Any]) -> None:
        """Raise ProblemError unless it is the operator who asks."""
        scheme, _, shown = call.http.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise ProblemError(NOT_SIGNED_IN)
        expected = self._token
        if expected is None or not hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), expected.encode()):
            raise ProblemError(BAD_TOKEN)

    async def _find(self, slug: str) -> Row[Any]:
        async with self._database.read_all() as transaction:
            row = await transaction.first(
                select(organization).where(organization.c.slug == slug, organization.c.deleted_at.is_(None))
            )
        if row is None:
            raise not_found(THE_ORGANIZATION)
        return row

    async def _view(self, row: Row[Any]) -> Tenant:
        async with self._database.read(row.id) as transaction:
            usage = await read_usage(transaction)
        return Tenant(
            slug=row.slug,
            name=row.name,
            plan=row.plan,
            status=row.status,
            quota=msgspec.convert(row.quota, Quota),
            usage=usage,
            version=row.version,
        )
