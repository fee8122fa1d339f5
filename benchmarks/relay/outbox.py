"""What is on its way: datagrams by the time at which they go on."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from benchmarks.relay.port import Address, Port


class Outbox:
    """Sends at the given time, those of one time in the order in which they came."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[float, int, bytes, Port, Address | None]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, leaves: float, datagram: bytes, port: Port, address: Address | None) -> None:
        """Send by `port` when the loop's clock says `leaves`; at once if nothing earlier waits and it is past."""
        now = self._loop.time()
        if leaves <= now and not (self._waiting and self._waiting[0][0] <= leaves):
            port.send(datagram, address)
            return
        heapq.heappush(self._waiting, (leaves, next(self._order), datagram, port, address))
        self._wind()

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __len__(self) -> int:
        return len(self._waiting)

    def _wind(self) -> None:
        first = self._waiting[0][0]
        if self._timer is not None:
            if self._timer.when() <= first:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(first, self._send_due)

    def _send_due(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, datagram, port, address = heapq.heappop(self._waiting)
            port.send(datagram, address)
        if self._waiting:
            self._wind()
