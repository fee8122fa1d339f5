"""One browser for all page tests; for each test a fake server, its media peer, and a page in a fresh context."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.web.fake_server import FakeServer
from tests.support.browser import launch

PATIENCE_MS = 20_000.0  # on a computer that others use, too


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    # One thread for the loop's file reads, there before the first test: the leftover check would count a later one.
    executor = ThreadPoolExecutor(max_workers=1)
    asyncio.get_running_loop().set_default_executor(executor)
    await asyncio.to_thread(lambda: None)
    # Otherwise a page without camera permission has host candidates by mDNS only, which containers cannot resolve.
    flags = ("--disable-features=WebRtcHideLocalIpsWithMdns", "--auto-select-desktop-capture-source=Entire")
    async with launch(*flags) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context
    await context.close()


@dataclass
class MediaPeer:
    """The media end of the fake server."""

    page: Page

    async def carry(self, mid: str, picture: int | None) -> None:
        """Fill a slot with a picture (audio: a beep); None empties it."""
        await self.page.evaluate("([mid, picture]) => carry(mid, picture)", [mid, picture])

    async def frames_from(self, mid: str) -> int:
        """Return how many video frames came from the page on this section."""
        frames = await self.page.evaluate("(mid) => framesFrom(mid)", mid)
        assert isinstance(frames, int)
        return frames


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def peer_page(browser: Browser) -> AsyncIterator[Page]:
    server = FakeServer()
    await server.start()
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{server.origin}/peer")
    yield page
    await context.close()
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def peer(server: FakeServer, peer_page: Page) -> AsyncIterator[MediaPeer]:
    async def answer(offer: str) -> str:
        return str(await peer_page.evaluate("(offer) => answer(offer)", offer))

    server.answer = answer
    yield MediaPeer(peer_page)
    await peer_page.evaluate("() => reset()")


@pytest_asyncio.fixture(loop_scope="session")
async def page(server: FakeServer, context: BrowserContext) -> AsyncIterator[Page]:
    """A page whose uncaught errors fail the test."""
    page = await context.new_page()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - Playwright marks what it is given
    yield page
    assert not errors, f"uncaught in the page: {errors}"
