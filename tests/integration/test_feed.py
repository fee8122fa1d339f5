"""The feed of a whole server: authenticated, resumable, ordered, patient; and what happens to wrong cursors."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from control_api.app import MediaServer
from control_api.authorize.authority import KeyAuthority
from control_api.errors import json_errors
from control_api.feed.feed import Feed
from control_api.feed.gate import JOINS, refuse_joins_without_memory
from control_api.journal import journal as journal_module
from control_api.journal.events import ParticipantJoined
from control_api.journal.journal import Journal
from control_api.journal.segments import SegmentFile, list_segments
from control_api.journal.settings import SEGMENT_BYTES_MIN, JournalSettings
from control_api.keys import ApiKey, open_keys
from control_api.routes.events import add_event_routes
from control_api.settings import HttpSettings, MediaSettings, ServerSettings


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


KEY = basic("key-1", "s" * 32)


def joined(number: int) -> ParticipantJoined:
    return ParticipantJoined(room="algebra", participant=f"p{number}", identity=f"user-{number}")


class Served:
    """A journal with its feed behind HTTP."""

    def __init__(self, journal: Journal, client: aiohttp.ClientSession) -> None:
        self.journal = journal
        self.client = client

    async def get(self, **query: str) -> tuple[int, list[Any], str]:
        """Return status, lines, and cursor of an answer."""
        async with self.client.get("/v1/events", params=query) as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
            return answer.status, lines, answer.headers.get("Halqa-Cursor", "")

    async def append(self, *numbers: int) -> None:
        for number in numbers:
            self.journal.append(joined(number))
        await self.journal.wait_durable(self.journal.position)


@asynccontextmanager
async def serve(folder: Path, **settings: Any) -> AsyncIterator[Served]:
    journal = await Journal.open(folder, JournalSettings(node="m1", retry_s=0.05, **settings))
    feed = Feed(journal)
    application = web.Application(middlewares=[json_errors, refuse_joins_without_memory(journal)])
    add_event_routes(application, feed, KeyAuthority({"key-1": ApiKey("key-1", b"s" * 32)}.get))

    async def join(_request: web.Request) -> web.Response:
        return web.Response()

    application.router.add_get(JOINS[0], join)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(url, headers={"Authorization": KEY}) as client:
            yield Served(journal, client)
    finally:
        await runner.cleanup()
        feed.close()
        await journal.close()


async def test_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        await served.append(*range(10))
        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            status, lines, next_cursor = await served.get(limit="3", **cursor)
            assert status == 200
            if not lines:
                break
            assert lines[-1]["cursor"] == next_cursor
            seen += [line["seq"] for line in lines]
            cursor = {"after": next_cursor}
        assert seen == list(range(1, 11))
        _, again, _ = await served.get(after=lines[0]["cursor"] if lines else next_cursor)
        assert again == []


async def test_feed_goes_on_over_a_crash(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        await served.append(1)
        _, lines, cursor = await served.get()
    async with serve(tmp_path) as served:
        _, lines, _ = await served.get(after=cursor)
        assert [line["event"]["type"] for line in lines] == ["participant_left"]
        assert lines[0]["event"]["reason"] == "inferred"


async def test_long_poll_answers_when_something_happens(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        _, _, cursor = await served.get(after="now")
        poll = asyncio.create_task(served.get(after=cursor, wait_s="20"))
        await asyncio.sleep(0.1)
        assert not poll.done()
        started = time.monotonic()
        await served.append(7)
        _, lines, _ = await poll
        assert [line["event"]["participant"] for line in lines] == ["p7"]
        assert time.monotonic() - started < 2


async def test_long_poll_ends_empty_with_the_same_cursor(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        await served.append(1)
        _, _, cursor = await served.get(after="now")
        assert await served.get(after=cursor, wait_s="1") == (200, [], cursor)


async def test_shutdown_ends_long_polls(tmp_path: Path) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": KEY}) as client:
        async with serve(tmp_path) as served:
            url = served.client._build_url("/v1/events")
            query = {"after": "now", "wait_s": "60"}
            poll = asyncio.create_task(client.get(url, params=query))
            await asyncio.sleep(0.1)
            started = time.monotonic()
        answer = await poll
        assert (answer.status, await answer.read()) == (200, b"")
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"after": ""}, "bad_cursor"),
        ({"after": "5"}, "bad_cursor"),
        ({"after": "zzzzzzzz-1"}, "bad_cursor"),
        ({"after": "{id}--1"}, "bad_cursor"),
        ({"after": "{id}-01"}, "bad_cursor"),
        ({"after": "{id}-1\n"}, "bad_cursor"),
        ({"after": "{id}-٣"}, "bad_cursor"),
        ({"after": "{id}-99"}, "bad_cursor"),
        ({"after": "{id}-" + "9" * 400}, "bad_cursor"),
        ({"limit": "0"}, "bad_parameter"),
        ({"limit": "1001"}, "bad_parameter"),
        ({"limit": "ten"}, "bad_parameter"),
        ({"wait_s": "61"}, "bad_parameter"),
        ({"wait_s": "-1"}, "bad_parameter"),
        ({"since": "1"}, "bad_parameter"),
    ],
)
async def test_bad_query_is_told_what_is_wrong(query: dict[str, str], code: str, tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        journal_id = served.journal.boot.journal_id
        params = {name: value.replace("{id}", journal_id) for name, value in query.items()}
        async with served.client.get("/v1/events", params=params) as answer:
            assert answer.status == 400
            error = (await answer.json())["error"]
            assert error["code"] == code
            assert error["message"]


async def test_cursor_of_another_journal_or_of_removed_events_is_gone(tmp_path: Path) -> None:
    async with serve(tmp_path, segment_bytes=SEGMENT_BYTES_MIN) as served:
        for number in range(40):
            await served.append(number)
        for segment in list_segments(served.journal.folder)[:1]:
            segment.path.unlink()
        for cursor in ("00000000-1", f"{served.journal.boot.journal_id}-1"):
            async with served.client.get("/v1/events", params={"after": cursor}) as answer:
                assert answer.status == 410
                assert (await answer.json())["error"]["code"] == "cursor_gone"
        _, lines, _ = await served.get()  # what is left, from the oldest
        assert lines[-1]["seq"] == 40
        assert [line["seq"] for line in lines] == list(range(lines[0]["seq"], 41))


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "no_key"),
        ("Bearer abc", "bad_key"),
        ("Basic !!!", "no_key"),
        (basic("key-1", "wrong"), "bad_key"),
        (basic("key-2", "s" * 32), "bad_key"),
        (basic("key-2", ""), "bad_key"),
        (basic("", ""), "bad_key"),
    ],
)
async def test_nobody_reads_without_a_key(authorization: str | None, code: str, tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        url = served.client._build_url("/v1/events")
        headers = {"Authorization": authorization} if authorization else {}
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
            assert answer.status == 401
            assert "WWW-Authenticate" in answer.headers
            assert (await answer.json())["error"]["code"] == code


async def test_joins_are_refused_when_presence_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "QUEUE_EVENTS_ORDINARY_MAX", 3)
    async with serve(tmp_path) as served:

        async def status() -> int:
            async with served.client.get("/v1/rooms/algebra/ws") as answer:
                return answer.status

        def fail(_file: SegmentFile, _content: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        assert await status() == 200
        with monkeypatch.context() as broken:
            broken.setattr(SegmentFile, "append", fail)
            served.journal.append(joined(0))
            while served.journal.failure is None:
                await asyncio.sleep(0.01)
            assert await status() == 200  # memory still bridges it
            for number in range(4):
                served.journal.append(joined(number))
            assert await status() == 503
        await served.journal.wait_durable(served.journal.position)
        assert await status() == 200


async def test_media_server_serves_its_feed(tmp_path: Path) -> None:
    settings = ServerSettings(
        data=tmp_path,
        http=HttpSettings(port=0),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
    )
    server = await MediaServer.start(settings)
    try:
        key = open_keys(tmp_path).first
        headers = {"Authorization": basic(key.key_id, key.secret.decode())}
        async with aiohttp.ClientSession(server.url, headers=headers) as client, client.get("/v1/events") as answer:
            assert answer.status == 200
            assert await answer.text() == ""
            assert answer.headers["Halqa-Cursor"].endswith("-0")
    finally:
        await server.close()
