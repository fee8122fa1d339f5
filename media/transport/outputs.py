"""What the machines of a transport say: frozen values, drained by the caller after each input."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from media.rtp.parameters import Address
from media.transport.keys import SrtpKeys


class CloseReason(enum.Enum):
    """Why a transport ended; the value is the metric's label."""

    LOCAL = "local"
    """Our own close()."""
    PEER = "peer"
    """The peer's close_notify."""
    NO_CHECK = "no_check"
    """No valid STUN check in time after the start."""
    CONSENT_EXPIRED = "consent_expired"
    """Silent for much longer than consent lasts."""
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    """DTLS was not begun, or not finished, in time."""
    HANDSHAKE_FAILED = "handshake_failed"
    FINGERPRINT_MISMATCH = "fingerprint_mismatch"
    NO_SRTP_PROFILE = "no_srtp_profile"
    DTLS_ERROR = "dtls_error"
    """A fatal alert or a broken record layer after the handshake."""


@dataclass(frozen=True, slots=True)
class SendDatagram:
    data: bytes = field(repr=False)
    destination: Address


@dataclass(frozen=True, slots=True)
class AddressValidated:
    """A valid check came from this address: its datagrams belong to this transport."""

    address: Address


@dataclass(frozen=True, slots=True)
class AddressForgotten:
    """The address fell silent, or out of the bounded table: its datagrams are this transport's no more."""

    address: Address


@dataclass(frozen=True, slots=True)
class AddressSelected:
    """From now on media goes to this address."""

    address: Address


@dataclass(frozen=True, slots=True)
class PathSilent:
    """No valid check came for a while, or the peer seems to have moved. Media still goes out to where it was."""


@dataclass(frozen=True, slots=True)
class ConsentExpired:
    """No valid check for so long that nothing may be sent any more (RFC 7675), until AddressSelected names a place."""


@dataclass(frozen=True, slots=True)
class PathAlive:
    """A valid check came after PathSilent."""


@dataclass(frozen=True, slots=True)
class Connected:
    """DTLS is up and the peer is the one that signalling named; once in a transport's life."""

    keys: SrtpKeys


@dataclass(frozen=True, slots=True)
class ApplicationData:
    """One decrypted DTLS message (SCTP)."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """The last output; nothing follows."""

    reason: CloseReason
    detail: str = ""
    """For a DEBUG log: what OpenSSL said."""


@dataclass(frozen=True, slots=True)
class DtlsDatagram:
    """Whole DTLS records for the peer, wherever he is."""

    data: bytes = field(repr=False)


PathOutput = AddressValidated | AddressForgotten | AddressSelected | PathSilent | ConsentExpired | PathAlive
IceOutput = SendDatagram | PathOutput | Closed
DtlsOutput = DtlsDatagram | Connected | ApplicationData | Closed
TransportOutput = SendDatagram | PathOutput | Connected | ApplicationData | Closed
