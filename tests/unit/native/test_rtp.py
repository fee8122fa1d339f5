"""RTP headers: examples, the table of wraps, every prefix, and equality with the oracle and with aiortc."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtpPacket, unpack_header_extensions
from hypothesis import given
from hypothesis import strategies as st

from media.native import rtp
from media.native.rtp import Header, MalformedPacket
from tests.fuzz.fuzz_rtp import SEEDS
from tests.oracle import rtp as oracle
from tests.oracle.agreement import outcome, prefixes

WRAPS = [0, 1, 127, 32767, 32768, 65534, 65535]


def packet(
    *,
    first: int = 0x80,
    second: int = 96,
    sequence_number: int = 1,
    timestamp: int = 2,
    ssrc: int = 3,
    extensions: bytes = b"",
    payload: bytes = b"payload",
) -> bytes:
    """Make a packet; the X bit is set if there is an extension block."""
    first |= 0x10 if extensions else 0
    csrcs = bytes(4 * (first & 0x0F))
    return struct.pack("!BBHLL", first, second, sequence_number, timestamp, ssrc) + csrcs + extensions + payload


def block(profile: int, content: bytes) -> bytes:
    content += bytes(-len(content) % 4)
    return struct.pack("!HH", profile, len(content) // 4) + content


def test_plain_packet() -> None:
    header = rtp.parse_header(packet(second=0x80 | 111, timestamp=0xFFFFFFFF, ssrc=0xFFFFFFFE))
    assert header == Header(1, 111, True, 0xFFFFFFFF, 0xFFFFFFFE, 12, 7, 0, ())


@pytest.mark.parametrize("sequence_number", WRAPS)
def test_sequence_number_is_read_whole(sequence_number: int) -> None:
    assert rtp.parse_header(packet(sequence_number=sequence_number)).sequence_number == sequence_number


@pytest.mark.parametrize("timestamp", [*WRAPS, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1])
def test_timestamp_is_read_whole(timestamp: int) -> None:
    assert rtp.parse_header(packet(timestamp=timestamp)).timestamp == timestamp


def test_csrcs_are_stepped_over() -> None:
    header = rtp.parse_header(packet(first=0x8F))
    assert (header.payload_offset, header.payload_length) == (12 + 60, 7)


def test_padding_is_not_payload() -> None:
    header = rtp.parse_header(packet(first=0xA0, payload=b"abc\0\0\0\4"))
    assert (header.payload_length, header.padding_length) == (3, 4)


def test_padding_only_probe() -> None:
    header = rtp.parse_header(packet(first=0xA0, payload=bytes(254) + b"\xff"))
    assert (header.payload_length, header.padding_length) == (0, 255)


@pytest.mark.parametrize("payload", [b"", b"\0", b"abc\0", b"abc\5"])
def test_bad_padding(payload: bytes) -> None:
    with pytest.raises(MalformedPacket, match="padding length"):
        rtp.parse_header(packet(first=0xA0, payload=payload))


def test_one_byte_extensions() -> None:
    content = b"\x10a" + b"\0" + b"\xe1bc" + b"\x2f" + bytes(range(16))
    header = rtp.parse_header(packet(extensions=block(0xBEDE, content)))
    assert header.extensions == ((1, b"a"), (14, b"bc"), (2, bytes(range(16))))
    assert header.payload_length == 7


@pytest.mark.parametrize(
    "stop", [b"\xf0", b"\xff", b"\x01"], ids=["id 15", "id 15 with a length", "id 0 with a length"]
)
def test_one_byte_extensions_end_early(stop: bytes) -> None:
    header = rtp.parse_header(packet(extensions=block(0xBEDE, b"\x10a" + stop + b"\x20b")))
    assert header.extensions == ((1, b"a"),)


@pytest.mark.parametrize("profile", [0x1000, 0x1001, 0x100F])
def test_two_byte_extensions(profile: int) -> None:
    content = b"\x01\0" + b"\0\0" + b"\xff\x02ab" + b"\x0f\xff" + bytes(255)
    header = rtp.parse_header(packet(extensions=block(profile, content)))
    assert header.extensions == ((1, b""), (255, b"ab"), (15, bytes(255)))


@pytest.mark.parametrize("profile", [0, 0x0FFF, 0x1010, 0xBEDD, 0xFFFF])
def test_other_profiles_are_stepped_over(profile: int) -> None:
    header = rtp.parse_header(packet(extensions=block(profile, b"\xff" * 8)))
    assert header.extensions == ()
    assert header.payload_offset == 12 + 12


def test_elements_beyond_the_most_are_ignored() -> None:
    content = b"".join(bytes([number, 1, number]) for number in range(1, 31))
    header = rtp.parse_header(packet(extensions=block(0x1000, content)))
    assert header.extensions == tuple((number, bytes([number])) for number in range(1, 17))


@pytest.mark.parametrize(
    "extensions",
    [
        b"\xbe\xde",
        b"\xbe\xde\0\3" + bytes(4),
        block(0xBEDE, b"\0\0\0\x11"),
        block(0xBEDE, b"\x14abc"),
        block(0x1000, b"\0\0\0\x01"),
        block(0x1000, b"\x01\x03ab"),
    ],
    ids=[
        "no length",
        "block leaves packet",
        "element without value",
        "element too long",
        "id alone",
        "value too short",
    ],
)
def test_truncated_extensions(extensions: bytes) -> None:
    with pytest.raises(MalformedPacket, match="leaves its bounds"):
        rtp.parse_header(packet(extensions=extensions, payload=b""))


def test_sizes_out_of_range() -> None:
    assert rtp.parse_header(packet(payload=bytes(65535 - 12))).payload_length == 65535 - 12
    with pytest.raises(MalformedPacket, match="at most 65535"):
        rtp.parse_header(packet(payload=bytes(65536 - 12)))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_prefix_and_trailing_bytes(seed: bytes) -> None:
    for data in [*prefixes(seed), seed + b"\0", seed + b"\xff" * 5]:
        assert outcome(rtp.parse_header, data) == outcome(oracle.parse_header, data)


@given(st.binary(max_size=120))
def test_random_bytes_equal_the_oracle(data: bytes) -> None:
    assert outcome(rtp.parse_header, data) == outcome(oracle.parse_header, data)


@given(
    first=st.integers(0, 0x3F).map(lambda low: 0x80 | low),
    profile=st.sampled_from([0xBEDE, 0x1000, 0x100A, 0x1234]),
    content=st.binary(max_size=60),
    payload=st.binary(max_size=20),
)
def test_any_extension_content_equals_the_oracle(first: int, profile: int, content: bytes, payload: bytes) -> None:
    data = packet(first=first, extensions=block(profile, content), payload=payload)
    assert outcome(rtp.parse_header, data) == outcome(oracle.parse_header, data)


@given(st.binary(min_size=12, max_size=80).map(lambda data: bytes([data[0] & 0x3F | 0x80]) + data[1:]))
def test_equals_aiortc(data: bytes) -> None:
    try:
        theirs = RtpPacket.parse(data)
    except ValueError:
        with pytest.raises(MalformedPacket):
            rtp.parse_header(data)
        return
    # aiortc keeps only extensions that it knows, and its errors in a block are compared below.
    ours = outcome(rtp.parse_header, data)
    if not isinstance(ours, Header):
        assert data[0] & 0x10
        return
    assert ours[:5] == (
        theirs.sequence_number,
        theirs.payload_type,
        bool(theirs.marker),
        theirs.timestamp,
        theirs.ssrc,
    )
    assert data[ours.payload_offset : ours.payload_offset + ours.payload_length] == theirs.payload
    assert ours.padding_length == theirs.padding_size


ELEMENTS = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=16)


@given(ELEMENTS)
def test_written_extensions_equal_the_oracle_and_are_read_back(items: list[tuple[int, bytes]]) -> None:
    written = rtp.write_extensions(items)
    assert written == oracle.write_extensions(items)
    if items:
        assert rtp.parse_header(packet(extensions=written)).extensions == tuple(items)
        # aiortc reads them alike, but for one-byte blocks in which it does not stop at id 15 (none is written).
        assert unpack_header_extensions(int.from_bytes(written[:2], "big"), written[4:]) == items


@given(ELEMENTS, st.integers(1, 255))
def test_room_for_a_first_element_of_two_bytes(items: list[tuple[int, bytes]], first_id: int) -> None:
    written = rtp.write_extensions(items, first_id)
    assert written == oracle.write_extensions(items, first_id)
    assert written[6 if written[0] == 0x10 else 5 :][:2] == bytes(2)


@pytest.mark.parametrize(
    ("items", "profile"),
    [
        ([(14, b"x" * 16)], 0xBEDE),
        ([(15, b"x")], 0x1000),
        ([(1, b"")], 0x1000),
        ([(1, b"x" * 17)], 0x1000),
        ([(1, b"x"), (255, b"y")], 0x1000),
    ],
)
def test_form_of_written_extensions(items: list[tuple[int, bytes]], profile: int) -> None:
    assert int.from_bytes(rtp.write_extensions(items)[:2], "big") == profile


@pytest.mark.parametrize("items", [[(0, b"a")], [(256, b"a")], [(1, bytes(256))], [(1, b"a")] * 17])
def test_elements_out_of_range(items: list[tuple[int, bytes]]) -> None:
    with pytest.raises(ValueError, match="extension element"):
        rtp.write_extensions(items)
