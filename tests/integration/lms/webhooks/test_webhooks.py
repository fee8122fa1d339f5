"""Webhooks on both engines and a real receiver: signed, in order, again after an outage, replayed when dead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lms.database.settings import DatabaseSettings
from lms.webhooks.settings import WebhookSettings
from tests.support.lms import School, running_school
from webapi.webhooks.secrets import decode_secret
from webapi.webhooks.signature import BadSignatureError, verify

HERE = WebhookSettings(allow_private_addresses=True, allow_plain_http=True)


@dataclass
class Receiver:
    """Another program: what it got, and whether it takes anything."""

    status: int = 204
    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status == 204:
            self.requests.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return web.Response(status=self.status)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Without those that came again."""
        found = [event for _, body in self.requests for event in json.loads(body)["events"]]
        return list({event["id"]: event for event in found}.values())

    @property
    def numbers(self) -> list[int]:
        return [event["data"]["number"] for event in self.events]


@asynccontextmanager
async def receiving(chosen: Receiver | None = None) -> AsyncIterator[Any]:
    receiver = chosen or Receiver()
    application = web.Application()
    application.router.add_post("/", receiver.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def open_school(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[School]:
    """A school that may tell programs of this computer; the test has deliveries made, not the clock."""
    async with running_school(tmp_path, database_settings, webhooks=HERE) as running:
        await running.parts.webhooks.close()
        await running.parts.relay.close()
        yield running


async def tell(school: School, *numbers: int, topic: str = "class.changed") -> None:
    for number in numbers:
        async with school.database.write(school.org_id) as transaction:
            await school.parts.outbox.send(transaction, topic, key="k", payload={"number": number})


async def subscribe(school: School, url: str, *topics: str) -> Any:
    body = {"name": "ERP", "url": url, "topics": list(topics) or ["*"]}
    return (await school.post("/webhooks", body, as_=school.admin)).data


async def test_signed_and_by_topic(open_school: School) -> None:
    school, other = open_school, open_school.other
    async with receiving() as receiver, receiving() as second:
        made = await subscribe(school, receiver.url, "class.changed", "grade.updated")
        await subscribe(school, second.url, "grade.updated")
        await tell(school, 1)
        await tell(school, 2, topic="grade.updated")
        await tell(school, 3, topic="class.room.end")  # the service's own
        await tell(other, 4)  # another school's
        await school.parts.webhooks.run_once()
        assert (receiver.numbers, second.numbers) == ([1, 2], [2])
        event = receiver.events[0]
        assert event["topic"] == "class.changed"
        assert event["organization_id"] == str(school.org_id)
        headers, body = receiver.requests[0]
        wallclock = school.clock.now().timestamp()
        verify([decode_secret(made["secret"])], headers, body, wallclock=wallclock)
        with pytest.raises(BadSignatureError):
            verify([decode_secret(made["secret"])], headers, body + b" ", wallclock=wallclock)
        with pytest.raises(BadSignatureError):
            verify([decode_secret(made["secret"])], headers, body, wallclock=wallclock + 301)


async def test_17_an_hour_of_outage_loses_nothing_and_keeps_the_order(open_school: School) -> None:
    """Invariant 17."""
    school = open_school
    async with receiving() as receiver, receiving() as well:
        made = await subscribe(school, receiver.url)
        await subscribe(school, well.url)
        receiver.status = 503
        for minute in range(60):
            await tell(school, *range(3 * minute, 3 * minute + 3))
            await school.parts.webhooks.run_once()
            school.clock.turn(60)
        assert receiver.events == []
        assert well.numbers == list(range(180))  # one that is away holds up no other
        view = (await school.get(f"/webhooks/{made['webhook']['id']}", as_=school.admin)).data
        assert (view["waiting"], view["dead"], view["error"]) == (180, 0, "the receiver answered 503")
        assert view["failures"] > 10
        receiver.status = 204
        school.clock.turn(timedelta(minutes=6))  # the longest pause
        await school.parts.webhooks.run_once()
        assert receiver.numbers == list(range(180))
        view = (await school.get(f"/webhooks/{made['webhook']['id']}", as_=school.admin)).data
        assert (view["waiting"], view["failures"], view["error"]) == (0, 0, None)


async def test_dead_letters_and_their_replay(open_school: School) -> None:
    school = open_school
    async with receiving() as receiver:
        made = await subscribe(school, receiver.url)
        path = f"/webhooks/{made['webhook']['id']}"
        receiver.status = 500
        await tell(school, 1, 2)
        await school.parts.webhooks.run_once()
        school.clock.turn(timedelta(hours=25))
        await tell(school, 3)
        await school.parts.webhooks.run_once()
        dead = (await school.get(f"{path}/deliveries", as_=school.admin, state="dead")).data
        assert [each["data"]["number"] for each in dead] == [2, 1]
        receiver.status = 204
        school.clock.turn(timedelta(minutes=6))
        await school.parts.webhooks.run_once()
        assert receiver.numbers == [3]
        assert (await school.post(f"{path}/replay", as_=school.admin)).data == {"events": 2}
        await school.parts.webhooks.run_once()
        assert receiver.numbers == [3, 1, 2]
        assert (await school.post(f"{path}/replay", as_=school.admin)).data == {"events": 0}


async def test_the_secret_changes_at_leisure(open_school: School) -> None:
    school = open_school
    async with receiving() as receiver:
        made = await subscribe(school, receiver.url)
        path = f"/webhooks/{made['webhook']['id']}"
        rotated = (await school.post(f"{path}/rotate", {"overlap_s": 3600}, as_=school.admin)).data
        old, new = (decode_secret(each["secret"]) for each in (made, rotated))
        for live in ([old], [new]):
            await tell(school, 1)
            await school.parts.webhooks.run_once()
            headers, body = receiver.requests[-1]
            verify(live, headers, body, wallclock=school.clock.now().timestamp())
        school.clock.turn(3601)
        assert (await school.post(f"{path}/test", as_=school.admin)).status == 202
        await school.parts.webhooks.run_once()
        headers, body = receiver.requests[-1]
        assert json.loads(body)["events"][0]["topic"] == "webhook.test"
        verify([new], headers, body, wallclock=school.clock.now().timestamp())
        with pytest.raises(BadSignatureError):
            verify([old], headers, body, wallclock=school.clock.now().timestamp())


async def test_managed_over_http(open_school: School) -> None:
    school = open_school
    async with receiving() as receiver:
        made = (await subscribe(school, receiver.url))["webhook"]
        path = f"/webhooks/{made['id']}"
        changed = await school.patch(
            path, {"active": False, "topics": ["grade.updated"]}, as_=school.admin, version=made["version"]
        )
        assert (changed.data["active"], changed.data["topics"]) == (False, ["grade.updated"])
        await tell(school, 1, topic="grade.updated")
        await school.parts.webhooks.run_once()
        assert receiver.requests == []
        wrong = await school.post("/webhooks", {"name": "a", "url": receiver.url, "topics": ["no"]}, as_=school.admin)
        assert (wrong.status, wrong.error["details"]["field"]) == (400, "topics")
        assert (await school.get(path, as_=school.other.admin)).status == 404
        assert (await school.post(f"{path}/replay", as_=school.other.admin)).status == 404
        assert (await school.delete(path, as_=school.admin)).status == 204
        assert (await school.get("/webhooks", as_=school.admin)).data == []
        assert len((await school.get("/webhooks/topics", as_=school.admin)).data) > 5


async def test_private_addresses_are_not_reached(school: School) -> None:
    """By default; and without HTTPS nobody is told."""
    await school.parts.webhooks.close()
    async with receiving() as receiver:
        refused = await school.post("/webhooks", {"name": "a", "url": receiver.url}, as_=school.admin)
        assert (refused.status, refused.error["details"]["field"]) == (400, "url")
        port = receiver.url.split(":")[2].strip("/")
        made = await subscribe(school, f"https://127.0.0.1:{port}/")
        await tell(school, 1)
        await school.parts.webhooks.run_once()
        view = (await school.get(f"/webhooks/{made['webhook']['id']}", as_=school.admin)).data
        assert "127.0.0.1 is not an address of the public Internet" in view["error"]
        assert receiver.requests == []
