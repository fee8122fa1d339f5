"""The distribution's Chromium with a fake camera and microphone, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

FLAGS: Final = (
    "--no-sandbox",  # tests may run as root, where the sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",  # answers "yes" to every question for camera, microphone and screen
    "--use-fake-device-for-media-stream=fps=30",  # without the number it makes 20 frames a second
    "--allow-loopback-in-peer-connection",
)


@asynccontextmanager
async def launch(*flags: str, without: tuple[str, ...] = ()) -> AsyncIterator[Browser]:
    """Run a browser for as long as the context lasts. Every test opens a context of its own in it: `new_context()`.

    `flags` are added to FLAGS, those that begin with an entry of `without` are left out.
    """
    executable = shutil.which("chromium")
    if executable is None:
        raise FileNotFoundError("chromium is not installed: run `make setup`")
    kept = [flag for flag in FLAGS if not flag.startswith(without)] if without else list(FLAGS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, headless=True, args=[*kept, *flags])
        try:
            yield browser
        finally:
            await browser.close()
