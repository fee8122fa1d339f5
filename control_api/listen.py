"""Where HTTP is served: the socket, TLS, and in words why a port cannot be had."""

from __future__ import annotations

import errno
import ssl
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web

from control_api.errors import StartError
from control_api.settings import HttpSettings

SHUTDOWN_SECONDS: Final = 2.0  # for requests that are under way; clients are told to go before it begins


async def serve(application: web.Application, settings: HttpSettings, closing: AsyncExitStack) -> str:
    """Serve the application until `closing` closes and return its URL; raises StartError."""
    tls = _load_tls(settings)
    # No access log: paths hold names of rooms, and metrics count.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    closing.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, settings.host, settings.port, ssl_context=tls).start()
    except OSError as error:
        where = f"TCP port {settings.port} of {settings.host}"
        raise StartError(explain_bind_error(error, where, port_flag="--port")) from None
    host, port = runner.addresses[0][:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


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


def _load_tls(settings: HttpSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"TLS certificate {settings.tls_certificate} with key {settings.tls_key}: {error}") from None
    return context
