"""The media server put together: every part is built here, handed to those that need it, and closed in reverse.

A new part: a field of `parts.Parts`, its lines in `_build`. Its routes: a line in `application.py`. Its metrics: a line
in `application.readings_of`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from control_api.application import build_application
from control_api.drain import Drain
from control_api.errors import StartError
from control_api.feed.feed import Feed
from control_api.health.health import Health
from control_api.ice_servers import ice_servers_for, linked_servers
from control_api.joins.funnel import JoinFunnel
from control_api.joins.observers import Observers
from control_api.joins.stays import Stays
from control_api.joins.watched_signaling import WatchedSignalingServer
from control_api.journal.errors import JournalError
from control_api.journal.journal import Journal
from control_api.journal.settings import JournalSettings
from control_api.keys import open_keys
from control_api.listen import explain_bind_error, serve
from control_api.parts import Parts
from control_api.protection.client_address import parse_networks
from control_api.protection.connections import ConnectionGuard
from control_api.protection.pace_requests import RequestPace
from control_api.rate_limits import RateLimits
from control_api.rest.created_rooms import CreatedRooms
from control_api.rest.room_observer import CreatedRoomsObserver
from control_api.rest.rooms_file import RoomsFile
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from control_api.tls import CertificateFiles
from control_api.webhooks.webhooks import Webhooks
from media.net.engine import Engine, EngineConfig
from signaling.whip import WhipServer

__all__ = ["MediaServer", "StartError"]


class MediaServer:
    """A running media server: engine, signalling and HTTP."""

    def __init__(self, closing: AsyncExitStack, url: str, parts: Parts) -> None:
        self._closing = closing
        self.parts = parts
        self.url = url
        """Where HTTP is served, e.g. "http://127.0.0.1:8080": the port that was taken where settings said 0."""

    @property
    def engine(self) -> Engine:
        """The engine, for those who look at packets."""
        return self.parts.engine

    @classmethod
    async def start(cls, settings: ServerSettings, *, listening: socket.socket | None = None) -> Self:
        """Start all parts, or none: raises StartError, or KeyFileError for the data folder.

        With `listening` HTTP is served there instead of on a socket of its own.
        """
        async with AsyncExitStack() as closing:
            parts = await _build(settings, closing)
            application = build_application(parts)
            url = await serve(application, parts, closing, listening=listening)
            closing.push_async_callback(parts.signaling.close)  # clients are told to go ...
            closing.push_async_callback(parts.rooms_file.close)  # ... and find their rooms again: before they end
            return cls(closing.pop_all(), url, parts)

    async def close(self) -> None:
        """Tell the clients to go, close every socket and stop the engine."""
        await self._closing.aclose()


async def _build(settings: ServerSettings, closing: AsyncExitStack) -> Parts:
    """Build the parts in the order in which they need each other; `closing` ends them in reverse.

    The journal of facts is closed after the last client has gone, so that it holds who left.
    """
    certificate = _read_certificate(settings.http)
    if certificate is not None:
        watch = asyncio.create_task(certificate.watch(), name="TLS files")
        closing.push_async_callback(_cancel, watch)
    keys = open_keys(settings.data)
    engine = await _start_engine(settings.media)
    closing.push_async_callback(engine.close)
    journal = await _open_journal(settings.data, settings.journal)
    closing.push_async_callback(journal.close)
    feed = Feed(journal)
    closing.callback(feed.close)
    created_rooms = CreatedRooms(settings.signaling.room)
    rooms_file = RoomsFile.open(settings.data, created_rooms)
    closing.push_async_callback(rooms_file.close)
    funnel = JoinFunnel()
    stays = Stays(funnel)
    engine.on_transport = stays.on_transport
    signaling = WatchedSignalingServer(
        engine,
        keys,
        settings.signaling,
        observer=Observers((CreatedRoomsObserver(journal, created_rooms), stays)),
        room_settings=created_rooms.settings_of,
        funnel=funnel,
    )
    whip = WhipServer(
        signaling,
        settings.whip,
        ice_servers=lambda identity: linked_servers(ice_servers_for(settings.ice, identity, wallclock=time.time())),
    )
    drain = Drain(signaling)
    closing.push_async_callback(drain.close)
    health = Health(settings.health, engine, journal, drain)
    closing.push_async_callback(health.close)
    webhooks = await Webhooks.start(settings.webhooks, feed, settings.data)
    closing.push_async_callback(webhooks.close)
    return Parts(
        settings=settings,
        keys=keys,
        engine=engine,
        journal=journal,
        feed=feed,
        signaling=signaling,
        created_rooms=created_rooms,
        rooms_file=rooms_file,
        whip=whip,
        webhooks=webhooks,
        drain=drain,
        health=health,
        funnel=funnel,
        stays=stays,
        pace=RequestPace(RateLimits(settings.rate_limits), parse_networks(settings.connections.trusted_proxies)),
        connections=ConnectionGuard(settings.connections),
        certificate=certificate,
    )


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _read_certificate(settings: HttpSettings) -> CertificateFiles | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return CertificateFiles(settings.tls_certificate, settings.tls_key)


async def _open_journal(data: Path, settings: JournalSettings) -> Journal:
    try:
        return await Journal.open(data, settings)
    except JournalError as error:
        raise StartError(str(error)) from None


async def _start_engine(settings: MediaSettings) -> Engine:
    config = EngineConfig(
        bind_address=settings.bind_address,
        udp_port=settings.udp_port,
        workers=settings.workers,
        advertise=settings.advertise,
        together_max=settings.together_max,
        gso=settings.gso,
        transport=settings.transport,
    )
    try:
        return await Engine.start(config)
    except OSError as error:
        last_port = settings.udp_port + settings.workers - 1
        ports = f"{settings.udp_port}" if settings.workers == 1 else f"{settings.udp_port} to {last_port}"
        where = f"UDP port {ports} of {settings.bind_address}"
        raise StartError(explain_bind_error(error, where, port_flag="--udp-port")) from None
