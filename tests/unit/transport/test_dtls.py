"""DTLS between two of our machines: what works, what is refused, and what loss and floods do."""

from __future__ import annotations

import itertools
import random
import resource
from pathlib import Path

import pytest

from media.rtp.parameters import Fingerprint
from media.transport.counters import DropCounters, DropReason
from media.transport.dtls import DtlsConfig, DtlsState
from media.transport.dtls_records import CHANGE_CIPHER_SPEC, HANDSHAKE, walk_records
from media.transport.keys import PREFERRED_PROFILES, DtlsRole, SrtpProfile
from media.transport.outputs import ApplicationData, Closed, CloseReason, Connected, DtlsDatagram
from tests.unit.transport.support import (
    LATENCY_S,
    START,
    Fate,
    Wire,
    certificate,
    delivered,
    dropped,
    dtls,
    is_connected,
)

BOTH_WAYS = pytest.mark.parametrize("application_data", [True, False], ids=["data", "media_only"])


def wire_of(
    *,
    up: Fate = delivered,
    down: Fate = delivered,
    drops: DropCounters | None = None,
    application_data: bool = True,
    config: DtlsConfig | None = None,
) -> Wire:
    """A started wire; `drops` counts the server's."""
    client = dtls(DtlsRole.CLIENT, application_data=application_data, config=config)
    server = dtls(DtlsRole.SERVER, application_data=application_data, config=config, drops=drops)
    wire = Wire(client, server, up, down)
    wire.start()
    return wire


@BOTH_WAYS
def test_handshake_gives_both_ends_the_same_keys(application_data: bool) -> None:
    wire = wire_of(application_data=application_data)
    wire.run(1)
    assert is_connected(wire)
    assert wire.client.keys is not None
    assert wire.client.keys.profile is SrtpProfile.AEAD_AES_128_GCM
    assert len(wire.client.keys.inbound) == 28
    assert wire.server.connected_at == pytest.approx(START + 3 * LATENCY_S)


@pytest.mark.parametrize("profile", PREFERRED_PROFILES)
def test_every_profile(profile: SrtpProfile) -> None:
    wire = Wire(dtls(DtlsRole.CLIENT, profiles=(profile,)), dtls(DtlsRole.SERVER))
    wire.start()
    wire.run(1)
    assert is_connected(wire)
    assert wire.server.keys is not None
    assert wire.server.keys.profile is profile
    assert len(wire.server.keys.inbound) == profile.key_bytes + profile.salt_bytes


def test_our_order_of_profiles_decides() -> None:
    backwards = tuple(reversed(PREFERRED_PROFILES))
    wire = Wire(dtls(DtlsRole.CLIENT, profiles=backwards), dtls(DtlsRole.SERVER))
    wire.start()
    wire.run(1)
    assert wire.server.keys is not None
    assert wire.server.keys.profile is SrtpProfile.AEAD_AES_128_GCM


@pytest.mark.parametrize("mtu_bytes", [256, 300, 400, 600, 1200])
def test_flights_are_cut_between_records(mtu_bytes: int) -> None:
    config = DtlsConfig(mtu_bytes=mtu_bytes)
    wire = Wire(dtls(DtlsRole.CLIENT, config=config), dtls(DtlsRole.SERVER, config=config))
    wire.start()
    wire.run(2)
    assert is_connected(wire)
    for datagram in wire.client.sent + wire.server.sent:
        assert len(datagram) <= mtu_bytes
        assert sum(record.end - record.start for record in walk_records(datagram)) == len(datagram)
    if mtu_bytes < 600:
        assert len(wire.server.sent) > 2


