"""The class page as people meet it: found by role and name, in English unless a test says otherwise."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import FakeServer, make_track


class ClassPage:
    def __init__(self, page: Page, server: FakeServer) -> None:
        self.page = page
        self.server = server

    async def open(self, token: str | None = None, **more: str) -> None:
        await self.page.goto(self.server.class_address(token, **more))

    async def join(self, name: str = "Lina", token: str | None = None, **more: str) -> None:
        """Open the link, fill in the name and join with camera and microphone."""
        await self.open(token, **more)
        await expect(self.page.locator("#lobby .switches [name=camera]")).to_have_attribute("aria-pressed", "true")
        await self.page.locator("#lobby [name=name]").fill(name)
        await self.page.locator("#lobby [type=submit]").click()
        await expect(self.page.locator("#classroom")).to_be_visible()
        await self.server.hears("publish", lambda message: message["source"] == "camera")

    def tile(self, name: str) -> Locator:
        return self.page.locator(".grid .tile", has_text=name)

    def control(self, name: str) -> Locator:
        return self.page.locator(f".toolbar [name={name}]")

    @property
    def notice(self) -> Locator:
        return self.page.get_by_role("alert")

    async def fill_slot(self, peer: MediaPeer, kind: str, participant: str, track: str, picture: int = 1) -> None:
        """Let the first slot of this kind carry a track."""
        mid = self.server.slot_mids(kind)[0]
        await peer.carry(mid, picture)
        slot: dict[str, Any] = {"mid": mid, "track": track, "participant": participant, "encoding": None}
        await self.server.send("slots", slots=[slot])

    async def share_screen(self, peer: MediaPeer, participant: str) -> None:
        """Let a participant share a screen."""
        await self.server.send("track", participant=participant, track=make_track("t-stage", "screen"))
        await self.fill_slot(peer, "screen", participant, "t-stage", picture=7)


async def stub_capture(page: Page, exception: str) -> None:
    """Let every camera and microphone fail with this DOMException, before the page loads."""
    await page.add_init_script(
        f"MediaDevices.prototype.getUserMedia = async () => {{ throw new DOMException('no', '{exception}'); }};"
    )
