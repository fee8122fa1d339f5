"""Run one media server as a process: uvloop, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
from typing import Final

import uvloop

from control_api.app import MediaServer
from control_api.settings import ServerSettings

logger = logging.getLogger(__name__)

CLOSE_SECONDS_MAX: Final = 10.0  # then a part hangs, and the process goes without it

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1

# HUP too: the terminal that `halqa up` was typed in was closed.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_server(settings: ServerSettings, *, ready_descriptor: int | None = None) -> int:
    """Serve until a stop signal and return the exit code; raises StartError or KeyFileError if it does not start.

    Once everything listens, the HTTP URL and a line feed are written to `ready_descriptor`, and it is closed.
    """
    _raise_open_files_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, ready_descriptor))


async def _serve(settings: ServerSettings, ready_descriptor: int | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    server = await MediaServer.start(settings)
    logger.info("media server started", extra={"url": server.url, "workers": settings.media.workers})
    if ready_descriptor is not None:
        with os.fdopen(ready_descriptor, "w") as ready:
            ready.write(f"{server.url}\n")
    await stop.wait()
    try:
        async with asyncio.timeout(CLOSE_SECONDS_MAX):
            await server.close()
    except TimeoutError:
        logger.exception("a part did not close in time", extra={"seconds": CLOSE_SECONDS_MAX})
        return EXIT_FAILED
    logger.info("media server stopped")
    return EXIT_OK


def _raise_open_files_limit() -> None:
    """Take all the open files that the system allows: each client holds one, and the usual 1024 are soon gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
