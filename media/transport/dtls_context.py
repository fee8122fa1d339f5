"""The OpenSSL context that all DTLS connections with one certificate share, and the check of the peer's certificate."""

from __future__ import annotations

from OpenSSL import SSL, crypto

from media.rtp.parameters import Fingerprint
from media.transport.certificate import Certificate, matches_fingerprints
from media.transport.keys import PREFERRED_PROFILES, DtlsRole, SrtpProfile

_DTLS_1_2 = 0xFEFD
_CIPHERS = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",  # RFC 8827 section 6.5: every WebRTC end has it
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES256-GCM-SHA384",
    )
)


class PeerCheck:
    """Whether the peer's certificate is the one that signalling named; asked by OpenSSL within the handshake."""

    __slots__ = ("_fingerprints", "refused")

    def __init__(self, fingerprints: tuple[Fingerprint, ...]) -> None:
        self._fingerprints = fingerprints
        self.refused = False

    def accepts(self, certificate: crypto.X509) -> bool:
        """Check the end-entity certificate; one that cannot even be written as DER is refused."""
        try:
            der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
            matched = matches_fingerprints(der, self._fingerprints)
        except (crypto.Error, ValueError):
            matched = False
        self.refused = self.refused or not matched
        return matched


class DtlsContext:
    """Settings and certificate of our end. Made once by the composition root, not per connection."""

    def __init__(self, certificate: Certificate, profiles: tuple[SrtpProfile, ...] = PREFERRED_PROFILES) -> None:
        self.certificate = certificate
        self.profiles = profiles
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_min_proto_version(_DTLS_1_2)  # RFC 8827 section 6.5
        context.set_options(
            SSL.OP_NO_TICKET
            | SSL.OP_NO_RENEGOTIATION
            | SSL.OP_NO_COMPRESSION
            | SSL.OP_NO_QUERY_MTU  # a memory BIO knows no MTU; ours is set on each connection
            | SSL.OP_CIPHER_SERVER_PREFERENCE
        )
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 33 KiB a connection that has nothing to read or write
        context.set_cipher_list(_CIPHERS)
        context.set_tlsext_use_srtp(b":".join(profile.value.encode("ascii") for profile in profiles))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        self._context = context

    def connect(self, role: DtlsRole, check: PeerCheck, mtu_bytes: int) -> SSL.Connection:
        """Return a connection over memory BIOs that has sent nothing yet."""
        connection = SSL.Connection(self._context)
        connection.set_ciphertext_mtu(mtu_bytes)
        connection.set_app_data(check)
        if role is DtlsRole.SERVER:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
        return connection


def peer_certificate_der(connection: SSL.Connection) -> bytes | None:
    """Return the certificate that the peer proved to own, None if there is none.

    Only OpenSSL ever parses it: cryptography's stricter parser would raise at what OpenSSL let through.
    """
    certificate = connection.get_peer_certificate()
    return None if certificate is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def _verify(connection: SSL.Connection, certificate: crypto.X509, _error: int, depth: int, _trusted: int) -> bool:
    """Accept whatever the fingerprints name: chains, names and dates mean nothing here (RFC 8122 section 6.2)."""
    if depth > 0:
        return True
    check: PeerCheck = connection.get_app_data()
    return check.accepts(certificate)
