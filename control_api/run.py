"""Run one media server as a process: uvloop, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from typing import Final

import uvloop

from control_api.app import MediaServer
from control_api.settings import ServerSettings
from webapi.garbage import collect_seldom

logger = logging.getLogger(__name__)

CLOSE_SECONDS_MAX: Final = 10.0  # then a part hangs, and the process goes without it
SAME_WISH_S: Final = 0.5
"""A second SIGTERM within this time is the first one again: systemd signals parent and child, and the parent passes
it on. A person who wants the end at once takes longer.
"""

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1

Ready = Callable[[MediaServer], None]


def run_server(settings: ServerSettings, *, listening: socket.socket | None = None, ready: Ready | None = None) -> int:
    """Serve until a signal or a drain ends it and return the exit code; raises StartError or KeyFileError at start.

    With `listening` HTTP is served there instead of on a socket of its own. `ready` is called once everything works.
    """
    _raise_open_files_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, listening, ready))


async def _serve(settings: ServerSettings, listening: socket.socket | None, ready: Ready | None) -> int:
    wishes = _Wishes(settings.drain.timeout_s)
    wishes.listen()
    server = await MediaServer.start(settings, listening=listening)
    collect_seldom()
    logger.info("media server started", extra={"url": server.url, "workers": settings.media.workers})
    if ready is not None:
        ready(server)
    wishes.take_up(server)
    await _first_of(wishes.at_once, server.parts.drain.ended)
    try:
        async with asyncio.timeout(CLOSE_SECONDS_MAX):
            await server.close()
    except TimeoutError:
        logger.exception("a part did not close in time", extra={"seconds": CLOSE_SECONDS_MAX})
        return EXIT_FAILED
    logger.info("media server stopped")
    return EXIT_OK


class _Wishes:
    """What signals ask for: SIGTERM drains and the next one ends, SIGINT ends, SIGHUP reads the TLS files again.

    A signal that comes before the server has started counts when it has.
    """

    def __init__(self, drain_timeout_s: float) -> None:
        self.at_once = asyncio.Event()
        self._drain_timeout_s = drain_timeout_s
        self._asked_at: float | None = None
        self._server: MediaServer | None = None
        # The terminal that the server was typed in is closed: that is the end of it.
        self._on_hang_up = self.at_once.set if os.isatty(2) else self._reload

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        loop.add_signal_handler(signal.SIGINT, self.at_once.set)
        loop.add_signal_handler(signal.SIGHUP, self._on_hang_up)

    def take_up(self, server: MediaServer) -> None:
        self._server = server
        if self._asked_at is not None:
            server.parts.drain.begin(self._drain_timeout_s)

    def _drain(self) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            if self._server is not None:
                self._server.parts.drain.begin(self._drain_timeout_s)
        elif now - self._asked_at > SAME_WISH_S:
            self.at_once.set()

    def _reload(self) -> None:
        if self._server is not None and self._server.parts.certificate is not None:
            self._server.parts.certificate.refresh(force=True)


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await wait


def _raise_open_files_limit() -> None:
    """Take all the open files that the system allows: each client holds one, and the usual 1024 are soon gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
