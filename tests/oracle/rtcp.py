"""RTCP in plain Python: what media/native/rtcp.pyx must equal."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from media.native.rtcp import Fir, Nack, Packet, Remb, Report, Sender
from media.native.rtp import MalformedPacket

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE, TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = (
    200,
    201,
    202,
    203,
    205,
    206,
)


def _malformed(size: int, reason: str) -> MalformedPacket:
    return MalformedPacket(f"RTCP packet of {size} bytes {reason}")


def parse_compound(data: bytes) -> tuple[Packet, ...]:
    packets = []
    rest = data
    while rest:
        if len(rest) < 4:
            raise _malformed(len(data), "is too short")
        first, packet_type, words = struct.unpack_from("!BBH", rest)
        if first // 64 != 2:
            raise _malformed(len(data), "is not of version 2")
        packet, rest = rest[: 4 + 4 * words], rest[4 + 4 * words :]
        if len(packet) != 4 + 4 * words:
            raise _malformed(len(data), "has a length field that leaves the datagram")
        if first & 0b0010_0000:
            if not 1 <= packet[-1] <= len(packet) - 4:
                raise _malformed(len(data), "has an invalid padding length")
            packet = packet[: -packet[-1]]
        ssrc = int.from_bytes(packet[4:8], "big") if len(packet) >= 8 else 0
        packets.append(Packet(packet_type, first % 32, ssrc, packet[8:]))
    return tuple(packets)


def read_sender(packet: Packet) -> Sender:
    if packet.packet_type != SENDER_REPORT:
        raise _malformed(len(packet.body), "is of another type")
    if len(packet.body) < 20:
        raise _malformed(len(packet.body), "is too short")
    return Sender(*struct.unpack_from("!QLLL", packet.body))


def read_reports(packet: Packet) -> tuple[Report, ...]:
    if packet.packet_type not in {SENDER_REPORT, RECEIVER_REPORT}:
        raise _malformed(len(packet.body), "is of another type")
    blocks = packet.body[20:] if packet.packet_type == SENDER_REPORT else packet.body
    if len(blocks) < 24 * packet.count_or_format:
        raise _malformed(len(packet.body), "is too short")
    return tuple(_read_report(blocks[24 * index : 24 * index + 24]) for index in range(packet.count_or_format))


def _read_report(block: bytes) -> Report:
    ssrc, fraction_lost, lost, highest_sequence, jitter, last_sr, delay = struct.unpack("!LB3sLLLL", block)
    return Report(
        ssrc, fraction_lost, int.from_bytes(lost, "big", signed=True), highest_sequence, jitter, last_sr, delay
    )


def _feedback(packet: Packet, packet_type: int, message_type: int, least: int) -> bytes:
    if (packet.packet_type, packet.count_or_format) != (packet_type, message_type):
        raise _malformed(len(packet.body), "is of another type")
    if len(packet.body) < least:
        raise _malformed(len(packet.body), "is too short")
    return packet.body


def read_nack(packet: Packet, capacity: int = 1024) -> Nack:
    body = _feedback(packet, TRANSPORT_FEEDBACK, 1, 4)
    numbers = []
    for offset in range(4, len(body) // 4 * 4, 4):
        first, mask = struct.unpack_from("!HH", body, offset)
        numbers += [first] + [(first + 1 + bit) % 65536 for bit in range(16) if mask & 2**bit]
    return Nack(int.from_bytes(body[:4], "big"), tuple(numbers[:capacity]))


def read_fir(packet: Packet) -> tuple[Fir, ...]:
    body = _feedback(packet, PAYLOAD_FEEDBACK, 4, 4)
    entries = [body[offset : offset + 8] for offset in range(4, len(body) - 7, 8)]
    return tuple(Fir(int.from_bytes(entry[:4], "big"), entry[4]) for entry in entries)


def read_remb(packet: Packet) -> Remb:
    body = _feedback(packet, PAYLOAD_FEEDBACK, 15, 12)
    if body[4:8] != b"REMB":
        raise _malformed(len(body), "is of another type")
    ssrcs = body[12 : 12 + 4 * body[8]]
    if len(ssrcs) < 4 * body[8]:
        raise _malformed(len(body), "is too short")
    value = int.from_bytes(body[9:12], "big")
    bitrate_bps = value % 2**18 * 2 ** (value // 2**18)
    if bitrate_bps >= 2**64:
        raise _malformed(len(body), "has a value out of range")
    return Remb(bitrate_bps, struct.unpack(f"!{body[8]}L", ssrcs))


def read_media_ssrc(packet: Packet) -> int:
    feedback = packet.packet_type in {TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK}
    return int.from_bytes(packet.body[:4], "big") if feedback and len(packet.body) >= 4 else 0


def _packet(packet_type: int, count_or_format: int, content: bytes, capacity: int) -> bytes:
    packet = struct.pack("!BBH", 128 + count_or_format, packet_type, len(content) // 4) + content
    if len(packet) > capacity:
        raise _does_not_fit(capacity)
    return packet


def _does_not_fit(capacity: int) -> ValueError:
    return ValueError(f"RTCP packet does not fit in {capacity} bytes, or has a count or length out of range")


def write_sender_report(ssrc: int, sender: Sender, *, capacity: int = 1500) -> bytes:
    return _packet(SENDER_REPORT, 0, struct.pack("!LQLLL", ssrc, *sender), capacity)


def write_receiver_report(ssrc: int, reports: Sequence[Report], *, capacity: int = 1500) -> bytes:
    if len(reports) > 31:
        raise _does_not_fit(capacity)
    content = struct.pack("!L", ssrc)
    for report in reports:
        lost = (report.cumulative_lost % 2**24).to_bytes(3, "big")
        content += struct.pack("!LB3s4L", report.ssrc, report.fraction_lost, lost, *report[3:])
    return _packet(RECEIVER_REPORT, len(reports), content, capacity)


def write_sdes_cname(ssrc: int, cname: bytes, *, capacity: int = 1500) -> bytes:
    if len(cname) > 255:
        raise _does_not_fit(capacity)
    chunk = struct.pack("!LBB", ssrc, 1, len(cname)) + cname + b"\0"
    return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(-len(chunk) % 4), capacity)


def write_nack(sender_ssrc: int, media_ssrc: int, numbers: Sequence[int], *, capacity: int = 1500) -> bytes:
    if not numbers:
        raise _does_not_fit(capacity)
    items: list[list[int]] = []
    for number in numbers:
        behind = (number - items[-1][0]) % 65536 if items else 65536
        if behind > 16:
            items.append([number, 0])
        elif behind > 0:
            items[-1][1] |= 1 << (behind - 1)
    content = struct.pack("!LL", sender_ssrc, media_ssrc) + b"".join(struct.pack("!HH", *item) for item in items)
    return _packet(TRANSPORT_FEEDBACK, 1, content, capacity)


def write_pli(sender_ssrc: int, media_ssrc: int, *, capacity: int = 1500) -> bytes:
    return _packet(PAYLOAD_FEEDBACK, 1, struct.pack("!LL", sender_ssrc, media_ssrc), capacity)


def write_fir(sender_ssrc: int, media_ssrc: int, command: int, *, capacity: int = 1500) -> bytes:
    return _packet(PAYLOAD_FEEDBACK, 4, struct.pack("!LLLB3x", sender_ssrc, 0, media_ssrc, command), capacity)


def write_bye(ssrc: int, *, capacity: int = 1500) -> bytes:
    return _packet(BYE, 1, struct.pack("!L", ssrc), capacity)


def write_remb(sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int], *, capacity: int = 1500) -> bytes:
    if len(ssrcs) > 255:
        raise _does_not_fit(capacity)
    exponent = max(0, bitrate_bps.bit_length() - 18)
    value = (exponent << 18) + (bitrate_bps >> exponent)
    content = struct.pack("!LL4sB", sender_ssrc, 0, b"REMB", len(ssrcs)) + value.to_bytes(3, "big")
    return _packet(PAYLOAD_FEEDBACK, 15, content + struct.pack(f"!{len(ssrcs)}L", *ssrcs), capacity)
