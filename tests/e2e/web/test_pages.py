"""What is served, and what is not."""

from __future__ import annotations

import re

import pytest
from aiohttp import ClientSession
from yarl import URL

from signaling.web.pages import FOLDER
from tests.e2e.web.fake_server import FakeServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_page_is_served_under_a_strict_policy(server: FakeServer) -> None:
    async with ClientSession() as client, client.get(f"{server.origin}/class") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_scripts_styles_and_strings_are_served(server: FakeServer) -> None:
    types = {".js": "javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}
    async with ClientSession() as client:
        for path in FOLDER.rglob("*"):
            if path.suffix not in types:
                continue
            async with client.get(f"{server.origin}/sdk/{path.relative_to(FOLDER)}") as response:
                assert response.status == 200
                assert types[path.suffix] in response.headers["Content-Type"]
                assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_nothing_else_is(server: FakeServer) -> None:
    outside = ("../room.py", "%2e%2e/room.py", "..%2froom.py")
    async with ClientSession() as client:
        for path in ("pages.py", "__init__.py", "halqa", "halqa/", "none.js", "%00", *outside):
            async with client.get(URL(f"{server.origin}/sdk/{path}", encoded=True)) as response:
                assert response.status == 404, path


async def test_the_page_needs_nothing_from_outside_and_nothing_inline() -> None:
    html = (FOLDER / "class.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html) == []
    for path in FOLDER.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            text = re.sub(r"(?s)/\*.*?\*/", "", path.read_text())
            addresses = re.findall(r"https?:/[^\s'\"]+|url\([^)]*\)", text)
            assert [each for each in addresses if "www.w3.org" not in each] == [], path
