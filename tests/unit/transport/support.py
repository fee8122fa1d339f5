"""Peers, checks and a lossy wire in virtual time, for the transport's tests."""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from aioice import stun as aioice_stun

from media.rtp.parameters import Address, Fingerprint, IceCredentials, RemoteTransport
from media.transport.admission import HandshakeAdmission
from media.transport.certificate import Certificate, generate_certificate
from media.transport.counters import DropCounters, DropReason
from media.transport.dtls import DtlsConfig, DtlsConnection
from media.transport.dtls_context import DtlsContext
from media.transport.keys import PREFERRED_PROFILES, DtlsRole, SrtpKeys, SrtpProfile
from media.transport.outputs import ApplicationData, Closed, Connected, DtlsDatagram
from media.transport.transport import Transport, TransportConfig, TransportServices

LOCAL = IceCredentials("serverufrag1", "server-password-of-24chr")
REMOTE = IceCredentials("clientufrag1", "client-password-of-24chr")
ADDRESS: Address = ("192.0.2.10", 40000)
OTHER_ADDRESS: Address = ("198.51.100.7", 50000)
START = 1000.0


@functools.cache
def certificate(name: str) -> Certificate:
    """One certificate per name and test run; making one takes a while."""
    assert name
    return generate_certificate(wallclock=dt.datetime.now(dt.UTC))


@functools.cache
def context(name: str, profiles: tuple[SrtpProfile, ...] = PREFERRED_PROFILES) -> DtlsContext:
    return DtlsContext(certificate(name), profiles)


def services(*, handshakes: int = 64) -> TransportServices:
    return TransportServices(context("server"), HandshakeAdmission(handshakes), DropCounters())


def transport(
    shared: TransportServices | None = None,
    *,
    fingerprints: tuple[Fingerprint, ...] | None = None,
    application_data: bool = False,
    dtls_role: DtlsRole = DtlsRole.SERVER,
    config: TransportConfig | None = None,
    now: float = START,
) -> Transport:
    """A transport of the server that expects the certificate "client"."""
    if fingerprints is None:
        fingerprints = (certificate("client").fingerprint,)
    return Transport(
        local=LOCAL,
        remote=RemoteTransport(REMOTE, fingerprints, {}),
        services=shared or services(),
        application_data=application_data,
        now=now,
        dtls_role=dtls_role,
        config=config,
    )


def dtls(
    role: DtlsRole,
    *,
    drops: DropCounters | None = None,
    profiles: tuple[SrtpProfile, ...] = PREFERRED_PROFILES,
    fingerprints: tuple[Fingerprint, ...] | None = None,
    application_data: bool = True,
    config: DtlsConfig | None = None,
    now: float = START,
) -> DtlsConnection:
    """Our class in either role; the server expects "client" and the client "server"."""
    own, peer = ("server", "client") if role is DtlsRole.SERVER else ("client", "server")
    return DtlsConnection(
        context(own, profiles),
        role=role,
        remote_fingerprints=(certificate(peer).fingerprint,) if fingerprints is None else fingerprints,
        drops=drops or DropCounters(),
        application_data=application_data,
        now=now,
        config=config,
    )


def check(
    local: IceCredentials = LOCAL,
    remote: IceCredentials = REMOTE,
    *,
    nominate: bool = False,
    password: str | None = None,
    username: str | None = None,
    controlled: bool = False,
    transaction_id: bytes | None = None,
) -> bytes:
    """A browser's binding request, written by a foreign STUN library."""
    message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, transaction_id)
    message.attributes["USERNAME"] = username or f"{local.ufrag}:{remote.ufrag}"
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 0x1234567890ABCDEF
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.attributes["PRIORITY"] = 1853824767
    message.add_message_integrity((password or local.password).encode())
    return bytes(message)


def dropped(drops: DropCounters) -> dict[DropReason, int]:
    """The reasons that occurred."""
    return {reason: count for reason, count in drops.counts.items() if count}


Fate = Callable[[int, bytes], list[float]]
"""What happens to the n-th datagram of one direction: its arrivals, as delays in seconds; none is a loss."""

LATENCY_S = 0.02


def delivered(_number: int, _data: bytes) -> list[float]:
    return [LATENCY_S]


@dataclass
class End:
    """One end of a wire, and what became of it."""

    machine: DtlsConnection
    fate: Fate = delivered
    sent: list[bytes] = field(default_factory=list)
    keys: SrtpKeys | None = None
    messages: list[bytes] = field(default_factory=list)
    closed: Closed | None = None
    connected_at: float | None = None


class Wire:
    """Runs two DTLS machines against each other in virtual time."""

    def __init__(self, client: DtlsConnection, server: DtlsConnection, up: Fate = delivered, down: Fate = delivered):
        self.client, self.server = End(client, up), End(server, down)
        self.now = START
        self._arrivals: list[tuple[float, int, End, bytes]] = []
        self._order = itertools.count()

    def start(self) -> None:
        for end in (self.server, self.client):
            end.machine.start(now=self.now)
            self._drain(end)

    def inject(self, end: End, data: bytes) -> None:
        """Let a stranger's bytes arrive at one end, now."""
        end.machine.receive(data, now=self.now)
        self._drain(end)

    def run(self, seconds: float) -> None:
        """Deliver and time out in order until `seconds` have passed."""
        end_at = self.now + seconds
        while (event_at := self._next_event()) is not None and event_at <= end_at:
            self.now = max(self.now, event_at)
            if self._arrivals and self._arrivals[0][0] <= self.now:
                _, _, end, data = heapq.heappop(self._arrivals)
                end.machine.receive(data, now=self.now)
                self._drain(end)
                continue
            for end in (self.client, self.server):
                timeout = end.machine.next_timeout()
                if timeout is not None and timeout <= self.now:
                    end.machine.handle_timeout(now=self.now)
                    self._drain(end)
        self.now = end_at

    def drain(self) -> None:
        for end in (self.client, self.server):
            self._drain(end)

    def _next_event(self) -> float | None:
        events = [self._arrivals[0][0]] if self._arrivals else []
        events += [t for end in (self.client, self.server) if (t := end.machine.next_timeout()) is not None]
        return min(events, default=None)

    def _drain(self, end: End) -> None:
        other = self.server if end is self.client else self.client
        for output in end.machine.take_output():
            match output:
                case DtlsDatagram(data=data):
                    for delay in end.fate(len(end.sent), data):
                        heapq.heappush(self._arrivals, (self.now + delay, next(self._order), other, data))
                    end.sent.append(data)
                case Connected(keys=keys):
                    assert end.keys is None, "connected twice"
                    end.keys, end.connected_at = keys, self.now
                case ApplicationData(data=data):
                    end.messages.append(data)
                case Closed():
                    assert end.closed is None, "closed twice"
                    end.closed = output


def is_connected(wire: Wire) -> bool:
    """Whether both ends have keys, and each other's."""
    one, two = wire.client.keys, wire.server.keys
    if one is None or two is None:
        return False
    assert one.profile == two.profile
    assert (one.inbound, one.outbound) == (two.outbound, two.inbound)
    return True
