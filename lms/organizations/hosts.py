"""/api/v1/organization: its addresses, at which nobody has to say whose they are, its quota, and what anybody sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from lms.access.accounts import find_organization
from lms.access.problems import ORGANIZATION_NEEDED
from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.languages import Language
from lms.api.phrases import same
from lms.api.problems import (
    ALREADY_TAKEN,
    NOT_FOUND,
    QUOTA_EXCEEDED,
    Problem,
    ProblemError,
    bad_field,
    not_found,
)
from lms.api.rate_limits import Limit
from lms.audit.record import record, record_by_service
from lms.database.transaction import Transaction
from lms.organizations.challenge import can_be_proven, proves, record_name, shown
from lms.organizations.host_store import claim, find_host, give_up, let_go, list_hosts, owner_of, verify
from lms.organizations.messages import (
    HostPath,
    HostState,
    HostView,
    OrganizationSettings,
    PublicOrganization,
    PublicQuery,
    QuotaView,
)
from lms.organizations.problems import (
    DNS_SILENT,
    HOST_NAME_NOT_FOUND,
    HOST_RECORD_DIFFERS,
    HOST_RECORD_MISSING,
    PROVABLE_HOST,
    THE_HOST,
    THE_ORGANIZATION,
    host_taken,
)
from lms.organizations.quotas import read_quota, read_usage
from lms.organizations.tables import organization
from lms.organizations.txt_records import DnsSilentError, NameMissingError, RecordMissingError, TxtRecords
from lms.parts import Parts

TAG: Final = "Organization"
HOSTS: Final = "/api/v1/organization/hosts"
HOST: Final = f"{HOSTS}/{{host}}"
VERIFIED: Final = "host.verified"
LOST: Final = "host.lost"
_ABOUT: Final = (
    "It is claimed then, and nothing follows from that. Prove it: make a TXT record `record_name` with the value "
    "`record_value` in DNS, and have it checked by `verify`. From then on nobody who comes by it has to say of which "
    "organization they are. Several may claim one address; whoever proves it first has it."
)
_CHECKED: Final = (
    "Asks DNS now for the TXT record of the claim. Leave the record there: it is looked for every day. If it is "
    "missing for some days you are told; after a month another organization that proves the address gets it."
)


class HostEndpoints:
    """Hosts and quotas of one's own organization, and what anybody may know of it."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        self._outbox = parts.outbox
        self._clock = parts.clock
        self._settings = parts.settings.hosts
        self._free_after = timedelta(days=parts.settings.hosts.free_after_days)
        self._records = TxtRecords(parts.settings.hosts)
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
                operation="list_hosts", method="GET", path=HOSTS, summary="List your addresses, and how to prove them",
                tag=TAG, access=Permission.SETTINGS_WRITE,
                answers={200: Reply("All that are claimed or verified.", list[HostView])}, run=self._list,
            ),
            Endpoint(
                operation="add_host", method="PUT", path=HOST, summary="Claim an address as yours", tag=TAG,
                description=_ABOUT, access=Permission.SETTINGS_WRITE, parameters=HostPath,
                answers={200: Reply("The address, and how to prove it.", HostView)},
                problems=(ALREADY_TAKEN, QUOTA_EXCEEDED), use=Use.OWN, run=self._add,
            ),
            Endpoint(
                operation="verify_host", method="POST", path=f"{HOST}/verify", tag=TAG,
                summary="Check whether an address is yours", description=_CHECKED,
                access=Permission.SETTINGS_WRITE, parameters=HostPath,
                answers={200: Reply("It is yours.", HostView)}, limit=Limit.HOST_CHECK,
                problems=(
                    NOT_FOUND, ALREADY_TAKEN, HOST_NAME_NOT_FOUND, HOST_RECORD_MISSING, HOST_RECORD_DIFFERS, DNS_SILENT,
                ),
                use=Use.OWN, run=self._verify,
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

    async def _list(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result([view_of_host(row) for row in await list_hosts(call.transaction, call.caller.org_id)])

    async def _add(self, call: Call[HostPath, Nothing, Nothing]) -> Result:
        """Look over all organizations whose it is, and then claim it."""
        host, org_id = call.path.host, call.caller.org_id
        if not can_be_proven(host):
            raise bad_field("host", host, PROVABLE_HOST, "form")
        async with self._database.read_all() as transaction:
            held = await self._held(transaction, host)
            others = await transaction.first(select(organization.c.id).where(organization.c.id != org_id).limit(1))
            present = await find_host(transaction, org_id, host)
        # Nobody takes the address of the whole service for themselves where others use it, too.
        own = host == self._own_host
        taken = held is not None and held.org_id != org_id and not self._is_free(held)
        if taken or (own and others is not None):
            raise host_taken(host)
        if present is not None:
            return Result(view_of_host(present))
        try:
            async with self._database.write(org_id) as transaction:
                # The operator told the service its own address: no proof is wanted of the only school there is.
                await claim(transaction, org_id, host, self._settings.per_organization, verified=own)
                told = {"host": host, "verified": own}
                await record(call, "host.add", "organization", org_id, new=told, transaction=transaction)
                if own:
                    await self._outbox.send(transaction, VERIFIED, key=host, payload={"host": host})
        except IntegrityError:  # by somebody else of the organization, at the same time; or it is another's by now
            async with self._database.read(org_id) as transaction:
                if await find_host(transaction, org_id, host) is None:
                    raise host_taken(host) from None
        return Result(view_of_host(await self._find(org_id, host)))

    async def _verify(self, call: Call[HostPath, Nothing, Nothing]) -> Result:
        """Ask DNS in no transaction, and write what it said if it still holds."""
        host, org_id = call.path.host, call.caller.org_id
        row = await self._find(org_id, host)
        if row.verified_at is not None:
            return Result(view_of_host(row))
        async with self._database.read_all() as transaction:
            held = await self._held(transaction, host)
        if held is not None and not self._is_free(held):
            raise host_taken(host)
        values = await self._ask(host, row.token)
        if held is not None:
            await self._take(held, values)
        try:
            async with self._database.write(org_id) as transaction:
                present = await find_host(transaction, org_id, host)
                if present is None or present.token != row.token:
                    raise not_found(THE_HOST)
                if await verify(transaction, org_id, host):
                    told = {"host": host, "by": "dns"}
                    await record(call, "host.verify", "organization", org_id, new=told, transaction=transaction)
                    await self._outbox.send(transaction, VERIFIED, key=host, payload={"host": host})
        except IntegrityError:
            raise host_taken(host) from None
        return Result(view_of_host(await self._find(org_id, host)))

    @staticmethod
    async def _held(transaction: Transaction, host: str) -> Row[Any] | None:
        """Return the row of whose a host is, among all; None for nobody's."""
        owner = await owner_of(transaction, host)
        return None if owner is None else await find_host(transaction, owner, host)

    def _is_free(self, held: Row[Any]) -> bool:
        """Tell whether whose a host is may lose it to somebody who proves it: their own proof is missing for long."""
        return held.missing_since is not None and held.missing_since <= self._clock.now() - self._free_after

    async def _take(self, held: Row[Any], values: Sequence[str]) -> None:
        """Take a host from whom it led to; raises ProblemError if their proof is there again."""
        if proves(values, held.token):
            raise host_taken(held.host)
        async with self._database.write(held.org_id) as transaction:
            if await let_go(transaction, held.org_id, held.host, transaction.now - self._free_after):
                told = {"host": held.host}
                await record_by_service(transaction, LOST, "organization", held.org_id, old=told)
                await self._outbox.send(transaction, LOST, key=held.host, payload=told)

    async def _ask(self, host: str, token: str) -> tuple[str, ...]:
        """Return what DNS has; raises ProblemError, with the record that is wanted, if that is not there."""
        name = record_name(host)

        def refused(problem: Problem, rule: str, found: str = "") -> ProblemError:
            wanted = {"name": name, "type": "TXT", "value": token}
            return ProblemError(
                problem,
                field="host",
                value=found or host,
                rule=rule,
                expected=same(token),
                record=same(name),
                dns=wanted,
            )

        try:
            values = await self._records.read(name)
        except NameMissingError:
            raise refused(HOST_NAME_NOT_FOUND, "dns_name") from None
        except RecordMissingError:
            raise refused(HOST_RECORD_MISSING, "dns_record") from None
        except DnsSilentError:
            raise refused(DNS_SILENT, "dns_answer") from None
        if not proves(values, token):
            raise refused(HOST_RECORD_DIFFERS, "dns_value", shown(values))
        return values

    async def _remove(self, call: Call[HostPath, Nothing, Nothing]) -> Result:
        if not await give_up(call.transaction, call.caller.org_id, call.path.host):
            raise not_found(THE_HOST)
        await record(call, "host.remove", "organization", call.caller.org_id, old={"host": call.path.host})
        return Result(status=204)

    async def _find(self, org_id: UUID, host: str) -> Row[Any]:
        async with self._database.read(org_id) as transaction:
            row = await find_host(transaction, org_id, host)
        if row is None:
            raise not_found(THE_HOST)
        return row


def view_of_host(row: Row[Any]) -> HostView:
    """Return a host as its organization and the operator see it."""
    return HostView(
        host=row.host,
        state=HostState.CLAIMED if row.verified_at is None else HostState.VERIFIED,
        record_name=record_name(row.host),
        record_value=row.token,
        created_at=row.created_at,
        verified_at=row.verified_at,
        missing_since=row.missing_since,
    )
