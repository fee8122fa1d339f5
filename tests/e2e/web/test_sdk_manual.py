"""The SDK's manual at /docs/sdk: its examples run as they stand, and it knows every method and event."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser

from control_api.invitations import Role
from signaling.web.pages import FOLDER
from tests.support.classroom import open_classroom

MANUAL = (FOLDER / "docs" / "sdk.html").read_text(encoding="utf-8")
EXAMPLES = [html.unescape(code) for code in re.findall(r'(?s)<code class="example">(.*?)</code>', MANUAL)]
IMPORT = re.compile(r"^import (\{[^}]*\}) from '([^']+)';", re.MULTILINE)


def as_function(examples: list[str]) -> str:
    """Return the examples one after the other as an async function of `server`, `token` and `checkToken`."""
    body = "\n".join(IMPORT.sub(r"const \1 = await import('\2');", code) for code in examples)
    return f"async ({{ server, token, checkToken }}) => {{\n{body}\n return room.state; }}"


@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="session")
async def test_the_examples_run_as_they_stand(browser: Browser, tmp_path: Path) -> None:
    async with open_classroom(browser, tmp_path) as classroom:
        student = await classroom.join("omar", role=Role.STUDENT)
        context = await browser.new_context()
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(f"{classroom.server.url}/docs/sdk")
        values = {
            "server": classroom.server.url,
            "token": classroom.token("lina"),
            "checkToken": classroom.token("lina", room="check"),
        }
        assert len(EXAMPLES) >= 10
        assert await page.evaluate(as_function(EXAMPLES), values) == "closed"
        await context.close()
        text = "\n".join(said)
        for line in ("Is that homework? Lina", "slide 3 the room", "back after", "media ok", "over left"):
            assert line in text, text
        assert await student.run("() => room.decisions.values.get('slide').value") == 3


def test_the_manual_knows_every_method_and_event() -> None:
    room = (FOLDER / "halqa" / "room.js").read_text(encoding="utf-8")
    moderation = (FOLDER / "halqa" / "moderation.js").read_text(encoding="utf-8")
    methods = set(re.findall(r"^  (?:async )?(\w+)\([^)]*\) \{$", room + moderation, re.MULTILINE)) - {"constructor"}
    events = (FOLDER / "halqa" / "types.js").read_text(encoding="utf-8").split("@typedef {object} RoomEvents")[1]
    names = set(re.findall(r"@property \{.*\} ([\w-]+)(?:  |$)", events, re.MULTILINE))
    assert {"connect", "simulate", "askToUnmute"} <= methods
    assert {"reconnecting", "device-changed", "draining"} <= names
    assert not [name for name in methods if not re.search(rf"\b{name}\b", MANUAL)]
    assert not [name for name in names if f"<code>{name}</code>" not in MANUAL]
