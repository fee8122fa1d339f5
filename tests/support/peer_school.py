"""A real media server in this process, and test peers in its rooms: all end together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from control_api.app import MediaServer
from control_api.invitations import Invitation, Role
from control_api.keys import ApiKey, open_keys
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from tests.support.peer import Peer, PeerOptions

TOKEN_SECONDS = 3600.0
ROWS = ("transports", "producers", "consumers")


@dataclass(slots=True)
class School:
    """The server, a client session for all peers, and who joined."""

    server: MediaServer
    http: aiohttp.ClientSession
    key: ApiKey
    peers: list[Peer] = field(default_factory=list)

    def token(self, identity: str, room: str, role: Role = Role.TEACHER) -> str:
        return Invitation(room, identity, role, time.time() + TOKEN_SECONDS).token(self.key)

    async def join(
        self, identity: str, room: str = "algebra", options: PeerOptions | None = None, role: Role = Role.TEACHER
    ) -> Peer:
        """Let a peer join and wait until media can flow."""
        peer = self.peer(identity, room, options)
        await peer.join(self.http, self.server.url, self.token(identity, room, role))
        return peer

    async def knock(self, identity: str, room: str = "algebra", options: PeerOptions | None = None) -> Peer:
        """Let a peer join the room, its media socket bound and silent."""
        peer = self.peer(identity, room, options)
        await peer.knock(self.http, self.server.url, self.token(identity, room))
        return peer

    def peer(self, identity: str, room: str = "algebra", options: PeerOptions | None = None) -> Peer:
        """Return a peer that ends with the server, whatever happens."""
        peer = Peer(room, identity, options or PeerOptions())
        self.peers.append(peer)
        return peer

    def forget(self, peer: Peer) -> None:
        """The peer has ended by itself."""
        self.peers.remove(peer)

    def metrics(self) -> dict[str, float]:
        return dict(self.server.engine.metrics())

    def rows(self) -> tuple[float, ...]:
        """Return how many transports, producers and consumers the native workers hold."""
        metrics = self.metrics()
        return tuple(metrics[name] for name in ROWS)

    async def close(self) -> None:
        for peer in self.peers:
            await peer.abort()
        await self.http.close()
        await self.server.close()


@asynccontextmanager
async def open_school(folder: Path, *, workers: int = 1, together_max: int = 64) -> AsyncIterator[School]:
    """Run a server on free ports of 127.0.0.1."""
    settings = ServerSettings(
        data=folder,
        http=HttpSettings(port=0),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=workers, together_max=together_max),
    )
    server = await MediaServer.start(settings)
    school = School(server, aiohttp.ClientSession(), open_keys(folder).first)
    try:
        yield school
    finally:
        await school.close()


async def until(condition: Callable[[], object], what: str, within_s: float = 10.0, every_s: float = 0.02) -> None:
    """Wait until the condition holds; AssertionError after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"after {within_s} s still not: {what} (last value: {value!r})"
        await asyncio.sleep(every_s)
