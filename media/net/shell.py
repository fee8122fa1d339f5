"""The shell of one worker: its socket, its native thread, the events that it raises, the clock of its transports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable

from media.native import worker as native
from media.net.deadlines import Deadlines
from media.net.sockets import count_drops
from media.routing.kinds import ExtensionKinds
from media.routing.ports import ShellTransport
from media.routing.progress import Step
from media.routing.transport import Transport
from media.rtp.parameters import Address, Candidate, Fingerprint, PayloadType, Ssrc
from media.transport.demux import peek_ufrag
from media.transport.transport import TransportConfig, TransportServices

EVENTS_PER_TURN = 128  # then the event loop gets a turn; a DTLS handshake step costs about a millisecond
GENERATIONS_MAX = 3  # ufrags of one transport: the one in use and those of ICE restarts under way
DATA_PLANE_NICE = -10  # a wake-up must not wait behind the interpreter; without the right to it, normal priority


class WorkerShell:
    """Runs on the event loop's thread; the native thread beside it does all per-packet work."""

    def __init__(
        self,
        udp: socket.socket,
        *,
        candidates: tuple[Candidate, ...],
        fingerprint: Fingerprint,
        kinds: ExtensionKinds,
        services: TransportServices,
        transport_config: TransportConfig,
        new_id: Callable[[], int],
    ) -> None:
        self.candidates = candidates
        self.fingerprint = fingerprint
        self.kinds = kinds
        self.services = services
        self.transport_config = transport_config
        self.new_id = new_id
        self.routers = 0
        self.unknown_ufrags = 0
        self.send_failures = 0
        self._udp = udp
        self._event_descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._wake_descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.worker = native.Worker(
            udp.fileno(), self._wake_descriptor, self._event_descriptor, udp.family, DATA_PLANE_NICE
        )
        self._transports: dict[int, ShellTransport] = {}
        self._by_ufrag: dict[str, ShellTransport] = {}
        self._ufrags: dict[int, list[str]] = {}
        self._deadlines: Deadlines[ShellTransport] = Deadlines()
        self._timer: asyncio.Handle | None = None
        self._timer_due = 0.0
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Start the native thread and listen to its events."""
        self.worker.start()
        self._loop.add_reader(self._event_descriptor, self._on_events)

    def close(self) -> None:
        """Stop the thread and close the socket; every transport must have been closed."""
        self._loop.remove_reader(self._event_descriptor)
        if self._timer is not None:
            self._timer.cancel()
        self.worker.stop()
        self._udp.close()
        os.close(self._event_descriptor)
        os.close(self._wake_descriptor)

    @property
    def transports(self) -> int:
        return len(self._transports)

    @property
    def local_address(self) -> Address:
        """Where the worker's socket is bound; the host may be a wildcard."""
        host, port = self._udp.getsockname()[:2]
        return host, port

    @property
    def socket_drops(self) -> int:
        """Datagrams that found the socket's receive buffer full."""
        return count_drops(self._udp)

    # -- what routing asks ----------------------------------------------------------------------------------------

    def now(self) -> float:
        return time.monotonic()

    def token(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def send(self, data: bytes, destination: Address) -> None:
        """Send a STUN or DTLS datagram; the peer repeats what is lost, so a full buffer only counts."""
        try:
            self._udp.sendto(data, destination)
        except OSError:
            self.send_failures += 1

    def register(self, transport: ShellTransport, ufrag: str) -> None:
        self._transports[transport.id] = transport
        self._by_ufrag[ufrag] = transport
        ufrags = self._ufrags.setdefault(transport.id, [])
        ufrags.append(ufrag)
        while len(ufrags) > GENERATIONS_MAX:
            self._by_ufrag.pop(ufrags.pop(0), None)
        self.wake(transport)

    def unregister(self, transport: ShellTransport) -> None:
        self._transports.pop(transport.id, None)
        for ufrag in self._ufrags.pop(transport.id, ()):
            self._by_ufrag.pop(ufrag, None)
        self._deadlines.set(transport.id, transport, None)

    def wake(self, transport: ShellTransport) -> None:
        if transport.id in self._transports:
            self._deadlines.set(transport.id, transport, transport.next_timeout())
            self._arm()

    # -- the clock ------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        deadline = self._deadlines.next()
        if self._timer is not None:
            if deadline is not None and self._timer_due <= deadline:
                return  # fires early and looks again: cheaper than moving it with every packet
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._on_timer)  # of uvloop no TimerHandle if it is due now
            self._timer_due = deadline

    def _on_timer(self) -> None:
        self._timer = None
        for transport in self._deadlines.pop_due(self.now()):
            transport.handle_timeout()
            self.wake(transport)
        self._arm()

    # -- events of the native thread ------------------------------------------------------------------------------

    def _on_events(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event_descriptor)
        events = self.worker.drain_events(EVENTS_PER_TURN)
        for kind, transport_id, first, second, third, _fourth, source, payload in events:
            if kind in {native.STUN, native.DTLS}:
                self._take_datagram(transport_id, payload, source, is_stun=kind == native.STUN)
            else:
                self._take_row_event(kind, transport_id, first, second, third)
        if len(events) == EVENTS_PER_TURN:
            os.eventfd_write(self._event_descriptor, 1)  # the rest at the next turn of the loop

    def _take_datagram(self, transport_id: int, payload: bytes, source: Address, *, is_stun: bool) -> None:
        ufrag = peek_ufrag(payload) if is_stun else None
        transport = self._transports.get(transport_id) if ufrag is None else self._by_ufrag.get(ufrag)
        if transport is None:
            self.unknown_ufrags += 1
        else:
            transport.receive(payload, source)

    def _take_row_event(self, kind: int, transport_id: int, first: int, second: int, third: int) -> None:
        transport = self._transports.get(transport_id)
        if not isinstance(transport, Transport):
            return  # closed meanwhile
        if kind == native.STRAY:
            transport.take_stray()
            return
        if kind == native.SWITCH:
            consumer = transport.find_consumer(first)
            if consumer is not None:
                consumer.take_switch(second)
                transport.progress.reach(Step.MEDIA, now=self.now())
            return
        producer = transport.find_producer(first)
        if producer is None:
            return
        if kind == native.ENCODING:
            producer.take_stream(second, Ssrc(third))
            transport.progress.reach(Step.MEDIA, now=self.now())
        elif kind == native.FORMAT:
            producer.take_format(PayloadType(third))
        elif kind == native.BYE:
            producer.take_bye()
