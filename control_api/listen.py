"""Where HTTP is served: the listening socket, and in words why a port cannot be had."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web

from control_api.errors import StartError
from control_api.parts import Parts
from control_api.protection.connections import GuardedSite
from control_api.settings import HttpSettings

SHUTDOWN_SECONDS: Final = 2.0  # for requests that are under way; clients are told to go before it begins


BACKLOG: Final = 1024  # a school that comes back at once after a restart; the system may grant less


async def serve(
    application: web.Application,
    parts: Parts,
    closing: AsyncExitStack,
    *,
    listening: socket.socket | None = None,
) -> str:
    """Serve the application until `closing` closes and return its URL; raises StartError.

    `listening` is a socket that somebody keeps open over restarts; without one, a socket is opened.
    """
    settings, certificate = parts.settings.connections, parts.certificate
    opened = listening.dup() if listening is not None else open_listening_socket(parts.settings.http)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    closing.push_async_callback(runner.cleanup)
    context = certificate.context if certificate is not None else None
    await GuardedSite(runner, opened, parts.connections, settings, ssl_context=context, backlog=BACKLOG).start()
    host, port = opened.getsockname()[:2]
    return f"{'http' if certificate is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"


def open_listening_socket(settings: HttpSettings) -> socket.socket:
    """Return a TCP socket that listens where the settings say; raises StartError.

    The port can be had again at once after a crash, while connections of before still linger (SO_REUSEADDR).
    """
    address = ipaddress.ip_address(settings.host)
    opened = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.version == 6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not address.is_unspecified))
        opened.setblocking(False)
        opened.bind((settings.host, settings.port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        where = f"TCP port {settings.port} of {settings.host}"
        raise StartError(explain_bind_error(error, where, port_flag="--port")) from None
    return opened


def explain_bind_error(error: OSError, where: str, *, port_flag: str) -> str:
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
