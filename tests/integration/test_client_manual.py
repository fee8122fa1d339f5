"""The manual of the Python client and the examples, run against a real server: as a new user would."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import signaling.client
from signaling.client import Room
from signaling.client.events import MessageReceived
from signaling.client.webrtc import WebRtc
from tests.integration.test_client import write_clip
from tests.support.client_media import Show, hears_tone
from tests.support.peer_foreign import running_libwebrtc
from tests.support.peer_school import open_school, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

MANUAL = (Path(signaling.client.__file__).parent / "README.md").read_text()
EXAMPLES = Path(__file__).parents[2] / "examples"
BLOCKS = re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL)
IMPORTS = """
import asyncio
import numpy as np
from signaling.client import KeyHolder, ReconnectPolicy, Room
from signaling.client.errors import NotAllowedInError, RequestRefusedError
from signaling.client.events import HandRaised, MessageReceived, Resumed, TrackChanged
from signaling.client.files import play_file
from signaling.client.media import VideoFrame
from signaling.identifiers import Door, Role, SlotKind, Source
"""
FEW = WebRtc(audio_slots=1, video_slots=1, screen_slots=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def libwebrtc() -> AsyncIterator[None]:
    """Begin before a test's leftovers are counted, and end behind them."""
    async with running_libwebrtc():
        yield


async def test_the_manual_shows_the_example_as_it_is_and_it_is_short() -> None:
    greeter = (EXAMPLES / "greeter.py").read_text()
    assert greeter in BLOCKS
    body = greeter.partition("BEEP = ")[2].partition('if __name__ == "__main__":')[0]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20


async def test_every_example_of_the_manual(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip)
    names: dict[str, Any] = {}
    exec(IMPORTS, names)
    for block in BLOCKS[1:]:
        exec(block, names)
    run: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        name: names[name] for block in BLOCKS[1:] for name in re.findall(r"^async def (\w+)", block, re.MULTILINE)
    }
    async with (
        open_school(tmp_path) as school,
        Room(school.server.url, "algebra", school.token("amal", "algebra"), media=FEW) as amal,
        Room(school.server.url, "algebra", school.token("badr", "algebra"), media=FEW) as badr,
    ):
        await run.pop("join_with_a_key")(school.server.url, school.key.key_id, school.key.secret)
        listening = asyncio.create_task(run.pop("listen")(amal))
        await asyncio.sleep(0.1)
        await badr.send("yes")
        while not listening.done():
            await badr.send("hello")
            await asyncio.sleep(0.05)
        await listening
        await run.pop("teach")(amal)
        await run.pop("show_red")(amal)
        await run.pop("play")(amal, str(clip))
        async with Show(amal, red=90, tone_hz=300):
            await run.pop("watch")(badr)
        await run.pop("be_patient")(school.server.url, school.token("carl", "algebra"))
        await badr.wait_closed()
    assert not run, f"never run: {list(run)}"


async def test_the_greeter_greets_tells_the_time_and_beeps(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        arguments = (school.server.url, "algebra", school.token("greeter", "algebra"))
        async with bot("greeter.py", *arguments):
            room = Room(school.server.url, "algebra", school.token("badr", "algebra"), name="Badr", media=FEW)
            said: list[str] = []
            room.on(MessageReceived, lambda event: said.append(event.body))
            async with Room(school.server.url, "algebra", school.token("amal", "algebra")) as amal:
                await until(lambda: amal.participants, "the bot is there", within_s=30)
            async with room:
                await until(lambda: "Welcome, Badr!" in said, "badr is greeted")
                await room.send("!time")
                await until(lambda: any(re.fullmatch(r"It is \d\d:\d\d\.", text) for text in said), "the time")
                listening = asyncio.create_task(hears(room))
                await asyncio.sleep(0.2)
                await room.raise_hand()
                assert await listening
                await room.send("!hands")
                await until(lambda: any(text.startswith("1 raised: ") for text in said), "the hands are counted")
                await room.end_class()


async def test_the_attendance_bot_prints_who_was_there(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        async with bot("attendance.py", school.server.url, "algebra", school.token("bot", "algebra")) as process:
            async with Room(school.server.url, "algebra", school.token("amal", "algebra")) as amal:
                await until(lambda: amal.participants, "the bot is there", within_s=30)
                async with Room(school.server.url, "algebra", school.token("badr", "algebra")):
                    pass
                await amal.end_class()
            assert process.stdout is not None
            printed = (await process.stdout.read()).decode()
            assert await process.wait() == 0
        assert printed.splitlines() == ["amal: 0.0 minutes", "badr: 0.0 minutes"]


async def hears(room: Room) -> bool:
    return await hears_tone(room.frames(room.sections[0]), tone_hz=880)


@contextlib.asynccontextmanager
async def bot(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run an example as a program; it ends with the class."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
        async with asyncio.timeout(10):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
