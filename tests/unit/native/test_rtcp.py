"""RTCP: what we build is read back, by us and by aiortc; every prefix and random bytes equal the oracle."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from aiortc import rtp as theirs
from hypothesis import given
from hypothesis import strategies as st

from media.native import rtcp
from media.native.rtcp import Fir, Nack, Packet, Remb, Report, Sender
from media.native.rtp import MalformedPacket
from tests.fuzz import fuzz_rtcp as samples
from tests.oracle import rtcp as oracle
from tests.oracle.agreement import outcome, prefixes

READERS: dict[Callable[..., object], Callable[..., object]] = {
    rtcp.read_sender: oracle.read_sender,
    rtcp.read_reports: oracle.read_reports,
    rtcp.read_nack: oracle.read_nack,
    rtcp.read_fir: oracle.read_fir,
    rtcp.read_remb: oracle.read_remb,
    rtcp.read_media_ssrc: oracle.read_media_ssrc,
}

WORDS = st.integers(0, 2**32 - 1)
REPORTS = st.builds(Report, WORDS, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), WORDS, WORDS, WORDS, WORDS)
SENDERS = st.builds(Sender, st.integers(0, 2**64 - 1), WORDS, WORDS, WORDS)
CAPACITIES = st.one_of(st.just(1500), st.integers(0, 64))


def one(data: bytes) -> Packet:
    (packet,) = rtcp.parse_compound(data)
    return packet


def agree(data: bytes) -> None:
    """Assert that we and the oracle read the same in `data`, errors included."""
    assert outcome(rtcp.parse_compound, data) == outcome(oracle.parse_compound, data)
    with suppress(MalformedPacket):
        for packet in rtcp.parse_compound(data):
            for ours, plain in READERS.items():
                assert outcome(ours, packet) == outcome(plain, packet)


def test_compound_is_walked() -> None:
    packets = rtcp.parse_compound(samples.RECEIVER_REPORT + samples.DESCRIPTION + samples.NACK + samples.BYE)
    assert [packet.packet_type for packet in packets] == [
        rtcp.RTCP_RR,
        rtcp.RTCP_SDES,
        rtcp.RTCP_RTPFB,
        rtcp.RTCP_BYE,
    ]
    assert [packet.ssrc for packet in packets] == [1] * 4


def test_packet_without_ssrc() -> None:
    assert one(bytes.fromhex("80cb0000")) == Packet(rtcp.RTCP_BYE, 0, 0, b"")


def test_padding_is_cut_off() -> None:
    assert one(bytes.fromhex("a1ce0003 00000001 00000002 00000004")) == one(samples.PLI)
    # Padding may reach over the sender's ssrc: the packet then has none.
    assert one(samples.PADDED) == Packet(rtcp.RTCP_BYE, 1, 1, b"")
    assert one(bytes.fromhex("a1cb0001 00000004")) == Packet(rtcp.RTCP_BYE, 1, 0, b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80", "is too short"),
        (b"\x40\xc9\0\0", "version 2"),
        (b"\x80\xc9\0\1", "leaves the datagram"),
        (b"\xa0\xc9\0\1\0\0\0\0", "padding"),
        (b"\xa0\xc9\0\1\0\0\0\5", "padding"),
        (b"\xa0\xc9\0\0", "padding"),
        (samples.PLI + b"\0", "is too short"),
    ],
)
def test_malformed_compound(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedPacket, match=reason):
        rtcp.parse_compound(data)


def test_sender_report() -> None:
    packet = one(samples.SENDER_REPORT)
    assert rtcp.read_sender(packet) == Sender(2, 3, 4, 5)
    assert rtcp.read_reports(packet) == (Report(6, 1, -3, 0, 0, 0, 0),)


def test_receiver_report_of_most_blocks() -> None:
    reports = [Report(index, 255, -(2**23), 2**32 - 1, 1, 2, 3) for index in range(31)]
    packet = one(rtcp.write_receiver_report(9, reports))
    assert (packet.ssrc, rtcp.read_reports(packet)) == (9, tuple(reports))
    with pytest.raises(ValueError, match="out of range"):
        rtcp.write_receiver_report(9, [*reports, reports[0]])


@pytest.mark.parametrize("first", [0, 1, 127, 32767, 32768, 65534, 65535])
@pytest.mark.parametrize("behind", [(), (1,), (16,), (17,), tuple(range(1, 40)), (1, 16, 17, 33, 34, 1000)])
def test_nack_is_read_back_over_the_wrap(first: int, behind: tuple[int, ...]) -> None:
    numbers = tuple((first + step) % 65536 for step in (0, *behind))
    data = rtcp.write_nack(1, 2, numbers)
    assert rtcp.read_nack(one(data)) == Nack(2, numbers)
    assert data == oracle.write_nack(1, 2, numbers)


def test_nack_stops_at_capacity() -> None:
    packet = one(rtcp.write_nack(1, 2, range(100)))
    assert rtcp.read_nack(packet, 40).numbers == tuple(range(40))
    assert rtcp.read_nack(packet, 0).numbers == ()


def test_nack_of_a_repeated_number() -> None:
    assert rtcp.read_nack(one(rtcp.write_nack(1, 2, [5, 5, 6, 6]))).numbers == (5, 6)


def test_key_frame_requests() -> None:
    assert rtcp.read_media_ssrc(one(samples.PLI)) == 2
    assert rtcp.read_fir(one(samples.FIR)) == (Fir(2, 3), Fir(4, 10))
    assert rtcp.read_fir(one(rtcp.write_fir(1, 2, 255))) == (Fir(2, 255),)


def test_remb() -> None:
    assert rtcp.read_remb(one(samples.REMB)) == Remb(1_000_000, (7, 8))
    assert rtcp.read_remb(one(rtcp.write_remb(1, 2**64 - 1, []))) == Remb(0x3FFFF << 46, ())
    largest = one(rtcp.write_remb(1, 0, range(255)))
    assert rtcp.read_remb(largest) == Remb(0, tuple(range(255)))
    too_much = samples.REMB[:17] + b"\xff\xff\xff" + samples.REMB[20:]
    with pytest.raises(MalformedPacket, match="out of range"):
        rtcp.read_remb(one(too_much))


@pytest.mark.parametrize("seed", samples.SEEDS)
def test_every_prefix_and_trailing_bytes(seed: bytes) -> None:
    for data in [*prefixes(seed), seed + b"\0", seed + b"\xff" * 5]:
        agree(data)


@given(st.binary(max_size=80))
def test_random_bytes_equal_the_oracle(data: bytes) -> None:
    agree(data)


@given(
    packet_type=st.integers(rtcp.RTCP_SR, rtcp.RTCP_XR),
    first=st.integers(0x80, 0xBF),
    content=st.binary(max_size=80).map(lambda data: data[: len(data) // 4 * 4]),
)
def test_any_content_equals_the_oracle(packet_type: int, first: int, content: bytes) -> None:
    agree(struct.pack("!BBH", first, packet_type, len(content) // 4) + content)


@given(ssrc=WORDS, sender=SENDERS, reports=st.lists(REPORTS, max_size=33), capacity=CAPACITIES)
def test_written_reports_equal_the_oracle(ssrc: int, sender: Sender, reports: list[Report], capacity: int) -> None:
    for ours, plain, value in (
        (rtcp.write_sender_report, oracle.write_sender_report, sender),
        (rtcp.write_receiver_report, oracle.write_receiver_report, reports),
    ):
        assert outcome(ours, ssrc, value, capacity=capacity) == outcome(plain, ssrc, value, capacity=capacity)


@given(
    ssrc=WORDS,
    media_ssrc=WORDS,
    numbers=st.lists(st.integers(0, 65535), max_size=40),
    ssrcs=st.lists(WORDS, max_size=20),
    bitrate_bps=st.integers(0, 2**64 - 1),
    capacity=CAPACITIES,
)
def test_written_feedback_equals_the_oracle(
    ssrc: int, media_ssrc: int, numbers: list[int], ssrcs: list[int], bitrate_bps: int, capacity: int
) -> None:
    for name, arguments in {
        "write_nack": (ssrc, media_ssrc, numbers),
        "write_pli": (ssrc, media_ssrc),
        "write_fir": (ssrc, media_ssrc, bitrate_bps % 256),
        "write_bye": (ssrc,),
        "write_remb": (ssrc, bitrate_bps, ssrcs),
    }.items():
        ours = outcome(getattr(rtcp, name), *arguments, capacity=capacity)
        assert ours == outcome(getattr(oracle, name), *arguments, capacity=capacity)


@given(ssrc=WORDS, cname=st.binary(max_size=300), capacity=CAPACITIES)
def test_written_description_equals_the_oracle(ssrc: int, cname: bytes, capacity: int) -> None:
    ours = outcome(rtcp.write_sdes_cname, ssrc, cname, capacity=capacity)
    assert ours == outcome(oracle.write_sdes_cname, ssrc, cname, capacity=capacity)


def test_aiortc_reads_what_we_write() -> None:
    data = rtcp.write_sender_report(1, Sender(2**40, 3, 4, 5)) + rtcp.write_sdes_cname(1, b"halqa")
    data += rtcp.write_receiver_report(1, [Report(6, 7, -8, 9, 10, 11, 12)]) + rtcp.write_nack(1, 2, [10, 11, 40])
    data += rtcp.write_pli(1, 2) + rtcp.write_remb(1, 300_000, [7, 8]) + rtcp.write_bye(1)
    sender, description, receiver, nack, pli, remb, bye = theirs.RtcpPacket.parse(data)
    assert isinstance(sender, theirs.RtcpSrPacket)
    assert sender.sender_info == theirs.RtcpSenderInfo(2**40, 3, 4, 5)
    assert isinstance(description, theirs.RtcpSdesPacket)
    assert description.chunks == [theirs.RtcpSourceInfo(ssrc=1, items=[(1, b"halqa")])]
    assert isinstance(receiver, theirs.RtcpRrPacket)
    assert receiver.reports == [theirs.RtcpReceiverInfo(6, 7, -8, 9, 10, 11, 12)]
    assert isinstance(nack, theirs.RtcpRtpfbPacket)
    assert (nack.ssrc, nack.media_ssrc, nack.lost) == (1, 2, [10, 11, 40])
    assert isinstance(pli, theirs.RtcpPsfbPacket)
    assert (pli.fmt, pli.ssrc, pli.media_ssrc) == (1, 1, 2)
    assert isinstance(remb, theirs.RtcpPsfbPacket)
    assert theirs.unpack_remb_fci(remb.fci) == (300_000, [7, 8])
    assert isinstance(bye, theirs.RtcpByePacket)
    assert bye.sources == [1]


@given(st.sampled_from(samples.SEEDS), st.integers(0, 60), st.integers(0, 255))
def test_we_read_what_aiortc_reads(seed: bytes, at: int, value: int) -> None:
    data = seed[:at] + bytes([value]) + seed[at + 1 :]
    try:
        packets = theirs.RtcpPacket.parse(data)
    except (ValueError, struct.error):
        return  # stricter than we are: it refuses a compound for one odd message
    ours = iter(packet for packet in rtcp.parse_compound(data) if packet.packet_type not in {204, 207})
    for packet in packets:
        mine = next(packet for packet in ours if rtcp.RTCP_SR <= packet.packet_type <= rtcp.RTCP_PSFB)
        if isinstance(packet, theirs.RtcpSrPacket | theirs.RtcpRrPacket):
            assert mine.ssrc == packet.ssrc
            assert [tuple(report) for report in rtcp.read_reports(mine)] == [
                (
                    block.ssrc,
                    block.fraction_lost,
                    block.packets_lost,
                    block.highest_sequence,
                    block.jitter,
                    block.lsr,
                    block.dlsr,
                )
                for block in packet.reports
            ]
        elif isinstance(packet, theirs.RtcpRtpfbPacket) and packet.fmt == 1:
            # It counts on beyond 65535, and it calls every RTPFB a NACK.
            expected = tuple(number % 65536 for number in packet.lost)
            assert rtcp.read_nack(mine) == (packet.media_ssrc, expected)
        elif isinstance(packet, theirs.RtcpPsfbPacket | theirs.RtcpRtpfbPacket):
            assert rtcp.read_media_ssrc(mine) == packet.media_ssrc
