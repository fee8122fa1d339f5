"""The relay: a socket towards clients, one for each client towards the server, and the two directions between."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from benchmarks.relay.direction import DOWN, UP, Direction, Log
from benchmarks.relay.impairment import Verdict
from benchmarks.relay.outbox import Outbox
from benchmarks.relay.packet import flip
from benchmarks.relay.port import Address, Port
from benchmarks.relay.schedule import Schedule, parse_schedule

CLIENTS_MAX: Final = 4096
"""Sockets towards the server; the client that was silent longest makes room."""
FORMER_MAX: Final = 3  # mappings that a rebinding ended, kept open per client to count what still comes to them
LISTEN: Final = ("127.0.0.1", 0)


@dataclass(slots=True)
class _Client:
    """One address that sends to us, and its NAT mapping: the port that the server sees."""

    address: Address
    mapping: Port
    former: list[Port] = field(default_factory=list)


class Relay:
    """A link between clients and one server: all its clients share it, as those behind one router do.

    Needs a running event loop. Times of its schedules count from its first packet, those of a change from the change.
    """

    def __init__(
        self,
        server: tuple[str, int],
        *,
        up: str | Schedule = "",
        down: str | Schedule = "",
        seed: int = 1,
        log: Log | None = None,
    ) -> None:
        """`server` is resolved here. BadSchedule; OSError if the host is unknown."""
        self.up = Direction(UP, _schedule(up), seed, log)
        self.down = Direction(DOWN, _schedule(down), seed, log)
        self.rebindings = 0
        self._family, self._server = _resolve(*server)
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._loop)
        self._front: Port | None = None
        self._clients: OrderedDict[Address, _Client] = OrderedDict()
        self._started: float | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._ended = [0, 0]  # unread, unsent of ports that are closed

    def open(self, listen: tuple[str, int] = LISTEN) -> tuple[str, int]:
        """Listen there; return the address that clients must use instead of the server's. OSError if it is taken."""
        family, address = _resolve(*listen)
        front = Port(self._loop, family, self._from_client)
        try:
            front.bind(address)
        except OSError as error:
            front.close()
            raise OSError(error.errno, f"cannot listen on {listen[0]} port {listen[1]}: {error.strerror}") from None
        self._front = front
        return front.address

    def close(self) -> None:
        """End at once; what is on its way is forgotten."""
        self._cancel_timers()
        self._outbox.close()
        for client in self._clients.values():
            self._end(client)
        self._clients.clear()
        if self._front is not None:
            self._close(self._front)
            self._front = None

    @property
    def port(self) -> int:
        """The UDP port that clients must use instead of the server's."""
        assert self._front is not None, "the relay is not open"
        return self._front.address[1]

    @property
    def now(self) -> float:
        """Seconds since the first packet, 0 before it."""
        return 0.0 if self._started is None else self._loop.time() - self._started

    @property
    def clients(self) -> int:
        return len(self._clients)

    @property
    def unread(self) -> int:
        """Datagrams that the kernel dropped before we read them: no schedule's doing. 0 unless the computer is late."""
        return self._ended[0] + sum(port.unread for port in self._ports())

    @property
    def unsent(self) -> int:
        """Datagrams that the kernel did not take from us, or that found nobody."""
        return self._ended[1] + sum(port.unsent for port in self._ports())

    def change(self, *, up: str | Schedule | None = None, down: str | Schedule | None = None) -> None:
        """Follow other schedules from now on; None leaves that way as it is. BadSchedule if a text is none."""
        changes = [
            (way, _schedule(schedule)) for way, schedule in ((self.up, up), (self.down, down)) if schedule is not None
        ]
        for direction, schedule in changes:
            direction.change(schedule, now=self.now)
            if direction is self.up:
                self._cancel_timers()
                if self._started is not None:
                    self._plan(schedule)

    def rebind(self) -> None:
        """Give every client another source port towards the server, as a NAT that forgot its mappings does."""
        self.rebindings += 1
        for client in self._clients.values():
            old = client.mapping
            old.receive = self._to_old_mapping
            client.former.append(old)
            client.mapping = self._map(client.address)
            while len(client.former) > FORMER_MAX:
                self._close(client.former.pop(0))

    # -- packets --------------------------------------------------------------------------------------------------

    def _from_client(self, datagram: bytes, address: Address) -> None:
        now = self._now_of_packet()
        client = self._clients.get(address)
        if client is None:
            client = self._meet(address)
        else:
            self._clients.move_to_end(address)
        self._forward(datagram, self.up.take(datagram, now=now), client.mapping, None)

    def _from_server(self, client: Address, datagram: bytes, _: Address) -> None:
        verdict = self.down.take(datagram, now=self._now_of_packet())
        if self._front is not None:
            self._forward(datagram, verdict, self._front, client)

    def _to_old_mapping(self, datagram: bytes, _: Address) -> None:
        self.down.take_unmapped(datagram, now=self._now_of_packet())

    def _forward(self, datagram: bytes, verdict: Verdict, port: Port, address: Address | None) -> None:
        if not verdict.leaves_s:
            return
        assert self._started is not None
        if verdict.flipped_bit is not None:
            datagram = flip(datagram, verdict.flipped_bit)
        for leaves_s in verdict.leaves_s:
            self._outbox.send(self._started + leaves_s, datagram, port, address)

    def _now_of_packet(self) -> float:
        now = self._loop.time()
        if self._started is None:
            self._started = now
            self._plan(self.up.schedule)
        return now - self._started

    # -- mappings -------------------------------------------------------------------------------------------------

    def _meet(self, address: Address) -> _Client:
        if len(self._clients) >= CLIENTS_MAX:
            self._end(self._clients.popitem(last=False)[1])
        client = self._clients[address] = _Client(address, self._map(address))
        return client

    def _map(self, client: Address) -> Port:
        port = Port(self._loop, self._family, partial(self._from_server, client))
        port.connect(self._server)
        return port

    def _end(self, client: _Client) -> None:
        for port in (client.mapping, *client.former):
            self._close(port)

    def _close(self, port: Port) -> None:
        self._ended[0] += port.unread
        self._ended[1] += port.unsent
        port.close()

    def _ports(self) -> Iterator[Port]:
        if self._front is not None:
            yield self._front
        for client in self._clients.values():
            yield client.mapping
            yield from client.former

    # -- rebindings that the schedule asks for ------------------------------------------------------------------------

    def _plan(self, schedule: Schedule) -> None:
        """Set a timer for each, counted from now."""
        for at_s in schedule.rebinds_s:
            self._timers.append(self._loop.call_later(at_s, self.rebind))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def _resolve(host: str, port: int) -> tuple[int, Address]:
    """Return the address family and the address of a host's UDP port. OSError if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except socket.gaierror as error:
        raise OSError(error.errno, f"{host!r} is no host: {error.strerror}") from None
    family, _, _, _, address = found[0]
    return family, address  # type: ignore[return-value]  # typeshed knows address families without IP


def _schedule(schedule: str | Schedule) -> Schedule:
    return parse_schedule(schedule) if isinstance(schedule, str) else schedule
