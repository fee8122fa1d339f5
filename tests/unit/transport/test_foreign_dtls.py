"""Handshakes with ends that are not ours: plain pyOpenSSL as a browser behaves, and aiortc."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path

import pytest
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL, crypto

from media.rtp.parameters import Fingerprint
from media.transport.certificate import fingerprint_value
from media.transport.dtls import DtlsConnection
from media.transport.keys import EXPORTER_LABEL, DtlsRole, SrtpProfile, split_keying_material
from media.transport.outputs import Closed, CloseReason, Connected, DtlsDatagram, DtlsOutput
from tests.unit.transport.support import START, certificate, dtls

CIPHERS = [b"ECDHE-ECDSA-AES128-GCM-SHA256", b"ECDHE-ECDSA-CHACHA20-POLY1305", b"ECDHE-ECDSA-AES256-GCM-SHA384"]


def foreign(*, with_certificate: bool = True, srtp: bytes = b"", cipher: bytes = CIPHERS[0]) -> SSL.Connection:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_cipher_list(cipher)
    if with_certificate:
        context.use_certificate(certificate("client").certificate)
        context.use_privatekey(certificate("client").key)
    if srtp:
        context.set_tlsext_use_srtp(srtp)
    connection = SSL.Connection(context)
    connection.set_connect_state()
    return connection


def converse(client: SSL.Connection, server: DtlsConnection) -> list[DtlsOutput]:
    """Let both talk until neither has anything to say; return what the server put out beside datagrams."""
    outputs: list[DtlsOutput] = []
    server.start(now=START)
    for step in itertools.count():
        assert step < 20
        with contextlib.suppress(SSL.Error):
            client.do_handshake()
        try:
            server.receive(client.bio_read(4096), now=START)
        except SSL.WantReadError:
            break
        for output in server.take_output():
            if isinstance(output, DtlsDatagram):
                client.bio_write(output.data)
            else:
                outputs.append(output)
    return outputs


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("profile", SrtpProfile)
@pytest.mark.parametrize("application_data", [True, False])
def test_plain_openssl_client(profile: SrtpProfile, cipher: bytes, application_data: bool) -> None:
    client = foreign(srtp=profile.value.encode(), cipher=cipher)
    server = dtls(DtlsRole.SERVER, application_data=application_data)
    (connected,) = converse(client, server)
    assert isinstance(connected, Connected)
    material = client.export_keying_material(EXPORTER_LABEL, 2 * (profile.key_bytes + profile.salt_bytes))
    assert client.get_selected_srtp_profile() == profile.value.encode()
    theirs = split_keying_material(profile, material, DtlsRole.CLIENT)
    assert (theirs.inbound, theirs.outbound) == (connected.keys.outbound, connected.keys.inbound)

    client.shutdown()
    server.receive(client.bio_read(4096), now=START)
    goodbye, closed = server.take_output()
    assert closed == Closed(CloseReason.PEER)
    assert isinstance(goodbye, DtlsDatagram)
    client.bio_write(goodbye.data)
    with pytest.raises(SSL.ZeroReturnError):
        client.recv(100)


def test_our_goodbye_reaches_a_plain_openssl_client() -> None:
    client = foreign(srtp=b"SRTP_AES128_CM_SHA1_80")
    server = dtls(DtlsRole.SERVER, application_data=False)
    converse(client, server)
    server.close()
    goodbye, closed = server.take_output()
    assert closed == Closed(CloseReason.LOCAL)
    assert isinstance(goodbye, DtlsDatagram)
    client.bio_write(goodbye.data)
    with pytest.raises(SSL.ZeroReturnError):
        client.recv(100)


def test_a_client_without_a_certificate_is_refused() -> None:
    (closed,) = converse(foreign(with_certificate=False, srtp=b"SRTP_AEAD_AES_128_GCM"), dtls(DtlsRole.SERVER))
    assert closed == Closed(CloseReason.HANDSHAKE_FAILED, "peer did not return a certificate")


@pytest.mark.parametrize("srtp", [b"", b"SRTP_AES128_CM_SHA1_32"])
def test_a_client_without_a_common_profile_is_refused(srtp: bytes) -> None:
    (closed,) = converse(foreign(srtp=srtp), dtls(DtlsRole.SERVER))
    assert isinstance(closed, Closed)
    assert closed.reason is CloseReason.NO_SRTP_PROFILE


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("damage", ["version", "serial", "date"])
def test_a_strange_certificate_is_only_compared(damage: str, named: bool, tmp_path: Path) -> None:
    """OpenSSL parses it and the peer owns its key; whether it is the right one is the fingerprint's matter."""
    good = certificate("client").certificate.public_bytes(serialization.Encoding.DER)
    strange = bytearray(good)
    if damage == "version":
        strange[good.index(b"\xa0\x03\x02\x01\x02") + 4] = 9
    elif damage == "serial":
        strange[good.index(b"\xa0\x03\x02\x01\x02") + 7] = 0x80  # a negative number; 0xff could be refused as padding
    else:
        strange[good.index(b"\x17\x0d") + 2] = ord("x")  # no date
    der = bytes(strange)
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_cipher_list(CIPHERS[0])
    (tmp_path / "strange.der").write_bytes(der)
    context.use_certificate_file(str(tmp_path / "strange.der"), crypto.FILETYPE_ASN1)
    context.use_privatekey(certificate("client").key)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    client = SSL.Connection(context)
    client.set_connect_state()
    value = fingerprint_value(der if named else good, "sha-256")
    (outcome,) = converse(client, dtls(DtlsRole.SERVER, fingerprints=(Fingerprint("sha-256", value),)))
    if named:
        assert isinstance(outcome, Connected)
    else:
        assert isinstance(outcome, Closed)
        assert outcome.reason is CloseReason.FINGERPRINT_MISMATCH


