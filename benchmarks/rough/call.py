"""A class of two Chromium pages, each behind a bad link of its own, at a real server: played for some time, watched."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.counted.raw import write_pictures, write_sound
from benchmarks.joins.server import Server
from benchmarks.machine import busy_ticks
from benchmarks.relay.direction import Change, Entry
from benchmarks.relay.shell import Relay
from benchmarks.rough.links import FAR, Link
from benchmarks.rough.page import INSTRUMENT, JOIN, PUBLISH, REPORTS
from benchmarks.rough.watching import Noticed, Reports, noticed

HEIGHT: Final = 360  # two cores encode, decode and judge: larger pictures would freeze by themselves
FRAME_RATE: Final = 20
DELAY_S: Final = 0.05  # of FAR
FLOWS_WITHIN_S: Final = 30.0
CAMERA_S: Final = 4
SOUND_S: Final = 12
ROOM: Final = "rough"
RED: Final = "halqa_red_packets_total"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # mDNS names resolve nowhere in a container
    "--autoplay-policy=no-user-gesture-required",
)


class NoCallError(RuntimeError):
    """The class did not come about; the message says what was missing."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One row: what the viewer noticed, and how busy server and computer were meanwhile."""

    noticed: Noticed
    red_packets: int
    """Packets of sound in which the server repeated earlier ones."""
    server_cores: float
    busy_cores: float
    """Of the whole computer, this benchmark with its browser included: near all of them, figures are too bad."""


@asynccontextmanager
async def open_browser(folder: Path) -> AsyncIterator[Browser]:
    """Run Chromium whose camera and microphone are counted media. NoCallError without Chromium."""
    executable = shutil.which("chromium")
    if executable is None:
        raise NoCallError("chromium is not installed: run `make setup`")
    camera, microphone = folder / "camera.y4m", folder / "microphone.wav"
    write_pictures(camera, height=HEIGHT, frames_per_second=FRAME_RATE, seconds=CAMERA_S, participant=1)
    write_sound(microphone, seconds=SOUND_S, participant=1)
    files = (f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, headless=True, args=[*FLAGS, *files])
        try:
            yield browser
        finally:
            await browser.close()


async def watch(browser: Browser, link: Link, *, warm_up_s: float, seconds: float, seed: int) -> Watched:
    """Play a class over this link and watch it for some seconds after the warm-up. NoCallError."""
    udp_port = _free_udp_port()
    log: list[Entry | Change] = []
    async with Server("media.workers=1", udp_port=udp_port) as server:
        address = ("127.0.0.1", udp_port)
        viewing = Relay(address, up=FAR, down=link.viewer_down, seed=seed, log=log.append)
        teaching = Relay(address, up=link.teacher_up, down=FAR, seed=seed)
        try:
            viewing.open()
            teaching.open()
            async with _page(browser, server, "teacher", teaching.port) as teacher:
                sources = ["Microphone", "Camera", *(["Screen"] if link.screen else [])]
                await teacher.evaluate(PUBLISH, sources)
                async with _page(browser, server, "student", viewing.port) as student:
                    await _until_all_flows(student, 3 if link.screen else 2)
                    await asyncio.sleep(warm_up_s)
                    return await _between(student, server, log, seconds)
        finally:
            viewing.close()
            teaching.close()


async def _between(student: Page, server: Server, log: list[Entry | Change], seconds: float) -> Watched:
    log.clear()
    started, before = time.monotonic(), await _reports(student)
    red, cpu_s, ticks = await server.gauge(RED), server.cpu_s, _ticks()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - started
    spent_s, busy_s = server.cpu_s - cpu_s, (_ticks() - ticks) / os.sysconf("SC_CLK_TCK")
    after = await _reports(student)
    return Watched(
        noticed=noticed(before, after, log, DELAY_S),
        red_packets=int(await server.gauge(RED) - red),
        server_cores=round(spent_s / took_s, 3),
        busy_cores=round(busy_s / took_s, 2),
    )


@asynccontextmanager
async def _page(browser: Browser, server: Server, identity: str, relay_port: int) -> AsyncIterator[Page]:
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await page.add_init_script(INSTRUMENT)
        await page.goto(f"{server.url}/class")
        argument = {"name": ROOM, "token": server.token(ROOM, identity), "relayPort": relay_port}
        await page.evaluate(JOIN, argument)
        yield page
    finally:
        await context.close()


async def _until_all_flows(student: Page, kinds: int) -> None:
    deadline = time.monotonic() + FLOWS_WITHIN_S
    while True:
        reports = await _reports(student)
        flowing = [kind for kind, each in reports.items() if each.get("framesDecoded") or each.get("totalAudioEnergy")]
        if len(flowing) >= kinds:
            return
        if time.monotonic() > deadline:
            raise NoCallError(f"after {FLOWS_WITHIN_S:g} s the student gets {flowing}, expected {kinds} kinds of media")
        await asyncio.sleep(0.25)


async def _reports(student: Page) -> Reports:
    found: list[dict[str, Any]] = await student.evaluate(REPORTS)
    return {each["slot"]: each for each in found}


def _ticks() -> int:
    return busy_ticks(Path("/proc/stat").read_text(encoding="utf-8"))


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
