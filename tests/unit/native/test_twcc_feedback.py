"""Transport-wide feedback, read: what our own recorder writes, what others may, and what no one should."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.rtp import MalformedPacket
from media.native.twcc import ArrivalRecorder
from media.native.twcc_feedback import parse_feedback
from tests.oracle import twcc, twcc_feedback
from tests.oracle.agreement import outcome, prefixes
from tests.support.arrivals import WRAPS


def message(base: int, count: int, chunks: list[int], deltas: bytes = b"", reference: int = 5) -> bytes:
    """Return a feedback message with these status chunks."""
    body = struct.pack("!IIHHI", 1, 2, base, count, reference << 8)
    body += b"".join(struct.pack("!H", chunk) for chunk in chunks) + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


@pytest.mark.parametrize("start", WRAPS)
def test_what_our_recorder_writes_is_read(start: int) -> None:
    recorder = ArrivalRecorder()
    for number, now_us in {0: 1_000_000, 1: 1_000_300, 2: 1_040_000, 5: 1_200_000, 4: 1_200_500}.items():
        recorder.received((start + number) % 65536, now_us)
    packet = recorder.build(1, 2)
    told, known = parse_feedback(packet), twcc.decode(packet)
    assert (told.base, told.reference) == (start, known.reference)
    origin = known.reference * 256
    assert told.ticks == tuple(None if tick is None else tick - origin for tick in known.ticks)


def test_runs_and_vectors_end_where_the_count_does() -> None:
    run = message(9, 3, [0x2000 | 8000], bytes([1, 2, 3]))
    assert parse_feedback(run) == (9, 5, (1, 3, 6))
    bits = message(9, 2, [0xBFFF], bytes([4, 0]))
    assert parse_feedback(bits).ticks == (4, 4)
    pairs = message(65535, 3, [0xC000 | 2 << 12 | 1 << 8], struct.pack("!hB", -300, 255))
    assert parse_feedback(pairs) == (65535, 5, (-300, None, -45))


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "no transport-wide feedback"),
        (b"\x81\xce\x00\x02" + bytes(8), "no transport-wide feedback"),
        (b"\x8f\xcd\x00\x02" + bytes(8), "ends before"),
        (message(1, 0, []), "tells of no packet"),
        (message(1, 1025, [0x2000 | 1025]), "more than 1024"),
        (message(1, 65535, [0x0FFF]), "more than 1024"),
        (message(1, 20, [0, 0]), "run of none"),
        (message(1, 1, [0x6001]), "reserved"),
        (message(1, 7, [0xFFFF]), "reserved"),
        (message(1, 20, [0x2001, 0x2001]), "ends before"),
        (message(1, 5, [0x2005], b"\x01"), "ends before"),
    ],
)
def test_what_no_receiver_sends_is_refused(packet: bytes, reason: str) -> None:
    with pytest.raises(MalformedPacket, match=reason):
        parse_feedback(packet)


def test_every_prefix_and_what_follows() -> None:
    packet = message(7, 9, [0x2005, 0xC000 | 0b10_00_01_00 << 6], bytes(range(8)))
    for prefix in [*prefixes(packet), packet + b"\x00", packet * 2]:
        assert outcome(parse_feedback, prefix) == outcome(twcc_feedback.parse_feedback, prefix)


@given(
    st.integers(0, 65535),
    st.one_of(st.integers(0, 40), st.integers(0, 65535)),
    st.lists(st.integers(0, 65535), max_size=8),
    st.binary(max_size=40),
    st.integers(0, (1 << 24) - 1),
)
def test_reads_what_the_twin_reads(base: int, count: int, chunks: list[int], deltas: bytes, reference: int) -> None:
    packet = message(base, count, chunks, deltas, reference)
    assert outcome(parse_feedback, packet) == outcome(twcc_feedback.parse_feedback, packet)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_by_the_twin(content: bytes) -> None:
    for packet in (content, b"\x8f\xcd\x00\x08" + content):
        assert outcome(parse_feedback, packet) == outcome(twcc_feedback.parse_feedback, packet)