class Pipe:
    """What aiortc's DTLS needs of its ICE transport."""

    role = "controlling"

    def __init__(self) -> None:
        self.arrivals: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def _recv(self) -> bytes:
        data = await self.arrivals.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        await self.sent.put(data)


@pytest.mark.parametrize("role", DtlsRole)
@pytest.mark.parametrize("application_data", [True, False])
async def test_aiortc(role: DtlsRole, application_data: bool) -> None:
    foreign_certificate = RTCCertificate.generateCertificate()
    fingerprints = tuple(Fingerprint(one.algorithm, one.value) for one in foreign_certificate.getFingerprints())
    ours = dtls(role, fingerprints=fingerprints, application_data=application_data)
    pipe = Pipe()
    theirs = RTCDtlsTransport(pipe, [foreign_certificate])  # type: ignore[arg-type]
    theirs._set_role("client" if role is DtlsRole.SERVER else "server")
    own = certificate(role.value).fingerprint
    starting = asyncio.create_task(
        theirs.start(RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(own.algorithm, own.value)]))
    )
    ours.start(now=START)
    keys = None
    async with asyncio.timeout(10):
        while keys is None or theirs.state != "connected":
            for output in ours.take_output():
                if isinstance(output, DtlsDatagram):
                    pipe.arrivals.put_nowait(output.data)
                else:
                    assert isinstance(output, Connected)
                    keys = output.keys
            await asyncio.sleep(0.001)
            while not pipe.sent.empty():
                ours.receive(pipe.sent.get_nowait(), now=START)
        await starting
    assert keys.profile is (SrtpProfile.AEAD_AES_128_GCM if role is DtlsRole.SERVER else SrtpProfile.AEAD_AES_256_GCM)
    theirs_close = asyncio.create_task(theirs.stop())
    async with asyncio.timeout(10):
        await theirs_close
        ours.receive(await pipe.sent.get(), now=START)
    assert ours.take_output()[-1] == Closed(CloseReason.PEER)
