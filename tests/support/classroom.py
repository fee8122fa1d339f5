"""A real media server in this process and real browser pages in its rooms, driven through the SDK."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from control_api.app import MediaServer
from control_api.invitations import Invitation, Role
from control_api.keys import open_keys
from control_api.settings import HttpSettings, MediaSettings, ServerSettings

TOKEN_SECONDS = 3600.0

# Counts what peer connections do, and lets a test move all candidates to a relay's port.
INSTRUMENT = """
window.connections = [];
const Original = RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
  constructor(...given) { super(...given); window.connections.push(this); }
  async setRemoteDescription(description) {
    if (!window.relayPort || description.type !== 'answer') return super.setRemoteDescription(description);
    const moved = (line) => line.replace(/(candidate:.* 127\\.0\\.0\\.1) \\d+ /, `$1 ${window.relayPort} `);
    const sdp = description.sdp.split('\\r\\n').map(moved).join('\\r\\n');
    return super.setRemoteDescription({type: 'answer', sdp});
  }
};
"""

JOIN = """
async ({room: name, token, options, relayPort}) => {
  window.relayPort = relayPort;
  const { Room, roomAddress } = await import('/sdk/halqa/index.js');
  const room = new Room();
  window.room = room;
  window.errors = [];
  room.on('error', (error) => window.errors.push(`${error.code}: ${error.message}`));
  const connected = new Promise((resolve, reject) => {
    room.on('state', ({ state, reason }) => {
      if (state === 'connected') resolve();
      if (state === 'closed') reject(new Error(reason));
    });
  });
  await room.connect(roomAddress(location.origin, name), token, options);
  await connected;
  for (const slot of room.slots.filter((each) => each.kind === 'audio')) {
    const audio = new Audio();  // libwebrtc decodes sound only for somebody who listens
    audio.srcObject = new MediaStream([slot.mediaTrack]);
    await audio.play();
  }
}
"""

# Every decoded frame of a slot: when it came (ms) and how wide it is.
WATCH = """
(mid) => {
  const slot = window.room.slots.find((each) => each.mid === mid);
  const frames = [];
  (window.watched ??= {})[mid] = frames;
  const reader = new MediaStreamTrackProcessor({ track: slot.mediaTrack.clone() }).readable.getReader();
  (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      frames.push([performance.now(), value.codedWidth]);
      value.close();
    }
  })();
}
"""

STATS = """
async () => {
  const found = [];
  for (const connection of window.connections) {
    (await connection.getStats()).forEach((report) => {
      if (['inbound-rtp', 'outbound-rtp', 'candidate-pair', 'codec'].includes(report.type)) found.push({...report});
    });
  }
  return found;
}
"""


@dataclass(slots=True)
class Member:
    """One browser page in a room."""

    page: Page

    async def run(self, script: str, argument: object = None) -> Any:
        return await self.page.evaluate(script, argument)

    async def publish(self, *sources: str) -> None:
        """Publish "Camera", "Microphone" or "Screen"."""
        for source in sources:
            await self.run(f"async () => {{ await room.publish{source}(); }}")

    async def slot(self, kind: str) -> dict[str, Any] | None:
        """Return mid, track, participant and encoding of the first slot of a kind that carries something."""
        slots = await self.slots()
        return next((slot for slot in slots if slot["kind"] == kind and slot["track"]), None)

    async def slots(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.run(
            """() => room.slots.map(
                ({mid, kind, track, participant, encoding}) => ({mid, kind, track, participant, encoding})
            )"""
        )
        return found

    async def view(self, mid: str, **wanted: object) -> None:
        await self.run("(request) => room.view([request])", {"mid": mid, **wanted})

    async def watch(self, mid: str) -> None:
        await self.run(WATCH, mid)

    async def frames(self, mid: str) -> list[tuple[float, int]]:
        """Return (arrival in ms, width) of every frame decoded since `watch`."""
        return [(at, width) for at, width in await self.run("(mid) => window.watched[mid]", mid)]

    async def stats(self, report_type: str, /, **equal: object) -> list[dict[str, Any]]:
        """Return the reports of a type whose fields have these values."""
        reports = await self.run(STATS)
        return [
            report
            for report in reports
            if report["type"] == report_type and all(report.get(name) == value for name, value in equal.items())
        ]

    async def decoded(self, mid: str) -> dict[str, Any]:
        """Return the inbound report of a slot, empty before packets came."""
        return next(iter(await self.stats("inbound-rtp", mid=mid)), {})


@dataclass(slots=True)
class Classroom:
    """A server, and who is in it."""

    server: MediaServer
    browser: Browser
    data: Path
    members: list[Member] = field(default_factory=list)

    @property
    def udp_port(self) -> int:
        return self.server.engine.udp_ports[0]

    def metrics(self) -> dict[str, float]:
        return dict(self.server.engine.metrics())

    def token(self, identity: str, room: str = "algebra", role: Role = Role.TEACHER) -> str:
        return Invitation(room, identity, role, time.time() + TOKEN_SECONDS).token(open_keys(self.data).first)

    async def join(
        self,
        identity: str,
        *,
        room: str = "algebra",
        role: Role = Role.TEACHER,
        relay_port: int | None = None,
        url: str | None = None,
        **options: object,
    ) -> Member:
        """Open a page of its own, join the room and wait until media can flow.

        `relay_port` and `url` are those of what stands before the server: for media, and for everything else.
        """
        context = await self.browser.new_context()
        page = await context.new_page()
        await page.add_init_script(INSTRUMENT)
        # A page whose content policy lets the SDK in; without a link it does nothing itself.
        await page.goto(f"{url or self.server.url}/class")
        argument = {
            "room": room,
            "token": self.token(identity, room, role),
            "options": {"name": identity, **options},
            "relayPort": relay_port,
        }
        await page.evaluate(JOIN, argument)
        member = Member(page)
        self.members.append(member)
        return member

    async def close(self) -> None:
        for member in self.members:
            await member.page.context.close()


@asynccontextmanager
async def open_classroom(browser: Browser, folder: Path, *, workers: int = 1) -> AsyncIterator[Classroom]:
    """Run a server on free ports of 127.0.0.1; pages and server end together."""
    settings = ServerSettings(
        data=folder,
        http=HttpSettings(port=0),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=workers),
    )
    server = await MediaServer.start(settings)
    classroom = Classroom(server, browser, folder)
    try:
        yield classroom
    finally:
        await classroom.close()
        await server.close()


async def until(condition: Callable[[], Any], what: str, within_s: float = 10.0, every_s: float = 0.1) -> Any:
    """Await `condition` (a coroutine function) again and again until it gives something true; return that."""
    deadline = time.monotonic() + within_s
    while True:
        value = await condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {within_s} s still not: {what} (last value: {value!r})"
        await asyncio.sleep(every_s)


def longest_gap_ms(frames: list[tuple[float, int]]) -> float:
    """Return the longest time between two frames."""
    return max((later[0] - earlier[0] for earlier, later in itertools.pairwise(frames)), default=0.0)
