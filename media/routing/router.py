"""The crossbar of one room: its transports live on one worker, so that any producer can feed any consumer."""

from __future__ import annotations

from media.errors import LocalError
from media.routing.ports import Shell, TransportListener
from media.routing.transport import Transport
from media.rtp.parameters import RemoteTransport


class Router:
    """Makes transports and closes them together."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._transports: list[Transport] = []
        self.closed = False

    def create_transport(self, remote: RemoteTransport, listener: TransportListener) -> Transport:
        """Open a transport that waits for the peer's first check. LocalError if the router is closed."""
        if self.closed:
            raise LocalError("the router is closed")
        self._transports = [transport for transport in self._transports if transport.state != "closed"]
        transport = Transport(remote, listener, self._shell)
        self._transports.append(transport)
        return transport

    def close(self) -> None:
        """Close every transport."""
        self.closed = True
        for transport in self._transports:
            transport.close()
        self._transports.clear()
