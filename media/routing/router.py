"""The crossbar of one room: any producer can feed any consumer, on whichever workers they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from media.errors import LocalError
from media.routing.path_estimate import PathEstimate
from media.routing.ports import Shell, TransportListener
from media.routing.producer import Producer
from media.routing.transport import Transport
from media.rtp.parameters import RemoteTransport

Heard: TypeAlias = tuple[Producer, bytes]
"""An audio track and the levels of its last packets, oldest first: as in RFC 6464, -dBov below the voice bit."""

Estimated: TypeAlias = tuple[Transport, PathEstimate]
"""A transport and what the way to its peer carries."""

OnTransport: TypeAlias = Callable[[Transport, TransportListener], None]


class Router:
    """Makes transports and closes them together.

    They stand on one worker as long as they are few: a packet need not go to others then. Those of a large room are
    spread, so that a picture goes out on all cores at once.
    """

    def __init__(self, shell: Shell, choose: Callable[[], Shell] | None = None, *, together_max: int = 0) -> None:
        """The first `together_max` transports stand on `shell`, the others on what `choose` returns."""
        self._shell = shell
        self._choose = choose
        self._together_max = together_max
        self._transports: list[Transport] = []
        self.closed = False
        self.on_levels: Callable[[Sequence[Heard], float], None] | None = None
        """Called some ten times a second with the tracks that were audible, maybe none, and `now`."""
        self.on_estimates: Callable[[Sequence[Estimated], float], None] | None = None
        """Called some five times a second with the transports whose estimate changed, never none, and `now`."""
        self.on_transport: OnTransport | None = None
        """Called with each transport that is made, and its listener."""

    @property
    def transports(self) -> Sequence[Transport]:
        """Those that were open a short while ago."""
        return self._transports

    def create_transport(self, remote: RemoteTransport, listener: TransportListener) -> Transport:
        """Open a transport that waits for the peer's first check. LocalError if the router is closed."""
        if self.closed:
            raise LocalError("the router is closed")
        self._transports = [transport for transport in self._transports if transport.state != "closed"]
        shell = self._shell
        if self._choose is not None and len(self._transports) >= self._together_max:
            shell = self._choose()
        transport = Transport(remote, listener, shell)
        self._transports.append(transport)
        if self.on_transport is not None:
            self.on_transport(transport, listener)
        return transport

    def close(self) -> None:
        """Close every transport."""
        self.closed = True
        for transport in self._transports:
            transport.close()
        self._transports.clear()
