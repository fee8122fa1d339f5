"""SRTP keys out of a DTLS handshake (RFC 5764 section 4.2): profiles, their lengths, who uses which half."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"


class DtlsRole(enum.Enum):
    CLIENT = "client"
    """Active: sends the ClientHello."""
    SERVER = "server"
    """Passive: what we are towards every participant."""


class SrtpProfile(enum.Enum):
    """Protection profiles that we negotiate (RFC 5764 section 4.1.2, RFC 7714 section 14.2); OpenSSL's names."""

    AEAD_AES_128_GCM = "SRTP_AEAD_AES_128_GCM"
    AEAD_AES_256_GCM = "SRTP_AEAD_AES_256_GCM"
    AES128_CM_SHA1_80 = "SRTP_AES128_CM_SHA1_80"

    @property
    def key_bytes(self) -> int:
        return 32 if self is SrtpProfile.AEAD_AES_256_GCM else 16

    @property
    def salt_bytes(self) -> int:
        return 14 if self is SrtpProfile.AES128_CM_SHA1_80 else 12


PREFERRED_PROFILES = (
    SrtpProfile.AEAD_AES_128_GCM,  # a third of the price of CM with SHA-1
    SrtpProfile.AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80,  # what every WebRTC end must have (RFC 8827 section 6.5)
)
"""Our order as the server, which decides."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key || master salt of each direction, as libsrtp takes them."""

    profile: SrtpProfile
    inbound: bytes = field(repr=False)
    outbound: bytes = field(repr=False)


def split_keying_material(profile: SrtpProfile, material: bytes, role: DtlsRole) -> SrtpKeys:
    """Cut the exporter's output: client key, server key, client salt, server salt (RFC 5764 section 4.2).

    `material` has 2 * (key_bytes + salt_bytes) bytes.
    """
    key, salt = profile.key_bytes, profile.salt_bytes
    assert len(material) == 2 * (key + salt)
    client = material[:key] + material[2 * key : 2 * key + salt]
    server = material[key : 2 * key] + material[2 * key + salt :]
    if role is DtlsRole.SERVER:
        return SrtpKeys(profile, inbound=client, outbound=server)
    return SrtpKeys(profile, inbound=server, outbound=client)
