"""STUN messages against RFC 5769's vectors, a foreign library, and hostile bytes."""

from __future__ import annotations

import random

import pytest
from aioice import stun as aioice_stun
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.parameters import Address
from media.transport.stun import (
    BINDING_REQUEST,
    MAGIC_COOKIE,
    MalformedStun,
    build_error,
    build_success,
    parse_stun,
    xor_mapped_address,
)
from tests.unit.transport.support import LOCAL, REMOTE, check

TRANSACTION = bytes(range(12))
KEY = b"VOkJxbRl1RmTxUk/WvJxBt"

# RFC 5769 section 2.1: SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME "evtj:h6vY", MESSAGE-INTEGRITY, FINGERPRINT
SAMPLE_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1"
    "51263b36000600096576746a3a683676592020200008001 49aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf".replace(
        " ", ""
    )
)


def test_the_sample_request_of_rfc_5769() -> None:
    message = parse_stun(SAMPLE_REQUEST)
    assert message.message_type == BINDING_REQUEST
    assert message.username == b"evtj:h6vY"
    assert message.priority == 0x6E0001FF
    assert message.controlled
    assert not message.controlling
    assert not message.use_candidate
    assert message.has_integrity(KEY)
    assert not message.has_integrity(KEY[:-1])
    assert not message.has_integrity(b"")


@pytest.mark.parametrize("address", [("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 32853)])
def test_responses_are_read_by_a_foreign_library(address: Address) -> None:
    response = aioice_stun.parse_message(build_success(TRANSACTION, xor_mapped_address(address, TRANSACTION), KEY))
    assert response.message_class is aioice_stun.Class.RESPONSE
    assert response.transaction_id == TRANSACTION
    assert response.attributes["XOR-MAPPED-ADDRESS"] == address
    assert response.check_message_integrity(KEY)


def test_the_sample_responses_of_rfc_5769() -> None:
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    assert xor_mapped_address(("192.0.2.1", 32853), transaction).hex() == "0001a147e112a643"
    assert (
        xor_mapped_address(("2001:db8:1234:5678:11:2233:4455:6677", 32853), transaction).hex()
        == "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    )


def test_an_ipv4_address_of_a_dual_stack_socket_is_told_as_ipv4() -> None:
    assert xor_mapped_address(("::ffff:192.0.2.1", 9), TRANSACTION) == xor_mapped_address(("192.0.2.1", 9), TRANSACTION)


@pytest.mark.parametrize("key", [None, KEY])
def test_error_responses(key: bytes | None) -> None:
    data = build_error(TRANSACTION, 420, key, (0x7001, 0x7002, 0x0030))
    response = aioice_stun.parse_message(data)
    assert response.message_class is aioice_stun.Class.ERROR
    assert response.error_code == 420
    assert response.check_message_integrity(KEY) is (key is not None)
    assert b"\x00\x0a\x00\x06\x70\x01\x70\x02\x00\x30\x00\x00" in data


def attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def damage_end(whole: bytes) -> bytes:
    return whole[:-1] + bytes([whole[-1] ^ 1])


def request(*attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return b"\x00\x01" + len(body).to_bytes(2, "big") + MAGIC_COOKIE.to_bytes(4, "big") + TRANSACTION + body


def test_unknown_attributes_are_told_apart_by_their_first_bit() -> None:
    message = parse_stun(request(attribute(0x7777, b"x"), attribute(0xC057, b"network"), attribute(0x0030, b"")))
    assert message.unknown_required == (0x7777, 0x0030)


def test_unknown_attributes_are_bounded() -> None:
    message = parse_stun(request(*(attribute(0x7000 + n, b"") for n in range(200))))
    assert len(message.unknown_required) == 16


def test_what_follows_the_integrity_is_not_there() -> None:
    message = parse_stun(request(attribute(8, bytes(20)), attribute(0x25, b""), attribute(0x7777, b"")))
    assert not message.use_candidate
    assert message.unknown_required == ()


def test_the_first_of_two_equal_attributes_counts() -> None:
    assert parse_stun(request(attribute(6, b"first:one"), attribute(6, b"second:one"))).username == b"first:one"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request()[:19],
        b"\x00\x01\x00\x00" + bytes(16),  # no cookie (RFC 3489)
        request(b"\x00\x06\x00\x10ab:c"),  # attribute longer than the message
        request(attribute(6, b"abcd:efgh"))[:-1],
        request() + b"\x00",
        request(attribute(8, bytes(19))),
        request(attribute(0x24, bytes(5))),
        request(attribute(6, bytes(514))),
        request(attribute(0x8028, bytes(4))),
        request(attribute(0x8028, bytes(3))),
        damage_end(check()),
    ],
    ids=range(12),
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(MalformedStun):
        parse_stun(data)


def test_every_prefix_and_extension_of_a_check_is_malformed() -> None:
    whole = check()
    parse_stun(whole)
    for size in range(len(whole)):
        with pytest.raises(MalformedStun):
            parse_stun(whole[:size])
    with pytest.raises(MalformedStun):
        parse_stun(whole + bytes(4))


@given(st.binary(max_size=200) | st.binary(max_size=100).map(request))
def test_random_bytes_are_parsed_or_malformed(data: bytes) -> None:
    try:
        message = parse_stun(data)
    except MalformedStun:
        return
    assert message.has_integrity(b"x") is False


def test_flipped_bits_never_authenticate() -> None:
    dice = random.Random(1)
    whole = check()
    covered = len(whole) - 8  # the fingerprint stands behind the integrity
    key = LOCAL.password.encode()
    for _ in range(2000):
        damaged = bytearray(whole)
        damaged[dice.randrange(covered)] ^= 1 << dice.randrange(8)
        try:
            message = parse_stun(bytes(damaged))
        except MalformedStun:
            continue
        assert not (message.has_integrity(key) and message.username == f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode())
