"""The manual of events tells the truth: its examples are read by the code, and its programs work."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from aiohttp import web

from control_api.authorize.authority import KeyAuthority
from control_api.feed.cursor import parse_cursor
from control_api.feed.feed import Feed
from control_api.journal.events import Entry, Event, RoomStarted, decode_entry
from control_api.journal.journal import Journal
from control_api.journal.settings import JournalSettings
from control_api.keys import ApiKey
from control_api.routes.events import LIMIT_DEFAULT, LIMIT_MAX, WAIT_S_MAX, WAITING_MAX, add_event_routes
from webapi.webhooks.signature import sign

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "control_api" / "events.md").read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def run_program(name: str) -> Any:
    [program] = [program for program in PROGRAMS if f"def {name}(" in program]
    names: dict[str, Any] = {}
    exec(program, names)
    return names[name]


@pytest.mark.parametrize("line", EXAMPLES)
def test_example_is_an_event_to_the_last_field(line: str) -> None:
    found = json.loads(line)
    parse_cursor(found.pop("cursor"))
    entry = decode_entry(json.dumps(found).encode())
    assert json.loads(msgspec.json.encode(entry)) == found


def test_every_event_has_an_example_and_every_field_is_named() -> None:
    shown = {json.loads(line)["event"]["type"] for line in EXAMPLES}
    assert shown == {event.__struct_config__.tag for event in get_args(Event)}
    fields = {field.encode_name for struct in (Entry, *get_args(Event)) for field in msgspec.structs.fields(struct)}
    assert not [field for field in fields if f"`{field}`" not in TEXT and f'"{field}":' not in TEXT]


def test_numbers_are_those_of_the_code() -> None:
    assert f"1 to {LIMIT_MAX}; {LIMIT_DEFAULT} by default" in TEXT
    assert f"0 to {WAIT_S_MAX} seconds" in TEXT
    assert f"{WAITING_MAX} readers wait already" in TEXT


async def test_reader_of_the_manual_reads_everything(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, JournalSettings(node="m1"))
    feed = Feed(journal)
    application = web.Application()
    add_event_routes(application, feed, KeyAuthority({"key-1": ApiKey("key-1", b"s" * 32)}.get))
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken: list[int] = []

    async def take(line: str) -> None:
        taken.append(json.loads(line)["seq"])

    authorization = "Basic " + base64.b64encode(b"key-1:" + b"s" * 32).decode()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    reading = asyncio.create_task(run_program("follow")(url, authorization, None, take))
    try:
        for number in range(20):
            journal.append(RoomStarted(room=f"room-{number}"))
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while len(taken) < 20:
                await asyncio.sleep(0.01)
        assert taken == list(range(1, 21))
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await runner.cleanup()
        feed.close()
        await journal.close()


def test_receiver_of_the_manual_believes_us_and_nobody_else() -> None:
    check = run_program("check")
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = sign([b"o" * 32, b"k" * 32], "5f0c1a9e-2", int(time.time()), b"{}")
    assert check(secret, headers, b"{}")
    assert not check(secret, headers, b"{ }")
    assert not check(secret, sign([b"o" * 32], "5f0c1a9e-2", int(time.time()), b"{}"), b"{}")
    assert not check(secret, sign([b"k" * 32], "5f0c1a9e-2", int(time.time()) - 400, b"{}"), b"{}")
