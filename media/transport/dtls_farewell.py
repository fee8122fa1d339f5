"""Saying and hearing close_notify without OpenSSL, so that a connected transport need not keep it.

A connected OpenSSL object holds about 92 KiB (measured 2026-11, OpenSSL 4.0.3) and, without data channels, has one more
thing to do: close_notify, once in each direction. So ours is written beforehand, and of the peer's side only key and
IV are kept, to authenticate his alert (RFC 5246 section 6.3, RFC 5288 section 3, RFC 6347 section 4.1.2.1).
"""

from __future__ import annotations

import contextlib
import hmac
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from OpenSSL import SSL

from media.transport.dtls_records import ALERT, RECORD_HEADER_BYTES, split_into_datagrams, walk_records
from media.transport.keys import DtlsRole

SEALABLE_CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"  # all browsers; with any other the OpenSSL object stays

_KEY_BYTES = 16
_IMPLICIT_NONCE_BYTES = 4
_EXPLICIT_NONCE_BYTES = 8
_TAG_BYTES = 16
_ALERT_BYTES = 2
_ALERT_RECORD_BYTES = RECORD_HEADER_BYTES + _EXPLICIT_NONCE_BYTES + _ALERT_BYTES + _TAG_BYTES
_LEVEL_FATAL = 2
_CLOSE_NOTIFY = 0
_ADDITIONAL_DATA = struct.Struct("!8sBHH")
_DTLS_1_2 = 0xFEFD


@dataclass(frozen=True, slots=True)
class SealedFarewell:
    """All that a connected association still needs."""

    ours: tuple[bytes, ...] = field(repr=False)
    """Datagrams with our close_notify, to be sent once."""
    peer_key: bytes = field(repr=False)
    peer_nonce: bytes = field(repr=False)

    def is_from_peer(self, datagram: bytes) -> bool:
        """Whether a datagram holds the peer's authentic close_notify or fatal alert."""
        for record in walk_records(datagram):
            if record.content_type == ALERT and record.end - record.start == _ALERT_RECORD_BYTES:
                alert = self._open(datagram[record.start : record.end])
                if alert is not None and (alert[0] == _LEVEL_FATAL or alert[1] == _CLOSE_NOTIFY):
                    return True
        return False

    def _open(self, record: bytes) -> bytes | None:
        """Return the plaintext of an alert record, None if the peer did not make it."""
        nonce_end = RECORD_HEADER_BYTES + _EXPLICIT_NONCE_BYTES
        nonce = self.peer_nonce + record[RECORD_HEADER_BYTES:nonce_end]
        header = _ADDITIONAL_DATA.pack(record[3:11], ALERT, _DTLS_1_2, _ALERT_BYTES)
        try:
            return AESGCM(self.peer_key).decrypt(nonce, record[nonce_end:], header)
        except InvalidTag:
            return None


def seal_farewell(connection: SSL.Connection, role: DtlsRole, mtu_bytes: int) -> SealedFarewell | None:
    """Take from a connected object what is needed later; None, and nothing changed, for any other cipher."""
    if connection.get_cipher_name() != SEALABLE_CIPHER:
        return None
    master, client_random, server_random = (
        connection.master_key(),
        connection.client_random(),
        connection.server_random(),
    )
    if master is None or client_random is None or server_random is None:
        return None
    block = _expand(master, b"key expansion" + server_random + client_random, 2 * (_KEY_BYTES + _IMPLICIT_NONCE_BYTES))
    peer = 0 if role is DtlsRole.SERVER else 1  # client's part first (RFC 5246 section 6.3)
    nonces = 2 * _KEY_BYTES
    with contextlib.suppress(SSL.Error):
        connection.shutdown()
    stream = b""
    with contextlib.suppress(SSL.WantReadError):
        stream = connection.bio_read(mtu_bytes)
    return SealedFarewell(
        ours=split_into_datagrams(stream, mtu_bytes),
        peer_key=block[peer * _KEY_BYTES : (peer + 1) * _KEY_BYTES],
        peer_nonce=block[nonces + peer * _IMPLICIT_NONCE_BYTES : nonces + (peer + 1) * _IMPLICIT_NONCE_BYTES],
    )


def _expand(secret: bytes, seed: bytes, length: int) -> bytes:
    """Return P_SHA256 (RFC 5246 section 5); `seed` begins with the label."""
    output, chained = b"", seed
    while len(output) < length:
        chained = hmac.digest(secret, chained, "sha256")
        output += hmac.digest(secret, chained + seed, "sha256")
    return output[:length]