@BOTH_WAYS
@pytest.mark.parametrize("lost_up", [(), (0,), (1,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("lost_down", [(), (0,), (1,), (0, 1), (0, 1, 2)])
def test_lost_flights_are_sent_again(
    application_data: bool, lost_up: tuple[int, ...], lost_down: tuple[int, ...]
) -> None:
    wire = wire_of(
        up=lambda number, _: [] if number in lost_up else [LATENCY_S],
        down=lambda number, _: [] if number in lost_down else [LATENCY_S],
        application_data=application_data,
    )
    wire.run(10)
    assert is_connected(wire)
    assert wire.client.closed is wire.server.closed is None


@BOTH_WAYS
@pytest.mark.parametrize("seed", range(20))
def test_loss_duplication_and_reordering(seed: int, application_data: bool) -> None:
    dice = random.Random(seed)

    def fate(_number: int, _data: bytes) -> list[float]:
        if dice.random() < 0.25:
            return []
        return [LATENCY_S + dice.random() * 0.3 for _ in range(dice.choice((1, 1, 2, 3)))]

    config = DtlsConfig(mtu_bytes=300)  # many datagrams, so that they can overtake each other
    wire = wire_of(up=fate, down=fate, application_data=application_data, config=config)
    wire.run(10)
    assert is_connected(wire)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_fragmented_client_hello_is_taken_in_any_order(order: tuple[int, ...]) -> None:
    """As a browser's with a post-quantum key share, which is longer than a datagram."""
    client, server = dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER)
    server.start(now=START)
    client.start(now=START)
    (hello,) = client.take_output()
    assert isinstance(hello, DtlsDatagram)
    fragments = fragment(hello.data, 60)
    assert len(fragments) == 3
    for number in order:
        assert not server.take_output()
        server.receive(fragments[number], now=START)
    (flight,) = server.take_output()
    assert isinstance(flight, DtlsDatagram)
    client.receive(flight.data, now=START)
    (answer,) = client.take_output()
    assert isinstance(answer, DtlsDatagram)
    server.receive(answer.data, now=START)
    assert isinstance(server.take_output()[-1], Connected)


def fragment(datagram: bytes, size: int) -> list[bytes]:
    """Cut a datagram of one handshake message into several (RFC 6347 section 4.2.3)."""
    message_type, length, number, body = datagram[13:14], datagram[14:17], datagram[17:19], datagram[25:]
    fragments = []
    for index, offset in enumerate(range(0, len(body), size)):
        piece = body[offset : offset + size]
        header = message_type + length + number + offset.to_bytes(3, "big") + len(piece).to_bytes(3, "big")
        record = b"\x16\xfe\xff\x00\x00" + index.to_bytes(6, "big") + (len(header) + len(piece)).to_bytes(2, "big")
        fragments.append(record + header + piece)
    return fragments


def test_handshake_gives_up_after_its_time() -> None:
    wire = wire_of(down=lambda _number, _data: [])
    wire.run(9.99)
    assert wire.server.closed is None
    wire.run(0.1)
    assert wire.server.closed == Closed(CloseReason.HANDSHAKE_TIMEOUT)
    assert wire.client.closed == Closed(CloseReason.HANDSHAKE_TIMEOUT)
    assert wire.server.machine.next_timeout() is None
    assert 5 <= len(wire.client.sent) <= 12  # backing off: 0.2, 0.4, 0.8, 1.6, 2, 2 ...


def test_wrong_fingerprint_of_the_client_is_refused() -> None:
    server = dtls(DtlsRole.SERVER, fingerprints=(certificate("stranger").fingerprint,))
    wire = Wire(dtls(DtlsRole.CLIENT), server)
    wire.start()
    wire.run(1)
    assert wire.server.closed is not None
    assert wire.server.closed.reason is CloseReason.FINGERPRINT_MISMATCH
    assert wire.client.closed is not None  # told by an alert, within the handshake
    assert wire.client.closed.reason is CloseReason.HANDSHAKE_FAILED
    assert wire.client.keys is wire.server.keys is None


def test_wrong_fingerprint_of_the_server_is_refused() -> None:
    wire = Wire(dtls(DtlsRole.CLIENT, fingerprints=(certificate("stranger").fingerprint,)), dtls(DtlsRole.SERVER))
    wire.start()
    wire.run(1)
    assert wire.client.closed is not None
    assert wire.client.closed.reason is CloseReason.FINGERPRINT_MISMATCH
    assert wire.client.keys is wire.server.keys is None


@pytest.mark.parametrize("fingerprints", [(), (Fingerprint("sha-1", "00"),), (Fingerprint("sha-256", ""),)])
def test_no_usable_fingerprint_matches_nothing(fingerprints: tuple[Fingerprint, ...]) -> None:
    wire = Wire(dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER, fingerprints=fingerprints))
    wire.start()
    wire.run(1)
    assert wire.server.closed is not None
    assert wire.server.closed.reason is CloseReason.FINGERPRINT_MISMATCH


def test_application_data_both_ways() -> None:
    wire = wire_of()
    wire.run(1)
    assert wire.client.machine.send(b"from the client")
    assert wire.server.machine.send(b"x" * 1100)
    assert not wire.server.machine.send(b"")
    assert not wire.server.machine.send(b"x" * 1200)
    wire.drain()
    wire.run(1)
    assert wire.server.messages == [b"from the client"]
    assert wire.client.messages == [b"x" * 1100]


def test_application_data_is_bounded() -> None:
    drops = DropCounters()
    wire = wire_of(drops=drops)
    wire.run(1)
    server = wire.server.machine
    for _ in range(100):
        assert wire.client.machine.send(b"flood")
    for output in wire.client.machine.take_output():
        server.receive(output.data, now=wire.now)  # type: ignore[union-attr]
    assert sum(isinstance(output, ApplicationData) for output in server.take_output()) == 64
    assert dropped(drops) == {DropReason.APPLICATION_DATA_FULL: 36}


def test_data_is_refused_where_none_was_negotiated() -> None:
    drops = DropCounters()
    wire = Wire(dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER, drops=drops, application_data=False))
    wire.start()
    wire.run(1)
    assert wire.client.machine.send(b"unasked")
    assert not wire.server.machine.send(b"unasked")
    wire.drain()
    wire.run(1)
    assert wire.server.messages == []
    assert dropped(drops) == {DropReason.DTLS_UNEXPECTED: 1}


