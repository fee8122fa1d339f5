"""One peer's media path: a UDP socket, ICE as the controlling agent, DTLS; then the native thread has it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from typing import Final

from benchmarks.load.checks import answer_check, build_check, succeeded
from benchmarks.load.failures import PathError
from benchmarks.load.sections import Answer
from media.rtp.parameters import Address, IceCredentials
from media.transport.counters import DropCounters
from media.transport.dtls import DtlsConnection, DtlsState
from media.transport.dtls_context import DtlsContext
from media.transport.keys import SrtpKeys
from media.transport.outputs import ApplicationData, Closed, Connected, DtlsDatagram

CHECK_INTERVAL_S: Final = 0.05  # RFC 8445 section 14.2
SLOW_CHECK_INTERVAL_S: Final = 0.5
QUICK_CHECKS: Final = 10
CONNECT_TIMEOUT_S: Final = 15.0
RECEIVE_BUFFER_BYTES: Final = 2 << 20
"""A second of the highest encoding: this process may have to wait for a processor."""
DATAGRAM_BYTES_MAX: Final = 2048
SO_RCVBUFFORCE: Final = 33
SO_TIMESTAMPNS: Final = 35
UDP_GRO: Final = 104  # Linux; the socket module does not name these


class Path:
    """Call `connect` once; afterwards `take` what the native thread leaves to Python, and `check` every few seconds."""

    def __init__(self, local: IceCredentials, answer: Answer, context: DtlsContext, *, gro: bool) -> None:
        self.closed: str | None = None
        """Why the server ended it, if it did."""
        self._local, self._answer, self._context = local, answer, context
        self._loop = asyncio.get_running_loop()
        is_v6 = all(":" in host for host, _ in answer.candidates)
        self.socket = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        with contextlib.suppress(OSError):  # beyond net.core.rmem_max, for those who may
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        self._gro = gro
        self._candidates = [one for one in answer.candidates if (":" in one[0]) == is_v6]
        self.remote: Address | None = None
        self._transactions: set[bytes] = set()
        self._dtls: DtlsConnection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keys: asyncio.Future[SrtpKeys] = self._loop.create_future()

    async def connect(self) -> SrtpKeys:
        """Find a way, shake hands and return the keys; PathError if that does not come to an end."""
        self._loop.add_reader(self.socket, self._read)
        checks = 0
        deadline = self._loop.time() + CONNECT_TIMEOUT_S
        try:
            while not self._keys.done():
                if self._loop.time() > deadline:
                    stage = "no candidate answered" if self.remote is None else "DTLS did not come to an end"
                    raise PathError(f"{stage} within {CONNECT_TIMEOUT_S:g} s (tried {self._tried()})")
                if self.remote is None:
                    self.check()
                    checks += 1
                interval = CHECK_INTERVAL_S if checks < QUICK_CHECKS else SLOW_CHECK_INTERVAL_S
                await asyncio.wait({self._keys}, timeout=interval)
            return self._keys.result()
        finally:
            self._loop.remove_reader(self.socket)
            if self._gro:
                self.socket.setsockopt(socket.SOL_UDP, UDP_GRO, 1)

    def check(self) -> None:
        """Send a connectivity check: to all candidates at first, later to the one that was chosen."""
        transaction = secrets.token_bytes(12)
        self._transactions = {transaction} if self.remote is not None else {*self._transactions, transaction}
        request = build_check(self._local, self._answer.ice, transaction)
        for candidate in self._candidates if self.remote is None else [self.remote]:
            self._send(request, candidate)

    def take(self, datagram: bytes) -> None:
        """Take STUN or DTLS that came after `connect`."""
        assert self.remote is not None
        if datagram[0] <= 3:
            if (response := answer_check(datagram, self.remote, self._local)) is not None:
                self._send(response, self.remote)
        elif self._dtls is not None:
            self._dtls.receive(datagram, now=time.monotonic())
            self._drain()

    def close(self, *, goodbye: bool = True) -> None:
        """Close the socket, after a goodbye (close_notify) if so wished."""
        self._loop.remove_reader(self.socket)
        if not self._keys.done():
            self._keys.cancel()
        if self._dtls is not None and goodbye:
            self._dtls.close()
            self._drain()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.socket.close()

    def _tried(self) -> str:
        return ", ".join(f"{host} port {port}" for host, port in self._candidates)

    def _read(self) -> None:
        """Read until the keys are there: what comes after them is the native thread's."""
        while not self._keys.done():
            try:
                datagram, source = self.socket.recvfrom(DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                continue  # nobody listens at one of the candidates: the checks go on
            if not datagram:
                continue
            if datagram[0] <= 3:
                self._read_stun(datagram, (source[0], source[1]))
            elif 20 <= datagram[0] <= 63 and self._dtls is not None:
                self._dtls.receive(datagram, now=time.monotonic())
                self._drain()

    def _read_stun(self, datagram: bytes, source: Address) -> None:
        if (response := answer_check(datagram, source, self._local)) is not None:
            self._send(response, source)
        elif self.remote is None and succeeded(datagram, self._transactions, self._answer.ice):
            self.remote = source
            self.socket.connect(source)
            now = time.monotonic()
            self._dtls = DtlsConnection(
                self._context,
                role=self._answer.role,
                remote_fingerprints=self._answer.fingerprints,
                drops=DropCounters(),
                application_data=False,
                now=now,
            )
            self._dtls.start(now=now)
            self._drain()

    def _drain(self) -> None:
        assert self._dtls is not None
        for output in self._dtls.take_output():
            match output:
                case DtlsDatagram(data=data):
                    assert self.remote is not None
                    self._send(data, self.remote)
                case Connected(keys=keys):
                    if not self._keys.done():
                        self._keys.set_result(keys)
                case Closed(reason=reason, detail=detail):
                    self.closed = self.closed or f"DTLS ended: {reason.value} {detail}".strip()
                    if not self._keys.done():
                        self._keys.set_exception(PathError(self.closed))
                case ApplicationData():
                    pass
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._dtls.next_timeout()
        if due is not None and self._dtls.state is not DtlsState.CLOSED:
            self._timer = self._loop.call_later(max(due - time.monotonic(), 0.0), self._on_timer)

    def _on_timer(self) -> None:
        assert self._dtls is not None
        self._timer = None
        self._dtls.handle_timeout(now=time.monotonic())
        self._drain()

    def _send(self, datagram: bytes, destination: Address) -> None:
        with contextlib.suppress(OSError):  # what is lost is repeated; that nobody listens shows in the counters
            if self.remote is None:
                self.socket.sendto(datagram, destination)
            else:
                self.socket.send(datagram)
