"""Hosts are claimed by whoever wants them, and lead to a school once DNS or the operator says so, on both engines."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import dns.rcode
import pytest
from sqlalchemy import URL, Connection, create_engine, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from lms.clock import TurnedClock
from lms.database.migrate import downgrade, upgrade
from lms.database.settings import DatabaseSettings
from lms.errors import LmsError
from lms.operator.settings import OperatorSettings
from lms.organizations.make import NewOrganization, make_organization
from lms.organizations.settings import HostSettings
from lms.organizations.tables import OrganizationStatus, Plan, org_host, organization
from lms.organizations.txt_records import DnsSilentError, TxtRecords
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings
from tests.integration.lms.classes.test_held_classes import ONLY_SQLITE
from tests.integration.lms.database.test_migrations import empty_url
from tests.integration.lms.organizations.test_organizations import TOKEN
from tests.support.dns_server import DnsServer, dns_server
from tests.support.lms import GENEROUS, MONDAY, Answer, Person, School, make_school, running_school

HOST = "al-noor.example.org"
RECORD = f"_halqa-challenge.{HOST}"
__all__ = ["empty_url"]
PATH = f"/organization/hosts/{HOST}"
OF_OPERATOR = "/operator/organizations/{}/hosts/" + HOST
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def names() -> AsyncIterator[DnsServer]:
    async with dns_server() as running:
        yield running


@pytest.fixture
async def school(database_settings: DatabaseSettings, tmp_path: Path, names: DnsServer) -> AsyncIterator[School]:
    """A school that asks our DNS, with an operator."""
    operator = OperatorSettings(token=TOKEN)
    async with running_school(tmp_path, database_settings, hosts=names.settings, operator=operator) as running:
        yield running


async def claimed(school: School, person: Person) -> str:
    """Claim the host; return the token."""
    answer = await school.put(PATH, as_=person)
    assert (answer.data["state"], answer.data["record_name"]) == ("claimed", RECORD)
    return str(answer.data["record_value"])


async def led_to(school: School) -> str:
    """Return to whom the host leads."""
    answer = await school.get("/organization/public", headers={"Host": HOST})
    return str(answer.data["slug"] if answer.status == 200 else answer.code)


async def test_from_claim_to_proof(school: School, names: DnsServer) -> None:
    ours, theirs = await claimed(school, school.admin), await claimed(school, school.other.admin)
    assert ours != theirs
    assert await claimed(school, school.admin) == ours  # asked again it is the same
    assert await led_to(school) == "organization_needed"
    assert (await school.get("/organization", as_=school.admin)).data["hosts"] == []
    refusals: list[tuple[Any, str]] = [
        (None, "host_name_not_found"),
        ([], "host_record_missing"),
        (["v=spf1 -all", theirs], "host_record_differs"),
    ]
    for there, code in refusals:
        if there is not None:
            names.texts[RECORD] = there
        answer = await school.post(f"{PATH}/verify", as_=school.admin, language="en")
        assert (answer.status, answer.code) == (422, code)
        assert answer.error["details"]["expected"] == ours
        assert answer.error["details"]["more"]["dns"] == {"name": RECORD, "type": "TXT", "value": ours}
        assert RECORD in answer.error["message"]
        assert ours in answer.error["message"]
        in_arabic = (await school.post(f"{PATH}/verify", as_=school.admin, language="ar")).error["message"]
        assert RECORD in in_arabic
        assert ours in in_arabic
    assert theirs in answer.error["details"]["value"]
    names.texts[RECORD] = ["v=spf1 -all", ours]
    verified = await school.post(f"{PATH}/verify", as_=school.admin)
    assert (verified.data["state"], verified.data["verified_at"]) == ("verified", "2026-11-23T08:00:00Z")
    assert await led_to(school) == "al-noor"
    assert (await school.get("/organization", as_=school.admin)).data["hosts"] == [HOST]
    names.texts[RECORD] = [theirs]
    for method, path in (("POST", f"{PATH}/verify"), ("PUT", PATH)):
        late = await school.request(method, path, as_=school.other.admin)
        assert (late.status, late.code) == (409, "already_taken")
    count = len(names.asked)
    assert (await school.post(f"{PATH}/verify", as_=school.admin)).data["state"] == "verified"
    assert len(names.asked) == count  # what is verified is not asked for again
    log = (await school.get("/audit", as_=school.owner, action="host.verify")).data
    assert [(each["actor_id"], each["new"]) for each in log] == [
        (str(school.admin.id), {"host": HOST, "by": "dns"}),
    ]
    assert (await school.delete(PATH, as_=school.admin)).status == 204
    assert await led_to(school) == "organization_needed"
    assert (await school.post(f"{PATH}/verify", as_=school.admin)).code == "not_found"
    moved = await school.post(f"{PATH}/verify", as_=school.other.admin)
    assert moved.data["state"] == "verified"
    assert await led_to(school) == "other-school"
    assert await given_by_the_operator(school) == "already_taken"


async def given_by_the_operator(school: School) -> str:
    """Have the operator give it to us while another has it, and once it was taken from them."""
    refused = await school.put(OF_OPERATOR.format("al-noor"), headers=OPERATOR)
    assert (await school.put(OF_OPERATOR.format("al-noor"), as_=school.owner)).status == 401
    assert (await school.delete(OF_OPERATOR.format("other-school"), headers=OPERATOR)).status == 204
    given = await school.put(OF_OPERATOR.format("al-noor"), headers=OPERATOR)
    assert given.data["state"] == "verified"
    assert await led_to(school) == "al-noor"
    listed = await school.get("/operator/organizations/al-noor/hosts", headers=OPERATOR)
    assert [each["host"] for each in listed.data] == [HOST]
    assert (await school.get("/organization/hosts", as_=school.admin)).data == listed.data
    return refused.code


async def test_two_that_both_prove_it_at_once(school: School, names: DnsServer) -> None:
    names.texts[RECORD] = [await claimed(school, school.admin), await claimed(school, school.other.admin)]
    asking = [school.post(f"{PATH}/verify", as_=each) for each in (school.admin, school.other.admin, school.owner)]
    answers = await asyncio.gather(*asking)
    codes = [answer.status for answer in answers]
    assert codes in ([200, 409, 200], [409, 200, 409])
    assert await led_to(school) in {"al-noor", "other-school"}


@ONLY_SQLITE
async def test_dns_that_fails_long_values_aliases_and_other_people(school: School, names: DnsServer) -> None:
    token = await claimed(school, school.admin)
    names.failing[RECORD] = dns.rcode.SERVFAIL
    assert (await school.post(f"{PATH}/verify", as_=school.admin)).code == "dns_silent"
    del names.failing[RECORD]
    names.aliases[RECORD] = "proofs.example.net"
    names.texts["proofs.example.net"] = ["x" * 400]  # fits a packet, in two strings
    differs = await school.post(f"{PATH}/verify", as_=school.admin)
    assert differs.error["details"]["value"].startswith("x" * 100 + "…")
    assert (await school.post(f"{PATH}/verify", as_=school.manager)).status == 403
    names.texts["proofs.example.net"] = [f'"{token}"']
    assert (await school.post(f"{PATH}/verify", as_=school.admin)).data["state"] == "verified"
    for wrong in ("a..b", "x" * 64 + ".org"):
        answer = await school.put(f"/organization/hosts/{wrong}", as_=school.admin)
        assert (answer.status, answer.error["details"]["field"]) == (400, "host")


@ONLY_SQLITE
async def test_the_only_school_and_the_operator_need_no_dns(
    database_settings: DatabaseSettings, tmp_path: Path, names: DnsServer
) -> None:
    """When first set up: the service's own address needs no proof, nor do those that the operator's command names."""
    chosen = LmsSettings(
        data=tmp_path,
        database=database_settings,
        hosts=names.settings,
        http=HttpSettings(port=0, public_url=f"https://{HOST}"),
    )
    clock = TurnedClock(MONDAY)
    service = await LmsService.start(chosen, clock=clock)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            school = await make_school(service, http, clock, "al-noor", "Al Noor School")
            assert await led_to(school) == "al-noor"
            assert (await school.put(PATH, as_=school.admin)).data["state"] == "verified"
            second = "second.example.org"
            new = NewOrganization(slug="second", name="Second", owner_name="Huda", hosts=(second,))
            await make_organization(service.parts.database, service.parts.ids, new)
            answer = await school.get("/organization/public", headers={"Host": second})
            assert (answer.data["slug"], await led_to(school)) == ("second", "al-noor")
            with pytest.raises(LmsError, match=r"second\.example\.org"):
                await make_organization(
                    service.parts.database, service.parts.ids, dataclasses.replace(new, slug="third")
                )
        assert not names.asked
    finally:
        await service.close()


async def test_who_never_answers_is_not_waited_for() -> None:
    async with dns_server() as names:
        names.failing[RECORD] = None
        records = TxtRecords(HostSettings(nameservers=(f"127.0.0.1:{names.port}",), timeout_s=0.2))
        with pytest.raises(DnsSilentError):
            await records.read(RECORD)
        assert names.asked
    with pytest.raises(DnsSilentError):  # nobody listens there any more
        await records.read(RECORD)


@ONLY_SQLITE
async def test_questions_are_counted(database_settings: DatabaseSettings, tmp_path: Path, names: DnsServer) -> None:
    few = dataclasses.replace(GENEROUS, host_check_per_minute=2)
    settings = dataclasses.replace(names.settings, per_organization=1)
    async with running_school(tmp_path, database_settings, hosts=settings, rate_limits=few) as school:
        await claimed(school, school.admin)
        second = await school.put("/organization/hosts/second.example.org", as_=school.admin)
        assert (second.status, second.code) == (422, "quota_exceeded")
        answers: list[Answer] = [await school.post(f"{PATH}/verify", as_=school.admin) for _ in range(3)]
        assert [each.status for each in answers] == [422, 422, 429]
        assert answers[2].headers["Retry-After"] == "30"
        assert len(names.asked) == 2


def test_hosts_of_earlier_versions_are_verified_and_claims_do_not_go_back(empty_url: URL) -> None:
    ours, theirs, now = uuid4(), uuid4(), datetime(2026, 11, 23, tzinfo=UTC)
    upgrade(empty_url)
    with writing(empty_url) as connection:
        for org_id in (ours, theirs):
            school = {"plan": Plan.FREE, "status": OrganizationStatus.ACTIVE, "time_zone": "UTC", "language": "en"}
            named = {"id": org_id, "slug": f"s-{org_id}", "name": "S", "settings": {}, "quota": {}}
            connection.execute(insert(organization).values(version=1, created_at=now, **named, **school))
        claim = {"token": "t", "created_at": now}
        rows = [(ours, "a", now), (theirs, "a", None), (theirs, "b", None)]
        for org_id, host, verified_at in rows:
            connection.execute(insert(org_host).values(org_id=org_id, host=host, verified_at=verified_at, **claim))
    with writing(empty_url) as connection, pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(update(org_host).where(org_host.c.org_id == theirs).values(verified_at=now))
    downgrade(empty_url, "organizations@-2")
    with writing(empty_url) as connection:
        assert connection.execute(select(org_host.c.host, org_host.c.org_id)).all() == [("a", ours)]
    upgrade(empty_url)
    with writing(empty_url) as connection:
        [row] = connection.execute(select(org_host)).all()
    assert (row.org_id, row.host, row.verified_at is not None, len(row.token)) == (ours, "a", True, 43)


@contextmanager
def writing(url: URL) -> Iterator[Connection]:
    """Write as the service, which sees the rows of all."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if url.drivername != "sqlite":
            connection.execute(text("SET LOCAL ROLE halqa_lms_service"))
        yield connection
    engine.dispose()