@pytest.mark.parametrize("server_data", [True, False])
@pytest.mark.parametrize("client_data", [True, False])
@pytest.mark.parametrize("client_closes", [True, False])
def test_close_notify_ends_the_other_end(server_data: bool, client_data: bool, client_closes: bool) -> None:
    wire = Wire(
        dtls(DtlsRole.CLIENT, application_data=client_data), dtls(DtlsRole.SERVER, application_data=server_data)
    )
    wire.start()
    wire.run(1)
    closing, other = (wire.client, wire.server) if client_closes else (wire.server, wire.client)
    closing.machine.close()
    closing.machine.close()
    wire.drain()
    wire.run(1)
    assert closing.closed == Closed(CloseReason.LOCAL)
    assert other.closed == Closed(CloseReason.PEER)
    assert closing.machine.state is other.machine.state is DtlsState.CLOSED


@BOTH_WAYS
def test_forged_alerts_do_not_end_a_connection(application_data: bool) -> None:
    wire = wire_of(application_data=application_data)
    wire.run(1)
    for body in (b"\x01\x00", b"\x02\x28", bytes(26), bytes(8) + b"\x01\x00" + bytes(16)):
        for epoch, number in itertools.product((0, 1, 2), (0, 1, 2, 9)):
            header = b"\x15\xfe\xfd" + epoch.to_bytes(2, "big") + number.to_bytes(6, "big")
            wire.inject(wire.server, header + len(body).to_bytes(2, "big") + body)
    assert wire.server.closed is None
    assert wire.server.machine.state is DtlsState.CONNECTED


@BOTH_WAYS
def test_client_hello_flood_after_the_handshake_changes_nothing(application_data: bool) -> None:
    drops = DropCounters()
    wire = wire_of(application_data=application_data, drops=drops)
    hello = wire.client.sent[0]
    wire.run(1)
    sent = len(wire.server.sent)
    for number in range(1000):
        wire.inject(wire.server, hello[:5] + (number + 10).to_bytes(6, "big") + hello[11:])
    assert wire.server.closed is None
    assert len(wire.server.sent) == sent
    assert not wire.server.machine.take_output()


def test_client_hello_flood_during_the_handshake() -> None:
    drops = DropCounters()
    wire = wire_of(drops=drops)
    wire.run(LATENCY_S)  # the server has answered, its flight is on the way
    hello = wire.client.sent[0]
    sent = len(wire.server.sent)
    stranger = dtls(DtlsRole.CLIENT)
    stranger.start(now=START)
    other_hello = stranger.take_output()[0].data  # type: ignore[union-attr]
    for number in range(5000):
        flood = (hello, other_hello)[number % 2]
        wire.inject(wire.server, flood[:5] + (number + 10).to_bytes(6, "big") + flood[11:])
    assert len(wire.server.sent) == sent  # no amplification within the same 50 ms
    assert dropped(drops)[DropReason.DTLS_RATE] == 4901
    wire.run(2)
    assert is_connected(wire)


