"""One DTLS 1.2 association with use_srtp (RFC 5764, RFC 6347) as a pure machine: no socket, no clock.

Towards participants we are always the server; the same class is the client where a test or a peer program needs one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from media.rtp.parameters import Fingerprint
from media.transport.counters import DropCounters, DropReason
from media.transport.dtls_context import DtlsContext
from media.transport.dtls_engine import DtlsEngine, EngineFailure
from media.transport.dtls_farewell import SealedFarewell
from media.transport.dtls_records import ClearRecordNumbers, Screening, screen_datagram
from media.transport.keys import DtlsRole
from media.transport.outputs import ApplicationData, Closed, CloseReason, Connected, DtlsDatagram, DtlsOutput
from media.transport.rate import TokenBucket
from media.transport.retransmission import FlightResender


@dataclass(frozen=True, slots=True)
class DtlsConfig:
    """Times and bounds of one association."""

    handshake_timeout_s: float = 10.0
    """From the first flight to the keys; six round trips over a satellite, or five lost flights."""
    mtu_bytes: int = 1200
    """Longest datagram that we send: fits IPv6's least MTU with tunnel headers to spare. OpenSSL wants at least 256."""
    datagram_bytes_max: int = 2048
    """Longest datagram taken; a peer's Ethernet MTU is 1500."""
    handshake_datagrams_per_second: float = 200.0
    """Taken while the peer is not authenticated. A handshake has 3 to 10 datagrams, and repeats them every 50 ms."""
    handshake_datagrams_burst: int = 100
    application_data_max: int = 64
    """Decrypted messages waiting for take_output; SCTP repeats what is dropped."""
    final_flight_kept_s: float = 5.0
    """How long the last flight is sent again to a client that did not get it."""


class DtlsState(enum.Enum):
    NEW = "new"
    HANDSHAKE = "handshake"
    CONNECTED = "connected"
    CLOSED = "closed"


