"""Hostile DTLS: a server in any state survives any datagram, and a connected one does not even notice.

The input is a byte that chooses the state, and datagrams behind two-byte lengths.
"""

from __future__ import annotations

import functools

from media.transport.dtls import DtlsConnection, DtlsState
from media.transport.dtls_records import ClearRecordNumbers, screen_datagram
from media.transport.keys import DtlsRole
from media.transport.outputs import ApplicationData, DtlsDatagram
from tests.unit.transport.support import START, Wire, dtls

_DATAGRAMS_MAX = 8


def _framed(state: int, *datagrams: bytes) -> bytes:
    return bytes([state]) + b"".join(len(datagram).to_bytes(2, "big") + datagram for datagram in datagrams)


@functools.cache
def _connected(application_data: bool) -> Wire:
    wire = Wire(dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER, application_data=application_data))
    wire.start()
    wire.run(1)
    return wire


@functools.cache
def _hello() -> bytes:
    client = dtls(DtlsRole.CLIENT)
    client.start(now=START)
    (output,) = client.take_output()
    assert isinstance(output, DtlsDatagram)
    return output.data


SEEDS: list[bytes] = [
    _framed(0, _connected(True).client.sent[0]),
    _framed(0, *_connected(True).client.sent),
    _framed(1, _connected(True).client.sent[1]),
    _framed(1, *_connected(True).server.sent),
    _framed(2, *_connected(True).client.sent),
    _framed(3, *_connected(False).client.sent),
    _framed(3, b"\x15\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x00\x1a" + bytes(26)),
    b"",
]


def target(data: bytes) -> None:
    """Must never raise, except by a broken promise."""
    state = data[0] % 4 if data else 0
    server = _server_in(state)
    for datagram in _datagrams(data[1:]):
        screen_datagram(datagram)
        assert len(ClearRecordNumbers().renumber(datagram)) == len(datagram)
        server.receive(datagram, now=START + 2)
        outputs = server.take_output()
        for output in outputs:
            if isinstance(output, DtlsDatagram):
                assert len(output.data) <= 1200
        assert not any(isinstance(output, ApplicationData) for output in outputs)
    if state >= 2:
        assert server.state is DtlsState.CONNECTED


def _server_in(state: int) -> DtlsConnection:
    """0: waiting for a ClientHello; 1: in the middle of a handshake; 2, 3: connected, with and without OpenSSL."""
    if state >= 2:
        return _connected(state == 2).server.machine
    server = dtls(DtlsRole.SERVER)
    server.start(now=START)
    if state == 1:
        server.receive(_hello(), now=START)
        server.take_output()
    return server


def _datagrams(data: bytes) -> list[bytes]:
    datagrams: list[bytes] = []
    position = 0
    while position < len(data) and len(datagrams) < _DATAGRAMS_MAX:
        size = int.from_bytes(data[position : position + 2], "big")
        datagrams.append(data[position + 2 : position + 2 + size])
        position += 2 + size
    return datagrams