@pytest.mark.parametrize("kind", ["fragments", "early_records"])
def test_half_a_handshake_does_not_grow(kind: str) -> None:
    """OpenSSL keeps fragments and records that come too early; screening bounds how large they can claim to be."""
    unlimited = DtlsConfig(handshake_datagrams_burst=10**6)

    def flood(first: int, count: int) -> None:
        for number in range(first, first + count):
            if kind == "early_records":
                body = b"\x16\xfe\xfd\x00\x01" + number.to_bytes(6, "big") + (1500).to_bytes(2, "big") + bytes(1500)
            else:
                offset = (number * 37 % 15_000).to_bytes(3, "big")
                message = b"\x0b\x00\x40\x00" + (1 + number % 12).to_bytes(2, "big") + offset + b"\x00\x04\x00"
                body = b"\x16\xfe\xfd" + bytes(8) + (12 + 1024).to_bytes(2, "big") + message + bytes(1024)
            server.receive(body, now=START)

    client, server = dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER, config=unlimited)
    client.start(now=START)
    server.start(now=START)
    (hello,) = client.take_output()
    assert isinstance(hello, DtlsDatagram)
    server.receive(hello.data, now=START)
    assert len(server.take_output()) == 1
    before = resident_bytes()
    flood(0, 3000)
    assert resident_bytes() - before < 1 << 20
    assert server.take_output() == []
    assert server.state is DtlsState.HANDSHAKE


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def test_truncated_and_random_bytes_change_nothing() -> None:
    dice = random.Random(7)
    wire = wire_of()
    for _ in range(40):
        for datagram in (*wire.client.sent, *wire.server.sent):
            cut = dice.randrange(len(datagram))
            wire.inject(wire.server, datagram[:cut])
            wire.inject(wire.client, datagram[:cut])
        wire.inject(wire.server, bytes([dice.randrange(20, 64)]) + dice.randbytes(dice.randrange(200)))
        wire.inject(wire.client, b"")
        wire.run(0.01)
    wire.run(2)
    assert is_connected(wire)
    assert wire.client.machine.send(b"still well")
    wire.drain()
    wire.run(1)
    assert wire.server.messages == [b"still well"]


def test_broken_connections_do_not_disturb_others() -> None:
    """OpenSSL's error queue is one for all connections of a thread."""
    dice = random.Random(3)
    well = wire_of()
    well.run(1)
    for _ in range(50):
        broken = Wire(dtls(DtlsRole.CLIENT), dtls(DtlsRole.SERVER))
        broken.start()
        hello = bytearray(broken.client.sent[0])
        for _ in range(3):
            hello[dice.randrange(25, len(hello))] ^= 1 << dice.randrange(8)
        broken.inject(broken.server, bytes(hello))
        assert well.client.machine.send(b"ping")
        well.drain()
        well.run(0.1)
    assert well.server.messages == [b"ping"] * 50
    assert well.server.closed is None


def test_oversized_datagrams_and_messages_are_dropped() -> None:
    drops = DropCounters()
    wire = wire_of(drops=drops)
    hello = wire.client.sent[0]
    wire.inject(wire.server, hello + bytes(3000))
    huge = hello[:14] + (200_000).to_bytes(3, "big") + hello[17:]
    wire.inject(wire.server, huge)
    assert dropped(drops) == {DropReason.TOO_LARGE: 1, DropReason.DTLS_MALFORMED: 1}
    wire.run(1)
    assert is_connected(wire)


def test_nothing_is_heard_before_the_start_and_after_the_end() -> None:
    drops = DropCounters()
    server = dtls(DtlsRole.SERVER, drops=drops)
    server.receive(b"\x16\xfe\xfd", now=START)
    assert server.next_timeout() is None
    server.close()
    server.receive(b"\x16\xfe\xfd", now=START)
    assert server.take_output() == [Closed(CloseReason.LOCAL)]
    assert dropped(drops) == {DropReason.DTLS_UNEXPECTED: 1, DropReason.CLOSED: 1}


def test_the_last_flight_is_repeated_only_for_a_while() -> None:
    wire = wire_of(application_data=False)
    wire.run(1)
    last_flight, repeated, sent = wire.server.sent[-1], wire.client.sent[-1], len(wire.server.sent)
    for _ in range(5):
        wire.inject(wire.server, repeated)
    assert len(wire.server.sent) == sent + 1  # once in 50 ms
    again = wire.server.sent[-1]
    assert (again[:5], again[11:]) == (last_flight[:5], last_flight[11:])
    assert [record.content_type for record in walk_records(again)] == [CHANGE_CIPHER_SPEC, HANDSHAKE]
    wire.run(6)
    wire.inject(wire.server, repeated)
    assert len(wire.server.sent) == sent + 1
    assert wire.server.machine.next_timeout() is None
