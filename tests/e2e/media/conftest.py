"""One browser for all media tests; for each test a server of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import launch
from tests.support.classroom import Classroom, open_classroom

FLAGS = (
    # Otherwise a page without camera permission has host candidates by mDNS only, which containers cannot resolve.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def media_browser() -> AsyncIterator[Browser]:
    executor = ThreadPoolExecutor(max_workers=1)  # there before the first test: the leftover check counts later ones
    asyncio.get_running_loop().set_default_executor(executor)
    await asyncio.to_thread(lambda: None)
    async with launch(
        "--disable-features=WebRtcHideLocalIpsWithMdns", "--auto-select-desktop-capture-source=Entire"
    ) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def classroom(media_browser: Browser, tmp_path: Path) -> AsyncIterator[Classroom]:
    async with open_classroom(media_browser, tmp_path) as opened:
        yield opened
