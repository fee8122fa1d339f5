"""The small parts: buckets, slots, the address table, flights, key halves, records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.transport.addresses import AddressTable
from media.transport.admission import HandshakeAdmission
from media.transport.dtls_records import (
    ClearRecordNumbers,
    Screening,
    screen_datagram,
    split_into_datagrams,
    walk_records,
)
from media.transport.keys import DtlsRole, SrtpProfile, split_keying_material
from media.transport.rate import TokenBucket
from media.transport.retransmission import FlightResender


def record(content_type: int = 22, epoch: int = 1, number: int = 0, body: bytes = b"") -> bytes:
    header = bytes([content_type, 0xFE, 0xFD]) + epoch.to_bytes(2, "big") + number.to_bytes(6, "big")
    return header + len(body).to_bytes(2, "big") + body


def handshake(message_type: int, length: int = 0) -> bytes:
    return record(epoch=0, body=bytes([message_type]) + length.to_bytes(3, "big") + bytes(8))


def test_token_bucket() -> None:
    bucket = TokenBucket(per_second=10, burst=3, now=0)
    assert [bucket.take(now=0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(now=0.05)
    assert bucket.take(now=0.1)
    assert not bucket.take(now=-50)
    assert [bucket.take(now=1000) for _ in range(4)] == [True, True, True, False]


def test_admission_is_bounded_and_given_back_once() -> None:
    admission = HandshakeAdmission(2)
    first, second = admission.enter(), admission.enter()
    assert first is not None
    assert second is not None
    assert admission.enter() is None
    first.release()
    first.release()
    assert admission.in_progress == 1
    assert admission.enter() is not None
    assert (admission.in_progress, admission.admitted, admission.refused) == (2, 3, 1)


def test_address_table() -> None:
    table = AddressTable(limit=2, lifetime_s=10)
    assert table.hear(("a", 1), now=0)
    assert table.hear(("b", 1), now=1)
    assert not table.hear(("a", 1), now=2)
    assert table.next_stale(("a", 1)) == 11
    assert table.hear(("c", 1), now=3)
    assert table.forget_stale(("b", 1), now=3) == [("a", 1)]
    assert table.next_stale(("b", 1)) == 13
    assert table.forget_stale(("b", 1), now=13) == [("c", 1)]
    assert table.next_stale(("b", 1)) is None
    assert not table.knows(("b", 1), now=13)
    assert len(table) == 1


def test_a_flight_is_repeated_with_growing_patience() -> None:
    flight = FlightResender()
    assert flight.answer_repetition(now=5) == ()
    flight.sent((b"one", b"two"), awaits_answer=True, now=0)
    due = []
    now = 0.0
    while now < 10 and flight.due_at is not None:
        assert flight.take_due(now=flight.due_at - 0.001) == ()
        now = flight.due_at
        assert flight.take_due(now=now) == (b"one", b"two")
        due.append(round(now, 3))
    assert due == [0.2, 0.6, 1.4, 3.0, 5.0, 7.0, 9.0, 11.0]
    assert flight.answer_repetition(now=11.01) == ()
    assert flight.answer_repetition(now=11.06) == (b"one", b"two")
    flight.stop()
    assert flight.due_at is None
    assert flight.answer_repetition(now=12) == (b"one", b"two")
    flight.forget()
    assert flight.answer_repetition(now=13) == ()


def test_keying_material_is_cut_as_rfc_5764_says() -> None:
    material = b"C" * 16 + b"S" * 16 + b"c" * 14 + b"s" * 14
    server = split_keying_material(SrtpProfile.AES128_CM_SHA1_80, material, DtlsRole.SERVER)
    assert server.inbound == b"C" * 16 + b"c" * 14
    assert server.outbound == b"S" * 16 + b"s" * 14
    client = split_keying_material(SrtpProfile.AES128_CM_SHA1_80, material, DtlsRole.CLIENT)
    assert (client.inbound, client.outbound) == (server.outbound, server.inbound)
    assert "CCCC" not in repr(client)


@pytest.mark.parametrize("sizes", [[100], [500, 500, 500], [1200, 1, 1199], [1300, 20], [20] * 100])
def test_records_are_packed_whole(sizes: list[int]) -> None:
    stream = b"".join(record(number=n, body=bytes(size - 13 if size > 13 else 0)) for n, size in enumerate(sizes))
    datagrams = split_into_datagrams(stream, 1200)
    assert b"".join(datagrams) == stream
    for datagram in datagrams:
        records = list(walk_records(datagram))
        assert records[-1].end == len(datagram)
        assert len(datagram) <= 1200 or len(records) == 1
    assert split_into_datagrams(b"", 1200) == ()


@pytest.mark.parametrize(
    ("datagram", "screening"),
    [
        (handshake(1), Screening.CLIENT_HELLO),
        (handshake(1) + handshake(2), Screening.CLIENT_HELLO),
        (handshake(11), Screening.CLEAR_HANDSHAKE),
        (record(20, 0, body=b"\x01") + handshake(1), Screening.OTHER),
        (record(22, 1, body=b"\x01" + bytes(11)), Screening.OTHER),
        (record(23, 1), Screening.OTHER),
        (b"", Screening.MALFORMED),
        (record()[:12], Screening.MALFORMED),
        (record() + b"x", Screening.MALFORMED),
        (record(19), Screening.MALFORMED),
        (record(24), Screening.MALFORMED),
        (b"\x16\x03\x03" + record()[3:], Screening.MALFORMED),
        (record(22, 0, body=b"\x01" + bytes(10)), Screening.MALFORMED),
        (handshake(1, 16385), Screening.MALFORMED),
    ],
    ids=range(14),
)
def test_screening(datagram: bytes, screening: Screening) -> None:
    assert screen_datagram(datagram) is screening


def test_only_clear_records_are_numbered_anew() -> None:
    numbers = ClearRecordNumbers()
    first = record(22, 0, 77, b"a") + record(20, 0, 5, b"b") + record(22, 1, 3, b"c")
    assert numbers.renumber(first) == record(22, 0, 0, b"a") + record(20, 0, 1, b"b") + record(22, 1, 3, b"c")
    assert numbers.renumber(record(22, 0, 0, b"a")) == record(22, 0, 2, b"a")
    sealed = record(23, 1, 9, b"data")
    assert numbers.renumber(sealed) is sealed


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda body: record(22, 0, body=body)))
def test_screening_takes_any_bytes(datagram: bytes) -> None:
    screen_datagram(datagram)
    assert len(ClearRecordNumbers().renumber(datagram)) == len(datagram)
