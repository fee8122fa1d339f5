"""A host whose proof vanishes from DNS is not cut off: people are told, and only who proves it has it a month later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import dns.rcode
import pytest

from lms.access.roles import Role
from lms.database.settings import DatabaseSettings
from lms.errors import SettingsError
from lms.operator.settings import OperatorSettings
from lms.organizations.host_checks import HostChecks
from lms.organizations.settings import HostSettings
from tests.integration.lms.organizations.test_hosts import (
    HOST,
    OF_OPERATOR,
    OPERATOR,
    PATH,
    RECORD,
    claimed,
    led_to,
    names,
)
from tests.integration.lms.organizations.test_organizations import TOKEN
from tests.support.dns_server import DnsServer
from tests.support.lms import School, running_school

__all__ = ["names"]


@pytest.fixture
async def school(database_settings: DatabaseSettings, tmp_path: Path, names: DnsServer) -> AsyncIterator[School]:
    """A school with a host that DNS proves, and that another school claims."""
    operator = OperatorSettings(token=TOKEN)
    async with running_school(tmp_path, database_settings, hosts=names.settings, operator=operator) as running:
        await running.parts.relay.close()  # mails go when the test says so
        await claimed(running, running.other.admin)
        names.texts[RECORD] = [await claimed(running, running.admin)]
        assert (await running.post(f"{PATH}/verify", as_=running.admin)).status == 200
        yield running


async def look(school: School, *, days: float = 1) -> int:
    """Have a time pass, and DNS asked; return of how many hosts the proof is missing."""
    school.clock.turn(timedelta(days=days))
    return await HostChecks(school.parts).run()


async def missing(school: School) -> bool:
    [host] = (await school.get("/organization/hosts", as_=school.admin)).data
    return host["missing_since"] is not None


async def told(school: School, folder: Path) -> tuple[list[str], list[str]]:
    """Return what the owner is notified of, and to whom mails went."""
    await school.parts.relay.run_once()
    notified = (await school.get("/notifications", as_=school.owner)).data
    files = sorted((folder / "mails").glob("*.eml"))
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    addresses = []
    for mail in mails:
        assert isinstance(mail, EmailMessage)
        assert RECORD in mail.get_content()
        assert mail["Content-Language"] == "ar"
        addresses.append(mail["To"])
    return [each["texts"]["en"] for each in notified], sorted(addresses)


async def test_who_loses_the_proof_is_told_once_and_keeps_the_host(
    school: School, names: DnsServer, tmp_path: Path
) -> None:
    address = {"email": "huda@example.org", "email_norm": "huda@example.org"}
    await school.person(Role.ADMIN, language="ar", **address)
    proof = names.texts.pop(RECORD)
    assert await look(school) == 1
    assert await missing(school)
    names.failing[RECORD] = dns.rcode.SERVFAIL  # nameservers that are away are no news
    assert await look(school, days=4) == 1
    assert await told(school, tmp_path) == ([], [])
    del names.failing[RECORD]
    for _ in range(2):
        assert await look(school) == 1
        texts, addresses = await told(school, tmp_path)
        assert len(texts) == 1
        assert HOST in texts[0]
        assert addresses == ["huda@example.org"]
    assert await led_to(school) == "al-noor"
    names.texts[RECORD] = proof
    assert await look(school) == 0
    assert not await missing(school)
    assert await led_to(school) == "al-noor"


async def test_who_proves_it_gets_a_host_a_month_after_the_proof_of_another_vanished(
    school: School, names: DnsServer
) -> None:
    [ours] = names.texts[RECORD]
    [other] = (await school.get("/organization/hosts", as_=school.other.admin)).data
    theirs = other["record_value"]
    names.texts[RECORD] = [theirs]

    async def verify() -> int:
        return (await school.post(f"{PATH}/verify", as_=school.other.admin)).status

    assert await look(school) == 1
    assert await look(school, days=29.5) == 1
    assert await verify() == 409
    assert (await school.delete(PATH, as_=school.other.admin)).status == 204
    assert (await school.put(PATH, as_=school.other.admin)).status == 409
    assert await look(school) == 1
    theirs = await claimed(school, school.other.admin)
    names.texts[RECORD] = [theirs, ours]  # both: it stays with whom it is
    assert await verify() == 409
    names.texts[RECORD] = []
    assert await verify() == 422
    assert await led_to(school) == "al-noor"
    names.texts[RECORD] = [theirs]
    assert await verify() == 200
    assert await led_to(school) == "other-school"
    [host] = (await school.get("/organization/hosts", as_=school.admin)).data
    assert (host["state"], host["missing_since"]) == ("claimed", None)
    log = (await school.get("/audit", as_=school.owner, action="host.lost")).data
    assert [each["old"] for each in log] == [{"host": HOST}]


async def test_what_the_operator_gave_needs_no_proof(school: School, names: DnsServer) -> None:
    names.texts.clear()
    assert await look(school) == 1
    assert (await school.put(OF_OPERATOR.format("al-noor"), headers=OPERATOR)).data["missing_since"] is None
    names.asked.clear()
    assert await look(school, days=60) == 0
    assert not names.asked


def test_nobody_is_cut_off_before_they_are_warned() -> None:
    for warn, free in ((0, 30), (31, 30), (3, 366)):
        with pytest.raises(SettingsError, match="warn_after_days"):
            HostSettings(warn_after_days=warn, free_after_days=free)
