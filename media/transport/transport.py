"""One participant's transport: the ICE-lite agent decides where, DTLS decides who; together they yield SRTP keys.

Media itself does not pass here: the native worker opens and seals it with the keys that Connected carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from media.rtp.parameters import Address, IceCredentials, RemoteTransport
from media.transport.admission import HandshakeAdmission, HandshakeSlot
from media.transport.counters import DropCounters, DropReason
from media.transport.demux import DatagramKind, classify
from media.transport.dtls import DtlsConfig, DtlsConnection
from media.transport.dtls_context import DtlsContext
from media.transport.dtls_records import Screening, screen_datagram
from media.transport.ice import IceAgent, IceConfig, RepeatedCheck
from media.transport.keys import DtlsRole
from media.transport.outputs import (
    AddressForgotten,
    AddressSelected,
    AddressValidated,
    ApplicationData,
    Closed,
    CloseReason,
    Connected,
    ConsentExpired,
    DtlsDatagram,
    PathAlive,
    PathSilent,
    SendDatagram,
    TransportOutput,
)


@dataclass(frozen=True, slots=True)
class TransportConfig:
    """Times and bounds of one transport."""

    ice: IceConfig = field(default_factory=IceConfig)
    dtls: DtlsConfig = field(default_factory=DtlsConfig)
    client_hello_timeout_s: float = 30.0
    """From the first valid check to an admitted ClientHello; the wait for admission is part of it."""
    admission_retry_s: float = 0.05
    """Where we are the DTLS client: how soon to ask again for a slot, as often as a browser repeats its ClientHello."""


@dataclass(frozen=True, slots=True)
class TransportServices:
    """What all transports of a node share; made by the composition root."""

    context: DtlsContext
    admission: HandshakeAdmission
    drops: DropCounters


class Transport:
    """Contract: receive / handle_timeout / next_timeout / take_output. Nothing from the network raises.

    The caller routes datagrams here by ufrag and by the addresses that AddressValidated and AddressForgotten name.
    """

    def __init__(
        self,
        *,
        local: IceCredentials,
        remote: RemoteTransport,
        services: TransportServices,
        application_data: bool,
        now: float,
        dtls_role: DtlsRole = DtlsRole.SERVER,
        config: TransportConfig | None = None,
    ) -> None:
        """`application_data`: whether a data section was negotiated; without one a connected transport is light.

        `dtls_role` is CLIENT only for a peer that offers a=setup:passive (FFmpeg's WHIP muxer does).
        """
        self._config = config = config or TransportConfig()
        self._services = services
        self._application_data = application_data
        self._dtls_role = dtls_role
        self._fingerprints = remote.fingerprints
        self._ice = IceAgent(local, remote.ice, drops=services.drops, now=now, config=config.ice)
        self._dtls: DtlsConnection | None = None
        self._slot: HandshakeSlot | None = None
        self._hello_deadline: float | None = None  # from the first valid check until DTLS begins
        self._begin_at: float | None = None  # as the DTLS client: when to try for a slot
        self._connected = False
        self._closed = False
        self._outputs: list[TransportOutput] = []

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def connected(self) -> bool:
        """Whether keys were handed out; stays True after closing."""
        return self._connected

    @property
    def selected(self) -> Address | None:
        """Where datagrams go at present."""
        return self._ice.selected

    @property
    def repeated_check(self) -> RepeatedCheck | None:
        """Which checks of a connected peer would change nothing but the time of the last one; None: all may matter."""
        return self._ice.repeated_check if self._connected and not self._closed else None

    def hear_checks(self, source: Address, transactions: Sequence[bytes], *, now: float) -> None:
        """Take note of repeated checks that were answered elsewhere, the last of them at `now`."""
        if not self._closed:
            self._ice.note_answered(source, transactions, now=now)
            self._drain_ice(now=now)

    def receive(self, data: bytes, source: Address, *, now: float) -> None:
        """Take one datagram of STUN or DTLS; anything else is counted and dropped."""
        if self._closed:
            self._services.drops.count(DropReason.CLOSED)
            return
        kind = classify(data)
        if kind is DatagramKind.STUN:
            self._ice.receive(data, source, now=now)
            self._drain_ice(now=now)
            self._begin_if_due(now=now)
        elif kind is DatagramKind.DTLS:
            self._receive_dtls(data, source, now=now)
        else:
            self._services.drops.count(DropReason.UNKNOWN_PROTOCOL)

    def handle_timeout(self, *, now: float) -> None:
        """Let whatever is due happen."""
        if self._closed:
            return
        if self._hello_deadline is not None and now >= self._hello_deadline:
            self._close(CloseReason.HANDSHAKE_TIMEOUT)
            return
        self._ice.handle_timeout(now=now)
        self._drain_ice(now=now)
        if self._dtls is not None:
            self._dtls.handle_timeout(now=now)
            self._drain_dtls()
        self._begin_if_due(now=now)

    def next_timeout(self) -> float | None:
        """Return when handle_timeout wants to be called, None when closed."""
        if self._closed:
            return None
        dtls_timeout = self._dtls.next_timeout() if self._dtls is not None else self._begin_at
        timeouts = (self._hello_deadline, self._ice.next_timeout(), dtls_timeout)
        return min((timeout for timeout in timeouts if timeout is not None), default=None)

    def take_output(self) -> list[TransportOutput]:
        """Return and clear what there is to do."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def restart_ice(self, local: IceCredentials, remote: IceCredentials, *, now: float) -> None:
        """Accept new credentials beside the present ones, until the first check with the new; DTLS and keys stay."""
        if not self._closed:
            self._ice.restart(local, remote, now=now)

    def suspect_move(self, *, now: float) -> None:
        """Packets sealed by the peer come from an address that no check came from."""
        if not self._closed:
            self._ice.suspect()
            self._drain_ice(now=now)

    def send_application_data(self, message: bytes) -> bool:
        """Send one message (SCTP packet) over DTLS; False if not connected or too long for a datagram."""
        if self._dtls is None:
            return False
        sent = self._dtls.send(message)
        self._drain_dtls()
        return sent

    def close(self) -> None:
        """Say goodbye and end; the outputs hold the goodbye and Closed. A second call does nothing."""
        if not self._closed:
            self._close(CloseReason.LOCAL)

    def _receive_dtls(self, data: bytes, source: Address, *, now: float) -> None:
        drops = self._services.drops
        if not self._ice.is_validated(source, now=now):
            drops.count(DropReason.DTLS_UNCHECKED_ADDRESS)
            return
        if self._dtls is None:
            if self._dtls_role is DtlsRole.CLIENT or screen_datagram(data) is not Screening.CLIENT_HELLO:
                drops.count(DropReason.DTLS_UNEXPECTED)
                return
            self._dtls = self._begin_dtls(now=now)
            if self._dtls is None:
                drops.count(DropReason.DTLS_NOT_ADMITTED)
                return
        self._dtls.receive(data, now=now)
        self._drain_dtls()

    def _begin_dtls(self, *, now: float) -> DtlsConnection | None:
        """Return a started association, None if too many are being made already."""
        self._slot = self._services.admission.enter()
        if self._slot is None:
            return None
        self._hello_deadline = self._begin_at = None
        dtls = DtlsConnection(
            self._services.context,
            role=self._dtls_role,
            remote_fingerprints=self._fingerprints,
            drops=self._services.drops,
            application_data=self._application_data,
            now=now,
            config=self._config.dtls,
        )
        dtls.start(now=now)
        return dtls

    def _begin_if_due(self, *, now: float) -> None:
        """As the DTLS client, send the ClientHello when an address is known, or wait a little for a slot."""
        if self._begin_at is None or now < self._begin_at:
            return
        self._dtls = self._begin_dtls(now=now)
        if self._dtls is None:
            self._begin_at = now + self._config.admission_retry_s
        self._drain_dtls()

    def _drain_ice(self, *, now: float) -> None:
        for output in self._ice.take_output():
            match output:
                case Closed(reason=reason, detail=detail):
                    self._close(reason, detail)
                case AddressSelected():
                    self._outputs.append(output)
                    if self._dtls is None and self._hello_deadline is None:
                        self._hello_deadline = now + self._config.client_hello_timeout_s
                        if self._dtls_role is DtlsRole.CLIENT:
                            self._begin_at = now
                case SendDatagram() | AddressValidated() | AddressForgotten():
                    self._outputs.append(output)
                case PathSilent() | ConsentExpired() | PathAlive():
                    self._outputs.append(output)

    def _drain_dtls(self) -> None:
        if self._dtls is None:
            return
        for output in self._dtls.take_output():
            match output:
                case DtlsDatagram(data=data):
                    self._send(data)
                case Connected():
                    self._connected = True
                    self._release_slot()
                    self._outputs.append(output)
                case ApplicationData():
                    self._outputs.append(output)
                case Closed(reason=reason, detail=detail):
                    self._end(reason, detail)

    def _send(self, data: bytes) -> None:
        destination = self._ice.selected
        if destination is not None:  # else consent has expired: DTLS repeats what matters
            self._outputs.append(SendDatagram(data, destination))

    def _close(self, reason: CloseReason, detail: str = "") -> None:
        """End for a reason outside of DTLS; a peer that is still there gets a close_notify."""
        if self._dtls is not None:
            self._dtls.close()
            for output in self._dtls.take_output():
                if isinstance(output, DtlsDatagram):
                    self._send(output.data)
        self._end(reason, detail)

    def _end(self, reason: CloseReason, detail: str) -> None:
        self._closed = True
        self._ice.close()
        self._dtls = None
        self._hello_deadline = self._begin_at = None
        self._release_slot()
        self._outputs.append(Closed(reason, detail))

    def _release_slot(self) -> None:
        if self._slot is not None:
            self._slot.release()
            self._slot = None
