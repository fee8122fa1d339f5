"""A UDP socket on an event loop that reads in batches and knows what the kernel dropped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

DATAGRAM_BYTES_MAX: Final = 65_535
READS_MAX: Final = 64
"""Datagrams read from one socket before the others have their turn."""
SOCKET_BUFFER_BYTES: Final = 4 << 20  # the kernel gives what it allows; its default of 200 kB is two key frames
SO_RXQ_OVFL: Final = 40  # Linux: tell with a datagram how many were dropped since the socket was made
_COUNT_SPACE: Final = socket.CMSG_SPACE(4)

Address = tuple[str, int] | tuple[str, int, int, int]
"""As the socket module has it, for IPv4 and IPv6."""
Receive = Callable[[bytes, Address], None]


class Port:
    """Closed by its owner; `receive` is called on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, family: int, receive: Receive) -> None:
        self.receive = receive
        """May be exchanged at any time."""
        self.unread = 0
        """Datagrams that the kernel dropped because we read too late."""
        self.unsent = 0
        """Datagrams that the kernel did not take, or that found nobody (ICMP says so a moment later)."""
        self._loop = loop
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        loop.add_reader(self._socket, self._read)

    def bind(self, address: Address) -> None:
        self._socket.bind(address)

    def connect(self, address: Address) -> None:
        """Send there and take from there alone."""
        self._socket.connect(address)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, datagram: bytes, address: Address | None) -> None:
        """Send to an address, or to the connected one. Nothing after `close`."""
        if self._socket.fileno() < 0:
            return
        try:
            if address is None:
                self._socket.send(datagram)
            else:
                self._socket.sendto(datagram, address)
        except OSError:
            self.unsent += 1

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        for _ in range(READS_MAX):
            if self._socket.fileno() < 0:
                return
            try:
                datagram, ancillary, _, address = self._socket.recvmsg(DATAGRAM_BYTES_MAX, _COUNT_SPACE)
            except BlockingIOError:
                return
            except OSError:
                self.unsent += 1
                continue
            if ancillary:
                self.unread = int.from_bytes(ancillary[0][2], "little")
            self.receive(datagram, address)
