"""The media server put together: every part is built here, handed to those that need it, and closed in reverse."""

from __future__ import annotations

import errno
import logging
import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from aiohttp import web

from control_api.errors import json_errors
from control_api.feed.authorize import authorize_by_key
from control_api.feed.feed import Feed
from control_api.feed.gate import refuse_joins_without_memory
from control_api.journal.errors import JournalError
from control_api.journal.journal import Journal
from control_api.journal.observer import JournalObserver
from control_api.journal.settings import JournalSettings
from control_api.keys import open_keys
from control_api.metrics import Reading, build_registry
from control_api.routes.events import add_event_routes
from control_api.routes.health import add_health_routes
from control_api.routes.metrics import add_metrics_routes
from control_api.routes.webhooks import add_webhook_routes
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from control_api.webhooks.webhooks import Webhooks
from media.errors import LocalError
from media.net.engine import Engine, EngineConfig
from signaling.web.pages import add_web_pages
from signaling.websocket import SignalingServer
from signaling.whip import WhipServer

logger = logging.getLogger(__name__)

REQUEST_BYTES_MAX: Final = 1 << 20  # no endpoint takes more; WebSocket frames have their own limit
SHUTDOWN_SECONDS: Final = 2.0  # for requests that are under way; clients are told to go before it begins


class StartError(LocalError):
    """The server could not start; the message says what to change."""


class MediaServer:
    """A running media server: engine, signalling and HTTP."""

    def __init__(self, parts: AsyncExitStack, url: str, engine: Engine) -> None:
        self._parts = parts
        self.engine = engine
        self.url = url
        """Where HTTP is served, e.g. "http://127.0.0.1:8080": the port that was taken where settings said 0."""

    @classmethod
    async def start(cls, settings: ServerSettings) -> Self:
        """Start all parts, or none: raises StartError, or KeyFileError for the data folder.

        The journal of facts is closed after the last client has gone, so that it holds who left.
        """
        async with AsyncExitStack() as parts:
            keys = open_keys(settings.data)
            engine = await _start_engine(settings.media)
            parts.push_async_callback(engine.close)
            journal = await _open_journal(settings.data, settings.journal)
            parts.push_async_callback(journal.close)
            feed = Feed(journal)
            parts.callback(feed.close)
            signaling = SignalingServer(engine, keys, observer=JournalObserver(journal))
            webhooks = await Webhooks.start(settings.webhooks, feed, settings.data)
            parts.push_async_callback(webhooks.close)
            readings = (engine.metrics, journal.reading, webhooks.reading, lambda: signaling_reading(signaling))
            application = build_application(signaling, *readings)
            application.middlewares.append(refuse_joins_without_memory(journal))
            authorize = authorize_by_key(keys)
            add_event_routes(application, feed, authorize)
            add_webhook_routes(application, webhooks, authorize)
            url = await _serve(application, settings.http, parts)
            parts.push_async_callback(signaling.close)
            return cls(parts.pop_all(), url, engine)

    async def close(self) -> None:
        """Tell the clients to go, close every socket and stop the engine."""
        await self._parts.aclose()


def build_application(signaling: SignalingServer, *readings: Reading) -> web.Application:
    """Return the routes of the server around a signalling server and what is to be counted."""
    application = web.Application(middlewares=[json_errors], client_max_size=REQUEST_BYTES_MAX)
    signaling.add_routes(application)
    WhipServer(signaling).add_routes(application)
    add_web_pages(application)
    add_health_routes(application)
    add_metrics_routes(application, build_registry(*readings))
    return application


def signaling_reading(signaling: SignalingServer) -> dict[str, float]:
    """Return what signalling counts now."""
    return {
        "rooms": signaling.rooms,
        "participants": signaling.participants,
        "websockets": signaling.connections,
    }


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
    )
    try:
        return await Engine.start(config)
    except OSError as error:
        last_port = settings.udp_port + settings.workers - 1
        ports = f"{settings.udp_port}" if settings.workers == 1 else f"{settings.udp_port} to {last_port}"
        where = f"UDP port {ports} of {settings.bind_address}"
        raise StartError(_explain(error, where, port_flag="--udp-port")) from None


async def _serve(application: web.Application, settings: HttpSettings, parts: AsyncExitStack) -> str:
    """Serve the application until `parts` closes and return its URL."""
    tls = _load_tls(settings)
    # No access log: paths hold names of rooms, and metrics count.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    parts.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, settings.host, settings.port, ssl_context=tls).start()
    except OSError as error:
        raise StartError(_explain(error, f"TCP port {settings.port} of {settings.host}", port_flag="--port")) from None
    host, port = runner.addresses[0][:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _load_tls(settings: HttpSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"TLS certificate {settings.tls_certificate} with key {settings.tls_key}: {error}") from None
    return context


def _explain(error: OSError, where: str, *, port_flag: str) -> str:
    """Say in words what the kernel refused, with the flag that helps."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is taken by another program; choose another with {port_flag}"
        case errno.EACCES:
            return f"{where} needs more rights; choose one above 1023 with {port_flag}"
        case errno.EADDRNOTAVAIL:
            return f"{where} cannot be had: this computer has no such address"
        case _:
            return f"{where} cannot be had: {error.strerror or error}"
