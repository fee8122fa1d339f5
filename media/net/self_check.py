"""Does a worker answer? One STUN request from this host to its socket, through the whole way that a client's takes.

Socket, data-plane thread, event ring, event loop and back: if any of them stands still, no answer comes. The request
is addressed to a ufrag that exists for this moment only, and changes nothing else.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import struct
from typing import Protocol

from media.routing.ports import ShellTransport
from media.rtp.parameters import Address
from media.transport.stun import ATTRIBUTE_USERNAME, HEADER_BYTES, MAGIC_COOKIE

_BINDING_REQUEST = 0x0001  # RFC 8489 section 5
_BINDING_RESPONSE = 0x0101
_TRANSACTION_BYTES = 12
_UFRAG_BYTES = 8


class CheckedShell(Protocol):
    """What the check needs of a worker's shell."""

    @property
    def local_address(self) -> Address: ...
    def new_id(self) -> int: ...
    def send(self, data: bytes, destination: Address) -> None: ...
    def register(self, transport: ShellTransport, ufrag: str) -> None: ...
    def unregister(self, transport: ShellTransport) -> None: ...


class _Probe:
    """Answers the one request, as a transport would."""

    def __init__(self, shell: CheckedShell) -> None:
        self.id = shell.new_id()
        self._shell = shell

    def receive(self, data: bytes, source: Address) -> None:
        transaction = data[HEADER_BYTES - _TRANSACTION_BYTES : HEADER_BYTES]
        self._shell.send(_header(_BINDING_RESPONSE, 0) + transaction, source)

    def handle_timeout(self) -> None:
        """Nothing is due, ever."""

    def next_timeout(self) -> float | None:
        return None


async def answers(shell: CheckedShell, *, timeout_s: float) -> bool:
    """Return whether the worker answers in time; no, too, when this process may open no more sockets."""
    try:
        return await _ask(shell, timeout_s)
    except (OSError, TimeoutError):
        return False


async def _ask(shell: CheckedShell, timeout_s: float) -> bool:
    host, port = shell.local_address
    bound = ipaddress.ip_address(host)
    target = ("127.0.0.1" if bound.version == 4 else "::1") if bound.is_unspecified else host
    ufrag, transaction = secrets.token_hex(_UFRAG_BYTES), secrets.token_bytes(_TRANSACTION_BYTES)
    probe = _Probe(shell)
    came = asyncio.Event()
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET if bound.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        shell.register(probe, ufrag)
        try:
            asking.connect((target, port))
            asking.send(_request(ufrag, transaction))
            loop.add_reader(asking, came.set)
            async with asyncio.timeout(timeout_s):
                await came.wait()
            return asking.recv(HEADER_BYTES).endswith(transaction)
        finally:
            loop.remove_reader(asking)
            shell.unregister(probe)


def _request(ufrag: str, transaction: bytes) -> bytes:
    username = f"{ufrag}:self".encode()
    padded = username + bytes(-len(username) % 4)
    attribute = struct.pack("!HH", ATTRIBUTE_USERNAME, len(username)) + padded
    return _header(_BINDING_REQUEST, len(attribute)) + transaction + attribute


def _header(message_type: int, length: int) -> bytes:
    return struct.pack("!HHI", message_type, length, MAGIC_COOKIE)