class DtlsConnection:
    """Contract: receive / handle_timeout / next_timeout / take_output. Nothing from the network raises.

    Outputs DtlsDatagram, Connected once, ApplicationData, and Closed as the last. Without `application_data` the
    association only yields keys, then lets go of OpenSSL and waits for the peer's close_notify.
    """

    def __init__(
        self,
        context: DtlsContext,
        *,
        role: DtlsRole,
        remote_fingerprints: tuple[Fingerprint, ...],
        drops: DropCounters,
        application_data: bool,
        now: float,
        config: DtlsConfig | None = None,
    ) -> None:
        self._config = config = config or DtlsConfig()
        self._role = role
        self._drops = drops
        self._application_data = application_data
        self._engine: DtlsEngine | None = DtlsEngine(
            context, role=role, fingerprints=remote_fingerprints, mtu_bytes=config.mtu_bytes
        )
        self._farewell: SealedFarewell | None = None
        self._state = DtlsState.NEW
        self._deadline: float | None = None  # of the handshake; then of the last flight's repetition
        self._flight = FlightResender()
        self._numbers_in, self._numbers_out = ClearRecordNumbers(), ClearRecordNumbers()
        self._arrivals = TokenBucket(
            per_second=config.handshake_datagrams_per_second, burst=config.handshake_datagrams_burst, now=now
        )
        self._waiting_messages = 0
        self._outputs: list[DtlsOutput] = []

    @property
    def state(self) -> DtlsState:
        return self._state

    def start(self, *, now: float) -> None:
        """Begin the handshake: the client speaks, the server's clock runs."""
        assert self._state is DtlsState.NEW
        self._state = DtlsState.HANDSHAKE
        self._deadline = now + self._config.handshake_timeout_s
        if self._role is DtlsRole.CLIENT:
            self._advance_handshake(b"", now=now)

    def receive(self, data: bytes, *, now: float) -> None:
        """Take one datagram of DTLS records."""
        screening = self._screen(data, now=now)
        if isinstance(screening, DropReason):
            self._drops.count(screening)
            return
        answered = False
        if self._state is DtlsState.HANDSHAKE:
            answered = self._advance_handshake(self._numbers_in.renumber(data), now=now)
        elif self._engine is not None:
            answered = self._read_messages(data)
        elif self._farewell is not None and self._farewell.is_from_peer(data):
            self._close(CloseReason.PEER)
            return
        elif screening is Screening.OTHER:
            self._drops.count(DropReason.DTLS_UNEXPECTED)
        if not answered and self._repeats_last_flight(screening):
            self._emit(self._flight.answer_repetition(now=now))

    def handle_timeout(self, *, now: float) -> None:
        """Send the last flight again, or give up the handshake."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._flight.forget()
            if self._state is DtlsState.HANDSHAKE:
                self._close(CloseReason.HANDSHAKE_TIMEOUT)
            return
        due = self._flight.take_due(now=now)
        if due and self._engine is not None:
            self._engine.renew_flight()
            self._emit(self._engine.take_written() or due)

    def next_timeout(self) -> float | None:
        """Return when handle_timeout wants to be called, None if never."""
        due_at = self._flight.due_at
        if due_at is None or self._deadline is None:
            return self._deadline
        return min(due_at, self._deadline)

    def take_output(self) -> list[DtlsOutput]:
        """Return and clear what there is to do."""
        outputs, self._outputs = self._outputs, []
        self._waiting_messages = 0
        return outputs

    def send(self, message: bytes) -> bool:
        """Encrypt one message for the peer; False if there is no one to take it or it does not fit a datagram."""
        engine = self._engine
        if self._state is not DtlsState.CONNECTED or engine is None:
            return False
        if not 0 < len(message) <= engine.message_bytes_max:
            return False
        try:
            engine.write(message)
        except EngineFailure as failure:
            self._close(failure.reason, failure.detail)
            return False
        self._emit(engine.take_written())
        return True

    def close(self) -> None:
        """Say goodbye (close_notify) and become deaf; a second call does nothing."""
        if self._state is not DtlsState.CLOSED:
            self._close(CloseReason.LOCAL)

    def _screen(self, data: bytes, *, now: float) -> Screening | DropReason:
        """Look at a datagram from outside: what OpenSSL need not see is dropped here."""
        if self._state is DtlsState.CLOSED:
            return DropReason.CLOSED
        if self._state is DtlsState.NEW:
            return DropReason.DTLS_UNEXPECTED
        if len(data) > self._config.datagram_bytes_max:
            return DropReason.TOO_LARGE
        screening = screen_datagram(data)
        if screening is Screening.MALFORMED:
            return DropReason.DTLS_MALFORMED
        if self._state is DtlsState.HANDSHAKE and not self._arrivals.take(now=now):
            return DropReason.DTLS_RATE
        return screening

    def _advance_handshake(self, data: bytes, *, now: float) -> bool:
        """Let OpenSSL work on what has arrived; True if it had something to say."""
        assert self._engine is not None
        try:
            finished = self._engine.handshake(data)
        except EngineFailure as failure:
            self._close(failure.reason, failure.detail)
            return True
        written = self._engine.take_written()
        self._emit(written)
        if written:
            self._flight.sent(written, awaits_answer=not finished, now=now)
        if finished:
            self._flight.stop()
            self._connect(self._engine, now=now)
        return bool(written)

    def _connect(self, engine: DtlsEngine, *, now: float) -> None:
        """Trust the peer only now, and read what he sent too early."""
        try:
            keys = engine.keys()
        except EngineFailure as failure:
            self._close(failure.reason, failure.detail)
            return
        self._state = DtlsState.CONNECTED
        self._deadline = now + self._config.final_flight_kept_s
        self._outputs.append(Connected(keys))
        if not self._application_data:
            self._farewell = engine.seal()
        if self._farewell is not None:
            self._engine = None
        else:
            self._read_messages(b"")

    def _read_messages(self, data: bytes) -> bool:
        """Read all messages of the datagram; True if OpenSSL answered (a repeated flight, an alert)."""
        assert self._engine is not None
        try:
            messages = self._engine.read(data)
        except EngineFailure as failure:
            self._close(failure.reason, failure.detail)
            return True
        for message in messages:
            self._surface(message)
        written = self._engine.take_written()
        self._emit(written)
        return bool(written)

    def _surface(self, message: bytes) -> None:
        if not self._application_data:
            self._drops.count(DropReason.DTLS_UNEXPECTED)
        elif self._waiting_messages >= self._config.application_data_max:
            self._drops.count(DropReason.APPLICATION_DATA_FULL)
        else:
            self._waiting_messages += 1
            self._outputs.append(ApplicationData(message))

    def _repeats_last_flight(self, screening: Screening) -> bool:
        """Whether the peer shows that he lacks our last flight (RFC 6347 section 4.2.4, "read retransmit")."""
        if self._role is not DtlsRole.SERVER:
            return False
        if self._state is DtlsState.HANDSHAKE:
            return screening is Screening.CLIENT_HELLO
        return self._state is DtlsState.CONNECTED and screening is Screening.CLEAR_HANDSHAKE

    def _emit(self, datagrams: tuple[bytes, ...]) -> None:
        self._outputs.extend(DtlsDatagram(self._numbers_out.renumber(datagram)) for datagram in datagrams)

    def _close(self, reason: CloseReason, detail: str = "") -> None:
        """Close for good, with a goodbye where the peer could read one."""
        if self._farewell is not None:
            self._emit(self._farewell.ours)
        elif self._engine is not None and self._state is not DtlsState.NEW:
            self._engine.say_goodbye()
            self._emit(self._engine.take_written())
        self._engine = self._farewell = None
        self._state = DtlsState.CLOSED
        self._deadline = None
        self._flight.forget()
        self._outputs.append(Closed(reason, detail))
