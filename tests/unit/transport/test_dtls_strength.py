"""Strength of the DTLS end: what is too weak is refused, and the key is ours alone."""

from __future__ import annotations

import datetime as dt

import pytest
from OpenSSL import SSL

from media.transport.certificate import generate_certificate
from media.transport.dtls_context import DtlsContext
from media.transport.keys import PREFERRED_PROFILES, DtlsRole, SrtpProfile
from media.transport.outputs import Closed, CloseReason
from tests.unit.transport.support import certificate, dtls
from tests.unit.transport.test_foreign_dtls import converse

DTLS_1_0 = 0xFEFF
NO_SECURITY_LEVEL = b":@SECLEVEL=0"  # of the client: it may offer what OpenSSL itself would not
WEAK = (
    b"ECDHE-ECDSA-AES128-SHA",
    b"ECDHE-ECDSA-AES256-SHA",
    b"ECDHE-ECDSA-AES128-SHA256",
    b"ECDHE-ECDSA-AES128-CCM8",
    b"ECDHE-ECDSA-NULL-SHA",
    b"AECDH-AES128-SHA",
    b"ECDHE-RSA-AES128-GCM-SHA256",
    b"DHE-RSA-AES128-GCM-SHA256",
    b"AES128-GCM-SHA256",
)
"""Without authenticated encryption, without forward secrecy, without a certificate, or not for our kind of key."""


def client(cipher: bytes, highest_version: int | None = None) -> SSL.Connection:
    context = SSL.Context(SSL.DTLS_METHOD)
    if highest_version is not None:
        context.set_min_proto_version(DTLS_1_0)
        context.set_max_proto_version(highest_version)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_cipher_list(cipher + NO_SECURITY_LEVEL)
    context.use_certificate(certificate("client").certificate)
    context.use_privatekey(certificate("client").key)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    connection = SSL.Connection(context)
    connection.set_connect_state()
    return connection


@pytest.mark.parametrize("cipher", WEAK)
def test_a_client_with_weak_ciphers_is_refused(cipher: bytes) -> None:
    (closed,) = converse(client(cipher), dtls(DtlsRole.SERVER))
    assert isinstance(closed, Closed)
    assert closed.reason is CloseReason.HANDSHAKE_FAILED


def test_dtls_1_0_is_refused() -> None:
    (closed,) = converse(client(b"ECDHE-ECDSA-AES128-SHA", DTLS_1_0), dtls(DtlsRole.SERVER))
    assert isinstance(closed, Closed)
    assert closed.reason is CloseReason.HANDSHAKE_FAILED


def test_srtp_profiles_are_those_of_rfc_8827_or_stronger() -> None:
    assert set(PREFERRED_PROFILES) == set(SrtpProfile)
    assert {profile.value for profile in SrtpProfile} == {
        "SRTP_AEAD_AES_128_GCM",
        "SRTP_AEAD_AES_256_GCM",
        "SRTP_AES128_CM_SHA1_80",
    }


def test_every_server_makes_a_key_of_its_own() -> None:
    """It is made in memory at each start and never written: there is no key in the product that could be known."""
    now = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)
    made = [generate_certificate(wallclock=now) for _ in range(3)]
    assert len({each.key.public_key().public_numbers() for each in made}) == 3
    assert len({each.fingerprint.value for each in made}) == 3
    assert all(str(each.key.private_numbers().private_value) not in repr(each) for each in made)
    assert DtlsContext(made[0]).certificate is made[0]
