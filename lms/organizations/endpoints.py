"""/api/v1/organization and /api/v1/branches: the organization of who asks, what it chooses, and its parts."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET
from sqlalchemy import Row, delete, insert, select, update

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.languages import Language
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import ALREADY_TAKEN, CONFLICT, NOT_FOUND, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.database.transaction import Transaction
from lms.organizations.messages import (
    Branch,
    BranchPath,
    ChangeBranch,
    ChangeOrganization,
    CreateBranch,
    Organization,
    OrganizationSettings,
    Quota,
)
from lms.organizations.problems import THE_BRANCH
from lms.organizations.tables import branch, org_host, organization
from lms.parts import Parts
from lms.people.problems import IANA_NAME
from lms.people.tables import membership

TAG: Final = "Organization"
ORGANIZATION: Final = "/api/v1/organization"
BRANCHES: Final = "/api/v1/branches"
BRANCH: Final = f"{BRANCHES}/{{branch_id}}"


class OrganizationEndpoints:
    """One's own organization."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="get_organization",
                method="GET",
                path=ORGANIZATION,
                summary="Look at your organization",
                tag=TAG,
                access=Permission.ORGANIZATION_READ,
                answers={200: Reply("The organization.", Organization)},
                run=self._get,
            ),
            Endpoint(
                operation="change_organization",
                method="PATCH",
                path=ORGANIZATION,
                summary="Change name, language, time zone or settings",
                tag=TAG,
                access=Permission.ORGANIZATION_WRITE,
                body=ChangeOrganization,
                answers={200: Reply("The organization as it is now.", Organization)},
                versioned=True,
                run=self._change,
            ),
            Endpoint(
                operation="list_branches",
                method="GET",
                path=BRANCHES,
                summary="List the parts of the organization",
                tag=TAG,
                access=Permission.ORGANIZATION_READ,
                query=PageQuery,
                answers={200: Reply("A page of branches.", list[Branch])},
                run=self._list_branches,
            ),
            Endpoint(
                operation="create_branch",
                method="POST",
                path=BRANCHES,
                summary="Add a part to the organization",
                tag=TAG,
                access=Permission.ORGANIZATION_WRITE,
                body=CreateBranch,
                answers={201: Reply("The branch.", Branch)},
                problems=(ALREADY_TAKEN,),
                idempotency_key=True,
                run=self._create_branch,
            ),
            Endpoint(
                operation="get_branch",
                method="GET",
                path=BRANCH,
                summary="Look at a branch",
                tag=TAG,
                access=Permission.ORGANIZATION_READ,
                parameters=BranchPath,
                answers={200: Reply("The branch.", Branch)},
                problems=(NOT_FOUND,),
                run=self._get_branch,
            ),
            Endpoint(
                operation="change_branch",
                method="PATCH",
                path=BRANCH,
                summary="Change a branch",
                tag=TAG,
                access=Permission.ORGANIZATION_WRITE,
                parameters=BranchPath,
                body=ChangeBranch,
                answers={200: Reply("The branch as it is now.", Branch)},
                problems=(NOT_FOUND,),
                versioned=True,
                run=self._change_branch,
            ),
            Endpoint(
                operation="delete_branch",
                method="DELETE",
                path=BRANCH,
                summary="Take a branch away",
                tag=TAG,
                access=Permission.ORGANIZATION_WRITE,
                parameters=BranchPath,
                answers={204: Reply("It is gone.")},
                problems=(NOT_FOUND, CONFLICT),
                run=self._delete_branch,
            ),
        )

    async def _get(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        view = await read_organization(call.transaction)
        return Result(view, version=view.version)

    async def _change(self, call: Call[Nothing, Nothing, ChangeOrganization]) -> Result:
        present = await read_organization(call.transaction)
        call.check_version(present.version)
        changes = _said(call.body)
        zone = changes.get("time_zone")
        if zone is not None and zone not in available_timezones():
            raise bad_field("time_zone", zone, IANA_NAME, "choice")
        if changes:
            await call.transaction.execute(
                update(organization)
                .where(organization.c.id == call.caller.org_id)
                .values(**changes, version=organization.c.version + 1)
            )
            old = {name: msgspec.to_builtins(getattr(present, name)) for name in changes}
            await record(call, "organization.update", "organization", call.caller.org_id, old=old, new=changes)
            if "language" in changes:  # which is part of how everybody stands
                call.transaction.after_commit.append(
                    partial(self._parts.standings.forget_organization, call.caller.org_id)
                )
        view = await read_organization(call.transaction)
        return Result(view, version=view.version)

    async def _list_branches(self, call: Call[Nothing, PageQuery, Nothing]) -> Result:
        statement = select(branch).where(branch.c.org_id == call.caller.org_id)
        rows, following = await fetch_page(call.transaction, statement, (branch.c.slug, branch.c.id), call.query)
        return Result([_view(row) for row in rows], next=following)

    async def _create_branch(self, call: Call[Nothing, Nothing, CreateBranch]) -> Result:
        body, transaction = call.body, call.transaction
        taken = select(branch.c.id).where(branch.c.org_id == transaction.org_id, branch.c.slug == body.slug)
        if await transaction.first(taken) is not None:
            raise ProblemError(ALREADY_TAKEN, field="slug", value=body.slug, rule="unique")
        branch_id = self._parts.ids.new()
        values = {"slug": body.slug, "name": body.name, "settings": body.settings}
        await transaction.execute(
            insert(branch).values(
                org_id=transaction.org_id, id=branch_id, version=1, created_at=transaction.now, **values
            )
        )
        await record(call, "branch.create", "branch", branch_id, new=values)
        view = _view(await _read_branch(transaction, branch_id))
        return Result(view, status=201, version=1, headers={"Location": f"{BRANCHES}/{branch_id}"})

    async def _get_branch(self, call: Call[BranchPath, Nothing, Nothing]) -> Result:
        row = await _read_branch(call.transaction, call.path.branch_id)
        return Result(_view(row), version=row.version)

    async def _change_branch(self, call: Call[BranchPath, Nothing, ChangeBranch]) -> Result:
        row = await _read_branch(call.transaction, call.path.branch_id)
        call.check_version(row.version)
        changes = _said(call.body)
        if changes:
            await call.transaction.execute(
                update(branch)
                .where(branch.c.org_id == call.caller.org_id, branch.c.id == row.id)
                .values(**changes, version=row.version + 1)
            )
            old = {name: getattr(row, name) for name in changes}
            await record(call, "branch.update", "branch", row.id, old=old, new=changes)
        row = await _read_branch(call.transaction, row.id)
        return Result(_view(row), version=row.version)

    async def _delete_branch(self, call: Call[BranchPath, Nothing, Nothing]) -> Result:
        row = await _read_branch(call.transaction, call.path.branch_id)
        used = select(membership.c.user_id).where(
            membership.c.org_id == call.caller.org_id, membership.c.branch_id == row.id
        )
        if await call.transaction.first(used.limit(1)) is not None:
            raise ProblemError(CONFLICT, field="branch_id", value=str(row.id), rule="in_use")
        await call.transaction.execute(
            delete(branch).where(branch.c.org_id == call.caller.org_id, branch.c.id == row.id)
        )
        await record(call, "branch.delete", "branch", row.id, old={"slug": row.slug, "name": row.name})
        return Result(status=204)


async def read_organization(transaction: Transaction) -> Organization:
    """Return the organization of the transaction; who writes holds the row until the end."""
    statement = select(organization).where(organization.c.id == transaction.org_id)
    row = await transaction.one(statement.with_for_update() if transaction.writes else statement)
    hosts = await transaction.rows(
        select(org_host.c.host)
        .where(org_host.c.org_id == transaction.org_id, org_host.c.verified_at.is_not(None))
        .order_by(org_host.c.host)
    )
    return Organization(
        id=row.id,
        slug=row.slug,
        name=row.name,
        plan=row.plan,
        status=row.status,
        time_zone=row.time_zone,
        language=Language(row.language),
        settings=msgspec.convert(row.settings, OrganizationSettings),
        quota=msgspec.convert(row.quota, Quota),
        hosts=tuple(each.host for each in hosts),
        created_at=row.created_at,
        version=row.version,
    )


async def _read_branch(transaction: Transaction, branch_id: UUID) -> Row[Any]:
    statement = select(branch).where(branch.c.org_id == transaction.org_id, branch.c.id == branch_id)
    row = await transaction.first(statement.with_for_update() if transaction.writes else statement)
    if row is None:
        raise not_found(THE_BRANCH)
    return row


def _view(row: Row[Any]) -> Branch:
    return Branch(
        id=row.id,
        slug=row.slug,
        name=row.name,
        settings=row.settings,
        created_at=row.created_at,
        version=row.version,
    )


def _said(body: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that were said, as plain values."""
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: msgspec.to_builtins(value) for name, value in fields.items() if value is not UNSET}
