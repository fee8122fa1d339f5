"""Who may hold a connection: a guard between the listening socket and aiohttp, which has no limits of this kind.

A connection is *unheard* until a whole request head came over it. Unheard connections cost next to nothing, have little
time, and give way to newcomers, oldest first: ten thousand of them keep nobody out who speaks.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Middleware

from control_api.errors import CODES, Handler, error_response
from control_api.protection.answer_headers import ALWAYS
from control_api.protection.client_address import bucket_of, client_address, is_trusted, parse_networks
from control_api.protection.settings import ConnectionSettings

HEAD_BYTES_MAX: Final = 1 << 20  # aiohttp takes 128 fields of 8 KiB; more is a body that ran ahead, or no HTTP
LINGER_S: Final = 1.0  # for a client that is still sending what was refused, so that it reads why
FILES_RESERVED: Final = 256  # open files for all else: UDP sockets, journal, database, pages

MakeProtocol = Callable[[], asyncio.Protocol]


class ConnectionGuard:
    """Counts and bounds the connections of one server."""

    def __init__(self, settings: ConnectionSettings, *, files_max: int | None = None) -> None:
        """`files_max`: how many files this process may have open; the system is asked if it is not given."""
        self._settings = settings
        self._trusted = parse_networks(settings.trusted_proxies)
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if files_max is None else files_max
        self._connections_max = max(1, min(settings.connections_max, files - FILES_RESERVED))
        self._open: set[_Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._unheard: OrderedDict[asyncio.Protocol, tuple[_Connection, float]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self.refused = 0
        """Connections that were too many, of one address or of all."""
        self.displaced = 0
        """Unheard connections that gave way."""
        self.timed_out = 0
        """Unheard connections whose time was over."""

    @property
    def middleware(self) -> Middleware:
        """What learns that a connection was heard; to be the outermost."""

        @web.middleware
        async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._unheard.pop(request.protocol, None)
            return await handler(request)

        return listen

    def guarded(self, make_protocol: MakeProtocol) -> MakeProtocol:
        """Return a factory of protocols that asks the guard before it makes one."""
        return lambda: _Connection(self, make_protocol)

    def reading(self) -> dict[str, float]:
        """Return what is counted, for metrics."""
        return {
            "http_connections": float(len(self._open)),
            "http_connections_unheard": float(len(self._unheard)),
            "http_connections_refused": float(self.refused),
            "http_connections_displaced": float(self.displaced),
            "http_connections_timed_out": float(self.timed_out),
        }

    def admit(self, connection: _Connection, peer: str) -> bool:
        """Take a connection in, or return False."""
        address = None if is_trusted(peer, self._trusted) else bucket_of(client_address(peer, (), ()))
        if address is not None and self._of_address[address] >= self._settings.connections_per_address_max:
            self.refused += 1
            return False
        if len(self._open) >= self._connections_max and not self._displace():
            self.refused += 1
            return False
        if address is not None:
            self._of_address[address] += 1
        connection.address = address
        self._open.add(connection)
        return True

    def await_head(self, connection: _Connection, protocol: asyncio.Protocol) -> None:
        """Give a connection its time to be heard."""
        if len(self._unheard) >= self._settings.unheard_max:
            self._displace()
        deadline = asyncio.get_running_loop().time() + self._settings.head_timeout_s
        self._unheard[protocol] = connection, deadline
        self._set_timer()

    def is_unheard(self, protocol: asyncio.Protocol) -> bool:
        return protocol in self._unheard

    def forget(self, connection: _Connection, protocol: asyncio.Protocol | None) -> None:
        """Take note that a connection is no more."""
        if protocol is not None:
            self._unheard.pop(protocol, None)
        if connection in self._open:
            self._open.remove(connection)
            if connection.address is not None:
                self._of_address[connection.address] -= 1
                if not self._of_address[connection.address]:
                    del self._of_address[connection.address]
        if not self._unheard and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _displace(self) -> bool:
        """End the oldest unheard connection; False if there is none."""
        if not self._unheard:
            return False
        protocol, (connection, _) = next(iter(self._unheard.items()))
        self.displaced += 1
        self.forget(connection, protocol)
        connection.abort()
        return True

    def _set_timer(self) -> None:
        """Wait for the oldest: all have the same time, so it is always the next."""
        if self._timer is None and self._unheard:
            _, deadline = next(iter(self._unheard.values()))
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._unheard:
            protocol, (connection, deadline) = next(iter(self._unheard.items()))
            if deadline > now:
                break
            del self._unheard[protocol]
            self.timed_out += 1
            connection.abort()
        self._set_timer()


class _Connection(asyncio.Protocol):
    """One connection: what the guard must know of it, and the way to aiohttp's own protocol."""

    __slots__ = ("_guard", "_head_bytes", "_heard", "_inner", "_make_protocol", "_transport", "address")

    def __init__(self, guard: ConnectionGuard, make_protocol: MakeProtocol) -> None:
        self._guard = guard
        self._make_protocol = make_protocol
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._head_bytes = 0
        self._heard = False
        self.address: str | None = None
        """Under which name it is counted."""

    def abort(self) -> None:
        """End it at once, whatever was not sent yet."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by its class
        peer = transport.get_extra_info("peername")
        if not self._guard.admit(self, str(peer[0]) if isinstance(peer, tuple) else ""):
            self.abort()
            return
        self._inner = self._make_protocol()
        self._inner.connection_made(transport)
        self._guard.await_head(self, self._inner)

    def data_received(self, data: bytes) -> None:
        if self._inner is None:
            return
        if not self._heard:
            self._heard = not self._guard.is_unheard(self._inner)
            self._head_bytes += len(data)
            if not self._heard and self._head_bytes >= HEAD_BYTES_MAX:
                self.abort()
                return
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.forget(self, self._inner)
        if self._inner is not None:
            self._inner.connection_lost(exc)
        self._inner = self._transport = None


class _HttpProtocol(web.RequestHandler):
    """aiohttp's protocol, but for what is no HTTP: it would log an error with the client's bytes and its address."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        text = "This is no HTTP/1.1 request, or a line of its head is too long."
        response = error_response(status, CODES.get(status, "refused"), text, dict(ALWAYS))
        response.force_close()
        return response


class GuardedSite(web.BaseSite):
    """A site of an aiohttp runner on a socket that listens already, behind a guard."""

    __slots__ = ("_guard", "_settings", "_socket")

    def __init__(
        self,
        runner: web.BaseRunner,
        listening: socket.socket,
        guard: ConnectionGuard,
        settings: ConnectionSettings,
        *,
        ssl_context: ssl.SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._socket = listening
        self._guard = guard
        self._settings = settings

    @property
    def name(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"{'https' if self._ssl_context else 'http'}://{host}:{port}"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        assert server is not None, "the runner is set up"
        timeout = self._settings.tls_handshake_timeout_s if self._ssl_context else None
        loop = asyncio.get_running_loop()

        def make_protocol() -> asyncio.Protocol:
            return _HttpProtocol(
                server,
                loop=loop,
                access_log=None,  # type: ignore[arg-type] # paths hold names of rooms, and metrics count
                keepalive_timeout=self._settings.keep_alive_s,
                lingering_time=LINGER_S,
            )

        self._server = await loop.create_server(
            self._guard.guarded(make_protocol),
            sock=self._socket,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=timeout,
        )
