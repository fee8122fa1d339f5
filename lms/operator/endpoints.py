"""/api/v1/operator: organizations, as the operator sees them. Known by the setting `operator.token` alone."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Row, select, update

from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import BAD_CURSOR, BAD_TOKEN, NOT_FOUND, NOT_SIGNED_IN, ProblemError, not_found
from lms.audit.record import record
from lms.organizations.messages import Quota, Usage
from lms.organizations.problems import THE_ORGANIZATION
from lms.organizations.quotas import read_usage
from lms.organizations.tables import OrganizationStatus, Plan, organization
from lms.parts import Parts
from webapi.shapes import Answer, Request

TAG: Final = "For operators"
PATH: Final = "/api/v1/operator/organizations"
ONE: Final = f"{PATH}/{{slug}}"


class SlugPath(Request, frozen=True, kw_only=True):
    slug: Annotated[str, Meta(min_length=1, max_length=100)]


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
