"""A UDP relay between clients and one server address that loses datagrams by a seeded chance, each way its own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from media.rtp.parameters import Address

MEDIA_FIRST, MEDIA_LAST = 128, 191  # RFC 7983: only media is lost, so that a test does not wait for repeated handshakes


@dataclass(slots=True)
class Direction:
    """One way through the relay: the chance that a datagram of RTP or RTCP is lost, and what happened."""

    loss: float = 0.0
    passed: int = 0
    lost: int = 0


@dataclass(slots=True)
class Relay:
    """Listens on 127.0.0.1 and gives every client a socket of its own towards the server."""

    server: Address
    seed: int = 1
    up: Direction = field(default_factory=Direction)
    down: Direction = field(default_factory=Direction)
    _random: random.Random = field(init=False)
    _front: asyncio.DatagramTransport | None = None
    _backs: dict[Address, asyncio.DatagramTransport] = field(default_factory=dict)
    _waiting: dict[Address, list[bytes]] = field(default_factory=dict)
    _opening: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def start(self) -> int:
        """Return the port that clients must use instead of the server's."""
        loop = asyncio.get_running_loop()
        front, _ = await loop.create_datagram_endpoint(lambda: _Port(self._from_client), local_addr=("127.0.0.1", 0))
        self._front = front
        port: int = front.get_extra_info("sockname")[1]
        return port

    async def close(self) -> None:
        for task in list(self._opening):
            await task
        for transport in (self._front, *self._backs.values()):
            if transport is not None:
                transport.close()
        await asyncio.sleep(0)

    def _from_client(self, data: bytes, client: Address) -> None:
        if self._loses(self.up, data):
            return
        back = self._backs.get(client)
        if back is not None:
            back.sendto(data)
            return
        waiting = self._waiting.setdefault(client, [])
        waiting.append(data)
        if len(waiting) == 1:
            task = asyncio.create_task(self._open(client))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self, client: Address) -> None:
        loop = asyncio.get_running_loop()
        back, _ = await loop.create_datagram_endpoint(
            lambda: _Port(lambda data, _: self._from_server(data, client)), remote_addr=self.server
        )
        self._backs[client] = back
        for data in self._waiting.pop(client):
            back.sendto(data)

    def _from_server(self, data: bytes, client: Address) -> None:
        if self._front is not None and not self._loses(self.down, data):
            self._front.sendto(data, client)

    def _loses(self, direction: Direction, data: bytes) -> bool:
        if data and MEDIA_FIRST <= data[0] <= MEDIA_LAST and self._random.random() < direction.loss:
            direction.lost += 1
            return True
        direction.passed += 1
        return False


class _Port(asyncio.DatagramProtocol):
    def __init__(self, receive) -> None:  # type: ignore[no-untyped-def]
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A closed client answers with ICMP: nothing to do."""
