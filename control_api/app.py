"""The media server put together: every part is built here, handed to those that need it, and closed in reverse."""

from __future__ import annotations

import errno
import logging
import ssl
from contextlib import AsyncExitStack
from typing import Final, Self

from aiohttp import web

from control_api.errors import json_errors
from control_api.keys import open_keys
from control_api.metrics import Reading, build_registry
from control_api.routes.health import add_health_routes
from control_api.routes.metrics import add_metrics_routes
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from media.errors import LocalError
from media.net.engine import Engine, EngineConfig
from signaling.keys import KeyStore
from signaling.web.pages import add_web_pages
from signaling.websocket import SignalingServer

logger = logging.getLogger(__name__)

REQUEST_BYTES_MAX: Final = 1 << 20  # no endpoint takes more; WebSocket frames have their own limit
SHUTDOWN_SECONDS: Final = 2.0  # for requests that are under way; clients are told to go before it begins


class StartError(LocalError):
    """The server could not start; the message says what to change."""


class MediaServer:
    """A running media server: engine, signalling and HTTP."""

    def __init__(self, parts: AsyncExitStack, url: str) -> None:
        self._parts = parts
        self.url = url
        """Where HTTP is served, e.g. "http://127.0.0.1:8080": the port that was taken where settings said 0."""

    @classmethod
    async def start(cls, settings: ServerSettings) -> Self:
        """Start all parts, or none: raises StartError, or KeyFileError for the data folder."""
        async with AsyncExitStack() as parts:
            keys = open_keys(settings.data)
            engine = await _start_engine(settings.media)
            parts.push_async_callback(engine.close)
            signaling = SignalingServer(engine, keys)
            application = build_application(signaling, engine.metrics)
            url = await _serve(application, settings.http, parts)
            parts.push_async_callback(signaling.close)
            return cls(parts.pop_all(), url)

    async def close(self) -> None:
        """Tell the clients to go, close every socket and stop the engine."""
        await self._parts.aclose()


def build_application(signaling: SignalingServer, *readings: Reading) -> web.Application:
    """Return the routes of the server around a signalling server and what is to be counted."""
    application = web.Application(middlewares=[json_errors], client_max_size=REQUEST_BYTES_MAX)
    signaling.add_routes(application)
    add_web_pages(application)
    add_health_routes(application)
    add_metrics_routes(application, build_registry(*readings))
    return application
