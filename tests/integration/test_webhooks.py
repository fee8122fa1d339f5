"""Webhooks of a whole server: signed events arrive, a failing receiver gets them later, the API tells how it fares."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from control_api.app import MediaServer
from control_api.feed.feed import Feed
from control_api.journal.events import RoomStarted
from control_api.journal.journal import Journal
from control_api.journal.settings import JournalSettings
from control_api.keys import open_keys
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from control_api.webhooks.settings import WebhookEndpoint, WebhookSettings
from control_api.webhooks.webhooks import Webhooks
from webapi.webhooks.secrets import decode_secret
from webapi.webhooks.signature import verify

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Receiver:
    """Takes deliveries, after failing as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.events: list[dict[str, Any]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify([decode_secret(SECRET)], request.headers, body, wallclock=time.time())
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        self.events += json.loads(body)["events"]
        return web.Response(status=204)

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.events) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


def settings_for(receiver: Receiver) -> WebhookSettings:
    endpoint = WebhookEndpoint("lms", receiver.url, (SECRET,))
    return WebhookSettings(endpoints=(endpoint,), allow_private_addresses=True, allow_plain_http=True)


async def test_events_arrive_in_order_after_failures_and_restarts(receiver: Receiver, tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, JournalSettings(node="m1"))
    feed = Feed(journal)
    try:
        for boot in range(3):
            webhooks = await Webhooks.start(settings_for(receiver), feed, tmp_path)
            receiver.failures = boot % 2
            await asyncio.sleep(0.05)  # a new receiver begins with what follows
            for number in range(5):
                journal.append(RoomStarted(room=f"room-{number}"))
            await receiver.wait(5 * (boot + 1))
            while webhooks.workers["lms"].lag:
                await asyncio.sleep(0.01)
            assert webhooks.reading()["webhook_events_delivered_total"] == 5
            await asyncio.sleep(0.05)  # the progress is on the disk
            await webhooks.close()
        assert [event["seq"] for event in receiver.events] == list(range(1, 16))
    finally:
        feed.close()
        await journal.close()


async def test_media_server_tells_how_its_webhooks_fare(receiver: Receiver, tmp_path: Path) -> None:
    server = await MediaServer.start(
        ServerSettings(
            data=tmp_path,
            http=HttpSettings(port=0),
            media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
            webhooks=settings_for(receiver),
        )
    )
    try:
        key = open_keys(tmp_path).first
        shown = base64.b64encode(f"{key.key_id}:{key.secret.decode()}".encode()).decode()
        headers = {"Authorization": f"Basic {shown}"}
        async with aiohttp.ClientSession(server.url) as client:
            async with client.get("/v1/webhooks", headers=headers) as answer:
                [webhook] = (await answer.json())["webhooks"]
                assert (webhook["name"], webhook["waiting"], webhook["error"]) == ("lms", 0, None)
                assert SECRET not in await answer.text()
            async with client.post("/v1/webhooks/lms/replay", headers=headers) as answer:
                assert (answer.status, await answer.json()) == (202, {"ranges": 0})
            async with client.post("/v1/webhooks/other/replay", headers=headers) as answer:
                assert answer.status == 404
            for method, path in (("GET", "/v1/webhooks"), ("POST", "/v1/webhooks/lms/replay")):
                async with client.request(method, path) as answer:
                    assert answer.status == 401
    finally:
        await server.close()
