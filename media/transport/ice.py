"""An ICE-lite agent (RFC 8445 section 2.5): answers the peer's checks and follows his choice of address.

We are always lite and always controlled. A lite agent sends no checks, so the peer's authenticated checks are also
what we have for consent (RFC 7675): without one for 30 s we stop sending, and wait for the next one. What an ICE-lite
agent cannot know is whether the sender of a valid check really is at its source address; the password is what stands
against that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from media.rtp.parameters import Address, IceCredentials
from media.transport.addresses import AddressTable
from media.transport.counters import DropCounters, DropReason
from media.transport.outputs import (
    AddressForgotten,
    AddressSelected,
    AddressValidated,
    Closed,
    CloseReason,
    ConsentExpired,
    IceOutput,
    PathAlive,
    PathSilent,
    SendDatagram,
)
from media.transport.rate import TokenBucket
from media.transport.stun import (
    BINDING_INDICATION,
    BINDING_REQUEST,
    MalformedStun,
    StunMessage,
    build_error,
    build_success,
    parse_stun,
    xor_mapped_address,
)


@dataclass(frozen=True, slots=True)
class IceConfig:
    """Times and bounds of one agent."""

    first_check_timeout_s: float = 30.0
    """From the answer to the first valid check: a phone may ask its user for the camera in between."""
    consent_timeout_s: float = 30.0
    """From the last valid check to the end of sending: RFC 7675 section 5.1."""
    silence_notice_s: float = 12.5
    """From the last valid check to PathSilent: two lost at RFC 7675's slowest, 6 s; browsers' first thought is 5 s."""
    silence_max_s: float = 330.0
    """From the last valid check to the end of the transport. Whoever owns it decides earlier: this bounds a mistake."""
    restart_grace_s: float = 10.0
    """A restart that signalling asks for keeps the transport at least this long, so that new checks can arrive."""
    selected_silence_s: float = 5.0
    """A check without USE-CANDIDATE moves the transport only off an address that missed two checks (2.5 s each)."""
    addresses_max: int = 16
    """Validated addresses remembered: host, reflexive and relayed ones of two networks, and room for rebinding."""
    message_bytes_max: int = 1280
    """RFC 8489 section 6.1: no STUN message over UDP is longer than the least IPv6 MTU. Browsers send 100-150."""
    checks_per_second: float = 100.0
    """Authenticated checks answered: a browser sends at most one per 50 ms while connecting, then one in 2.5 s."""
    checks_burst: int = 200
    errors_per_second: float = 5.0
    """Error responses: a correct client needs none, a stranger shall not make us talk."""
    errors_burst: int = 10
    transactions_max: int = 24
    """Transaction ids remembered against copies of a check from other addresses: a minute of checks, 3 KiB."""


@dataclass(frozen=True, slots=True)
class RepeatedCheck:
    """What a check that only renews consent looks like: others may answer it, and tell by `note_answered`."""

    source: Address
    username: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Generation:
    """The credentials of one ICE generation, as the wire wants them."""

    username: bytes
    key: bytes

    @classmethod
    def of(cls, local: IceCredentials, remote: IceCredentials) -> _Generation:
        return cls(f"{local.ufrag}:{remote.ufrag}".encode(), local.password.encode())


class IceAgent:
    """Contract: receive / handle_timeout / next_timeout / take_output. Nothing from the network raises."""

    def __init__(
        self,
        local: IceCredentials,
        remote: IceCredentials,
        *,
        drops: DropCounters,
        now: float,
        config: IceConfig | None = None,
    ) -> None:
        self._config = config = config or IceConfig()
        self._drops = drops
        self._current = _Generation.of(local, remote)
        self._coming: _Generation | None = None  # after a restart, until the first check with it
        self._addresses = AddressTable(limit=config.addresses_max, lifetime_s=config.consent_timeout_s)
        self._selected: Address | None = None
        self._expires_at: float | None = now + config.first_check_timeout_s
        self._heard_at: float | None = None  # the last valid check
        self._silent = False
        self._transactions: dict[bytes, Address] = {}  # in order of arrival
        self._checks = TokenBucket(per_second=config.checks_per_second, burst=config.checks_burst, now=now)
        self._errors = TokenBucket(per_second=config.errors_per_second, burst=config.errors_burst, now=now)
        self._outputs: list[IceOutput] = []

    @property
    def selected(self) -> Address | None:
        """Where media goes; None before the first valid check, and without consent."""
        return self._selected

    @property
    def closed(self) -> bool:
        return self._expires_at is None

    @property
    def repeated_check(self) -> RepeatedCheck | None:
        """Which checks would change nothing but the time; None while the next one matters."""
        if self.closed or self._selected is None or self._silent:
            return None
        return RepeatedCheck(self._selected, self._current.username, self._current.key)

    def note_answered(self, source: Address, transactions: Sequence[bytes], *, now: float) -> None:
        """Take note of repeated checks that were answered for us, the last of them at `now`."""
        if self.closed or source != self._selected:
            return
        for transaction_id in transactions:
            self._is_copy(transaction_id, source)
        self._renew(now=now)
        self._addresses.hear(source, now=now)

    def is_validated(self, address: Address, *, now: float) -> bool:
        """Whether a valid check came from this address within the consent time."""
        return not self.closed and self._addresses.knows(address, now=now)

    def restart(self, local: IceCredentials, remote: IceCredentials, *, now: float) -> None:
        """Begin a new generation (RFC 8445 section 9); the old one stays valid until a check with the new arrives.

        Both credentials must differ from the present ones. The selected address stays until the peer chooses; consent
        is not renewed by it.
        """
        self._coming = _Generation.of(local, remote)
        if self._expires_at is not None:
            self._expires_at = max(self._expires_at, now + self._config.restart_grace_s)

    def suspect(self) -> None:
        """The peer seems to have moved to another address: silence is told now, until the next check."""
        if self._heard_at is not None and not self.closed and not self._silent:
            self._silent = True
            self._outputs.append(PathSilent())

    def close(self) -> None:
        """Become deaf; no output."""
        self._expires_at = None

    def receive(self, data: bytes, source: Address, *, now: float) -> None:
        """Take one STUN datagram."""
        if self.closed:
            self._drops.count(DropReason.CLOSED)
            return
        if len(data) > self._config.message_bytes_max:
            self._drops.count(DropReason.TOO_LARGE)
            return
        try:
            message = parse_stun(data)
        except MalformedStun:
            self._drops.count(DropReason.STUN_MALFORMED)
            return
        if message.message_type == BINDING_REQUEST:
            self._receive_request(message, source, size_bytes=len(data), now=now)
        elif message.message_type != BINDING_INDICATION:  # an indication keeps a NAT open, and that is all
            self._drops.count(DropReason.STUN_UNEXPECTED)

    def handle_timeout(self, *, now: float) -> None:
        """Forget silent addresses, stop sending without consent, and close when nobody checked in time."""
        if self._expires_at is None:
            return
        if now >= self._expires_at:
            reason = CloseReason.NO_CHECK if self._heard_at is None else CloseReason.CONSENT_EXPIRED
            self.close()
            self._outputs.append(Closed(reason))
            return
        if (notice_at := self._notice_at()) is not None and now >= notice_at:
            self._silent = True
            self._outputs.append(PathSilent())
        if (consent_until := self._consent_until()) is not None and now >= consent_until:
            self._selected = None
            self._outputs.append(ConsentExpired())
        self._forget_stale(now=now)

    def next_timeout(self) -> float | None:
        """Return when handle_timeout wants to be called, None when closed."""
        if self._expires_at is None:
            return None
        stale_at = self._addresses.next_stale(self._selected)
        times = (self._expires_at, self._notice_at(), self._consent_until(), stale_at)
        return min(at for at in times if at is not None)

    def take_output(self) -> list[IceOutput]:
        """Return and clear what there is to do."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _notice_at(self) -> float | None:
        """Return when silence is to be told, None if it was told or nothing came yet."""
        return None if self._heard_at is None or self._silent else self._heard_at + self._config.silence_notice_s

    def _consent_until(self) -> float | None:
        """Return until when may be sent, None without an address to send to."""
        return (
            None
            if self._heard_at is None or self._selected is None
            else (self._heard_at + self._config.consent_timeout_s)
        )

    def _receive_request(self, message: StunMessage, source: Address, *, size_bytes: int, now: float) -> None:
        """Authenticate in the order of RFC 8489 section 9.1.3, then look at what is asked."""
        if message.username is None or message.integrity is None:
            self._refuse(message, 400, DropReason.STUN_NO_CREDENTIALS, source, size_bytes=size_bytes, now=now)
            return
        generation = self._generation(message.username)
        if generation is None:
            self._refuse(message, 401, DropReason.STUN_WRONG_USERNAME, source, size_bytes=size_bytes, now=now)
            return
        key = generation.key
        if not message.has_integrity(key):
            self._refuse(message, 401, DropReason.STUN_WRONG_INTEGRITY, source, size_bytes=size_bytes, now=now)
            return
        if not self._checks.take(now=now):
            self._drops.count(DropReason.STUN_RATE)
            return
        if self._is_copy(message.transaction_id, source):
            self._drops.count(DropReason.STUN_REPLAYED)
            return
        if message.unknown_required:
            self._drops.count(DropReason.STUN_UNKNOWN_ATTRIBUTE)
            response = build_error(message.transaction_id, 420, key, message.unknown_required)
            self._outputs.append(SendDatagram(response, source))
            return
        if message.controlled:  # the peer must lead (RFC 8445 section 7.3.1.1: a lite agent cannot)
            self._drops.count(DropReason.STUN_ROLE_CONFLICT)
            self._outputs.append(SendDatagram(build_error(message.transaction_id, 487, key), source))
            return
        mapped = xor_mapped_address(source, message.transaction_id)
        self._outputs.append(SendDatagram(build_success(message.transaction_id, mapped, key), source))
        self._accept(message, generation, source, now=now)

    def _generation(self, username: bytes) -> _Generation | None:
        if username == self._current.username:
            return self._current
        if self._coming is not None and username == self._coming.username:
            return self._coming
        return None

    def _accept(self, message: StunMessage, generation: _Generation, source: Address, *, now: float) -> None:
        """Let a valid check renew consent, and choose the address if it does."""
        if generation is self._coming:
            self._current, self._coming = generation, None
        self._renew(now=now)
        if self._addresses.hear(source, now=now):
            self._outputs.append(AddressValidated(source))
        if source != self._selected and (message.use_candidate or self._selected_is_silent(now=now)):
            self._selected = source
            self._outputs.append(AddressSelected(source))
        self._forget_stale(now=now)

    def _renew(self, *, now: float) -> None:
        self._heard_at = now if self._heard_at is None else max(self._heard_at, now)
        self._expires_at = self._heard_at + self._config.silence_max_s
        if self._silent:
            self._silent = False
            self._outputs.append(PathAlive())

    def _selected_is_silent(self, *, now: float) -> bool:
        if self._selected is None:
            return True
        heard_at = self._addresses.heard_at(self._selected)
        return heard_at is None or now - heard_at >= self._config.selected_silence_s

    def _forget_stale(self, *, now: float) -> None:
        for address in self._addresses.forget_stale(self._selected, now=now):
            self._outputs.append(AddressForgotten(address))

    def _is_copy(self, transaction_id: bytes, source: Address) -> bool:
        """Whether this transaction came from another address before; a retransmission comes from the same."""
        first_source = self._transactions.setdefault(transaction_id, source)
        if len(self._transactions) > self._config.transactions_max:
            del self._transactions[next(iter(self._transactions))]
        return first_source != source

    def _refuse(
        self, message: StunMessage, code: int, reason: DropReason, source: Address, *, size_bytes: int, now: float
    ) -> None:
        """Count, and answer a stranger if that neither amplifies nor goes on too long; nothing else changes."""
        self._drops.count(reason)
        response = build_error(message.transaction_id, code, None)
        if len(response) > size_bytes or not self._errors.take(now=now):
            self._drops.count(DropReason.STUN_ERROR_WITHHELD)
            return
        self._outputs.append(SendDatagram(response, source))
