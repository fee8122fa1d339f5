"""A page that holds nothing but the SDK and one Room, with every event of it written down."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from playwright.async_api import Page

from tests.e2e.web.fake_server import FakeServer, make_token

RUN_S: Final = 15.0  # longer than anything that a test waits for inside of the page

_SETUP: Final = """
async () => {
  window.peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given);
      peers.push(this);
    }
  };
  window.sdk = await import('/sdk/halqa/index.js');
  window.room = new sdk.Room();
  window.events = [];
  const note = (name, detail) => events.push({ name, ...detail });
  room.on('state', (detail) => note('state', detail));
  room.on('participant-joined', ({ name }) => note('participant-joined', { who: name }));
  room.on('participant-left', ({ participant, reason }) => note('participant-left', { who: participant.name, reason }));
  room.on('track', ({ participant, track }) => note('track', { who: participant.name, track }));
  room.on('slots', (slots) => note('slots', { slots: slots.map(({ mid, track, participant, encoding, paused }) => (
    { mid, track, participant, encoding, paused })) }));
  room.on('local', ({ source, track }) => note('local', { source, muted: track === null ? null : track.muted }));
  const whole = ['reconnecting', 'reconnected', 'closed', 'muted-by-moderator', 'device-changed', 'room', 'draining'];
  for (const name of whole) room.on(name, (detail) => note(name, detail));
  const single = ['hands', 'recording', 'rejoined', 'speakers', 'limit'];
  for (const name of single) room.on(name, (now) => note(name, { now }));
  room.on('participant', ({ name, suspended, quality }) => note('participant', { who: name, suspended, quality }));
  room.on('visitor', ({ visitor, outcome }) => note('visitor', { who: visitor.name, outcome }));
  room.on('message', ({ topic, body, sender }) => note('message', { topic, body, who: sender?.name ?? null }));
  room.on('reaction', ({ participant, reaction }) => note('reaction', { who: participant?.name, reaction }));
  room.on('value', ({ key, value, participant }) => note('value', { key, value, who: participant?.name ?? null }));
  room.on('asked', ({ source, by }) => note('asked', { source, by: by?.name }));
  room.on('permissions', ({ participant, permissions }) => (
    note('permissions', { who: participant?.name, permissions })));
  room.on('error', ({ code, source }) => note('error', { code, source }));
}
"""

_ATTEMPT: Final = """
async ([body, values]) => {
  try {
    return { value: await (new (async () => {}).constructor('values', body))(values) };
  } catch (error) {
    return { error: { code: error.code ?? error.name, source: error.source ?? null, message: error.message } };
  }
}
"""


class SdkError(Exception):
    """A HalqaError of the page."""

    def __init__(self, code: str, source: str | None, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.source = source


class SdkPage:
    """Runs JavaScript against `room` and `sdk`."""

    def __init__(self, page: Page, server: FakeServer) -> None:
        self.page = page
        self.server = server

    async def open(self) -> None:
        await self.page.goto(f"{self.server.origin}/blank")
        await self.page.evaluate(_SETUP)

    async def run(self, body: str, **values: Any) -> Any:
        """Run the body of an async function with `values`; a HalqaError comes as SdkError."""
        async with asyncio.timeout(RUN_S):
            result = await self.page.evaluate(_ATTEMPT, [body, values])
        if "error" in result:
            raise SdkError(result["error"]["code"], result["error"]["source"], result["error"]["message"])
        return result.get("value")

    async def connect(self, token: str | None = None, **options: Any) -> None:
        await self.run(
            "await room.connect(values.address, values.token, values.options)",
            address=self.server.room_address,
            token=token or make_token(),
            options=options,
        )

    async def event(self, name: str, condition: str = "true") -> Any:
        """Return the first event of this name that fulfils a condition over `event`, waiting for it if need be."""
        find = f"() => events.find((event) => event.name === '{name}' && ({condition}))"
        return await (await self.page.wait_for_function(find)).json_value()

    async def events(self, name: str) -> list[Any]:
        """Return what has been noted under this name so far."""
        noted: list[Any] = await self.page.evaluate("(name) => events.filter((event) => event.name === name)", name)
        return noted
