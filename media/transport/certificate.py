"""Self-signed DTLS certificates and the fingerprints that signalling carries (RFC 8122, RFC 8827 section 6.5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from media.rtp.parameters import Fingerprint

VALIDITY_DAYS = 30  # as browsers do; a server that runs longer makes a new one for new transports
_BACKDATED = dt.timedelta(days=1)  # clients' clocks are wrong

_STRENGTH = {"sha-256": 1, "sha-384": 2, "sha-512": 3}
"""Known hash functions, and which is stronger. SHA-1 and older do not count (RFC 8122 section 5)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A private key and its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    fingerprint: Fingerprint
    """sha-256, for the answer."""

    @property
    def expires(self) -> dt.datetime:
        return self.certificate.not_valid_after_utc


def generate_certificate(*, wallclock: dt.datetime, validity_days: int = VALIDITY_DAYS) -> Certificate:
    """Make an ECDSA P-256 certificate that says nothing about us; `wallclock` is aware UTC."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wallclock - _BACKDATED)
        .not_valid_after(wallclock + dt.timedelta(days=validity_days))
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Certificate(key, certificate, Fingerprint("sha-256", fingerprint_value(der, "sha-256")))


def fingerprint_value(der: bytes, algorithm: str) -> str:
    """Return the fingerprint of a DER certificate as upper-case hex pairs with colons; `algorithm` as in _STRENGTH."""
    return hashlib.new(algorithm.replace("-", ""), der).digest().hex(":").upper()


def matches_fingerprints(der: bytes, fingerprints: Iterable[Fingerprint]) -> bool:
    """Whether a certificate is one that signalling named: one fingerprint of the strongest known hash must match.

    A peer may list several certificates, hence "one of" (RFC 8122 section 5). Without a known hash nothing matches.
    """
    known = [(_STRENGTH.get(one.algorithm.lower(), 0), one) for one in fingerprints]
    strongest = max((strength for strength, _ in known), default=0)
    if strongest == 0:
        return False
    matched = False
    for strength, one in known:
        if strength == strongest:
            expected = fingerprint_value(der, one.algorithm.lower()).encode("ascii")
            matched |= hmac.compare_digest(expected, one.value.strip().upper().encode("utf-8", "replace"))
    return matched
