"""Somebody who is not in the class and sends what he likes to the server, from addresses that it does not know."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterable, Sequence

from aioice import stun

from media.rtp.parameters import Address, IceCredentials
from media.transport.counters import DropCounters
from media.transport.dtls import DtlsConnection
from media.transport.keys import DtlsRole
from media.transport.outputs import DtlsDatagram
from tests.support.peer_link import binding_request, peer_context

SOCKETS = 8
BURST = 64  # datagrams at once: what the server reads with one system call
BREATH_S = 0.004
DATAGRAM_BYTES_MAX = 1500


class Attacker:
    """A few sockets of 127.0.0.1; close it."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._turn = 0
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for each in self._sockets:
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    async def pour(self, datagrams: Iterable[bytes]) -> int:
        """Send from all sockets in turn; return how many datagrams went out."""
        return await pour(datagrams, self._send)

    def _send(self, datagram: bytes) -> None:
        self._turn = (self._turn + 1) % SOCKETS
        self._sockets[self._turn].sendto(datagram, self._server)


async def pour(datagrams: Iterable[bytes], send: Callable[[bytes], None]) -> int:
    """Send in bursts with a breath between, so that no socket buffer is what drops; return how many went out."""
    number = 0
    for number, datagram in enumerate(datagrams, 1):
        send(datagram)
        if number % BURST == 0:
            await asyncio.sleep(BREATH_S)
    await asyncio.sleep(0)
    return number


def random_datagrams(chance: random.Random, count: int, first_bytes: Sequence[int] = range(256)) -> list[bytes]:
    """Return datagrams of any length from 1 byte that begin with one of these bytes."""
    return [
        bytes([chance.choice(first_bytes)]) + chance.randbytes(chance.randrange(DATAGRAM_BYTES_MAX))
        for _ in range(count)
    ]


def client_hellos(count: int) -> list[bytes]:
    """Return ClientHellos, each with a random of its own."""
    hellos = []
    for _ in range(count):
        dtls = DtlsConnection(
            peer_context(),
            role=DtlsRole.CLIENT,
            remote_fingerprints=(),
            drops=DropCounters(),
            application_data=False,
            now=time.monotonic(),
        )
        dtls.start(now=time.monotonic())
        hellos += [output.data for output in dtls.take_output() if isinstance(output, DtlsDatagram)]
    return hellos


def forged_check(ours: IceCredentials, theirs: IceCredentials) -> bytes:
    """Return a check with the right names, signed with a wrong password."""
    return binding_request(ours, IceCredentials(theirs.ufrag, "x" * len(theirs.password)))


def unsigned_check(ours: IceCredentials, theirs: IceCredentials) -> bytes:
    """Return a check with the right names and no MESSAGE-INTEGRITY."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{theirs.ufrag}:{ours.ufrag}"
    return bytes(message)
