"""OpenSSL under one DTLS association: bytes in, flights, messages and keys out, its errors turned into reasons."""

from __future__ import annotations

import contextlib

from OpenSSL import SSL

from media.errors import RemoteError
from media.rtp.parameters import Fingerprint
from media.transport.certificate import matches_fingerprints
from media.transport.dtls_context import DtlsContext, PeerCheck, peer_certificate_der
from media.transport.dtls_farewell import SealedFarewell, seal_farewell
from media.transport.dtls_records import split_into_datagrams
from media.transport.keys import EXPORTER_LABEL, DtlsRole, SrtpKeys, SrtpProfile, split_keying_material
from media.transport.outputs import CloseReason

_FLIGHT_BYTES = 1 << 15  # more than any flight: one read empties the BIO
_MESSAGE_BYTES = 1 << 14  # the longest plaintext of a record (RFC 5246 section 6.2.1)


class EngineFailure(RemoteError):
    """The association is over."""

    def __init__(self, reason: CloseReason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class DtlsEngine:
    """One SSL object over memory BIOs. Every method that fails raises EngineFailure and nothing else.

    After each call `take_written` has what is to be sent, after a failure too (an alert).
    """

    def __init__(
        self, context: DtlsContext, *, role: DtlsRole, fingerprints: tuple[Fingerprint, ...], mtu_bytes: int
    ) -> None:
        self._role = role
        self._mtu_bytes = mtu_bytes
        self._fingerprints = fingerprints
        self._check = PeerCheck(fingerprints)
        self._connection = context.connect(role, self._check, mtu_bytes)

    def handshake(self, data: bytes = b"") -> bool:
        """Go on with the handshake, with one datagram if there is one; True when it is complete."""
        if data:
            self._connection.bio_write(data)
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            reason = CloseReason.FINGERPRINT_MISMATCH if self._check.refused else CloseReason.HANDSHAKE_FAILED
            raise EngineFailure(reason, _detail(error)) from error
        return True

    def keys(self) -> SrtpKeys:
        """Return the SRTP keys of a complete handshake with the peer that the fingerprints name."""
        der = peer_certificate_der(self._connection)
        if der is None or not matches_fingerprints(der, self._fingerprints):
            raise EngineFailure(CloseReason.FINGERPRINT_MISMATCH)
        selected = self._connection.get_selected_srtp_profile()
        if not selected:
            raise EngineFailure(CloseReason.NO_SRTP_PROFILE)
        profile = SrtpProfile(selected.decode("ascii"))
        length = 2 * (profile.key_bytes + profile.salt_bytes)
        material = self._connection.export_keying_material(EXPORTER_LABEL, length)
        return split_keying_material(profile, material, self._role)

    def read(self, data: bytes = b"") -> list[bytes]:
        """Return the messages of one datagram, or of what came too early. A close_notify fails with PEER."""
        if data:
            self._connection.bio_write(data)
        messages = []
        try:
            while True:
                messages.append(self._connection.recv(_MESSAGE_BYTES))
        except SSL.WantReadError:
            return messages
        except SSL.ZeroReturnError as error:
            raise EngineFailure(CloseReason.PEER) from error
        except SSL.Error as error:
            raise EngineFailure(CloseReason.DTLS_ERROR, _detail(error)) from error

    @property
    def message_bytes_max(self) -> int:
        """Longest message that `write` can put into one datagram."""
        return self._connection.get_cleartext_mtu()

    def write(self, message: bytes) -> None:
        """Encrypt one message of 1 to message_bytes_max bytes."""
        try:
            self._connection.send(message)
        except SSL.Error as error:
            raise EngineFailure(CloseReason.DTLS_ERROR, _detail(error)) from error

    def renew_flight(self) -> None:
        """Let OpenSSL write its last flight anew, with new record numbers, if its own clock agrees."""
        with contextlib.suppress(SSL.Error):  # it fails after a dozen time-outs; the handshake's deadline comes first
            self._connection.DTLSv1_handle_timeout()

    def say_goodbye(self) -> None:
        """Write close_notify, unless a fatal alert said it already."""
        with contextlib.suppress(SSL.Error):
            self._connection.shutdown()

    def seal(self) -> SealedFarewell | None:
        """Prepare to do without OpenSSL; None if this cipher needs it. Afterwards the engine must not be used."""
        return seal_farewell(self._connection, self._role, self._mtu_bytes)

    def take_written(self) -> tuple[bytes, ...]:
        """Return and clear what is to be sent, as datagrams of whole records."""
        stream = b""
        try:
            while True:
                stream += self._connection.bio_read(_FLIGHT_BYTES)
        except SSL.WantReadError:
            return split_into_datagrams(stream, self._mtu_bytes)


def _detail(error: SSL.Error) -> str:
    """Return OpenSSL's words, e.g. "peer did not return a certificate"."""
    reasons = error.args[0] if error.args else ()
    if isinstance(reasons, (list, tuple)):
        return "; ".join(str(one[-1]) if isinstance(one, tuple) else str(one) for one in reasons)
    return str(reasons)
