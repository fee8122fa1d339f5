"""An engine and a signalling server with times of their own, and test peers in one room: all end together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from media.net.engine import Engine, EngineConfig
from media.transport.ice import IceConfig
from media.transport.transport import TransportConfig
from signaling.config import SignalingConfig
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, Role, RoomName
from signaling.keys import StaticKeys
from signaling.limits import RoomSettings
from signaling.tokens import make_token
from signaling.websocket import SignalingServer
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_school import until

SECRET = b"0123456789abcdef0123456789abcdef"
ROOM = "algebra"
QUICK = IceConfig(silence_notice_s=0.5, consent_timeout_s=1.0, silence_max_s=30.0)
"""Times of a media path, cut short."""
PATIENT = RoomSettings(empty_timeout_s=0.0, media_timeout_s=10.0)


@dataclass
class Place:
    """A server with its clients."""

    engine: Engine
    signaling: SignalingServer
    url: str
    http: aiohttp.ClientSession
    peers: list[Peer] = field(default_factory=list)

    def token(self, identity: str) -> str:
        grants = Grants(
            RoomName(ROOM), Identity(identity), time.time() + 60, publish=ALL_SOURCES, role=Role.TEACHER, moderate=True
        )
        return make_token(grants, key_id="school", secret=SECRET)

    async def join(self, identity: str, options: PeerOptions | None = None) -> Peer:
        peer = Peer(ROOM, identity, options or PeerOptions())
        self.peers.append(peer)
        await peer.join(self.http, self.url, self.token(identity))
        return peer

    async def resume(self, peer: Peer, *, restart_ice: bool = False) -> None:
        before = peer.id
        resumed = await peer.resume(self.http, self.url, self.token(peer.identity), restart_ice=restart_ice)
        assert resumed["participant"] == before

    @property
    def transports(self) -> float:
        return self.engine.metrics()["transports"]


@asynccontextmanager
async def place(room: RoomSettings = PATIENT, ice: IceConfig = QUICK) -> AsyncIterator[Place]:
    engine = await Engine.start(EngineConfig(bind_address="127.0.0.1", workers=1, transport=TransportConfig(ice=ice)))
    signaling = SignalingServer(engine, StaticKeys({"school": SECRET}), SignalingConfig(room=room))
    application = web.Application()
    signaling.add_routes(application)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        opened = Place(engine, signaling, f"http://{host}:{port}", http)
        try:
            yield opened
        finally:
            for peer in opened.peers:
                await peer.abort()
            await http.close()
            await signaling.close()
            await runner.cleanup()
            assert opened.transports == 0
            await engine.close()


async def lesson(at: Place, options: PeerOptions | None = None) -> tuple[Peer, Peer]:
    """Let a teacher show a camera to a student, until it flows."""
    teacher, student = await at.join("teacher", options), await at.join("student", options)
    await teacher.publish("camera", "microphone")
    await until(lambda: shown(student, teacher) > 10, "the camera is shown")
    return teacher, student


def shown(viewer: Peer, author: Peer) -> int:
    return viewer.packets_from(author.author, video=True)


def types(peer: Peer) -> list[str]:
    return [message["type"] for message in peer.told]


def paths(peer: Peer) -> list[str]:
    """Return what somebody was told of the media path."""
    return [message["state"] for message in peer.told if message["type"] == "media"]
