"""Twin of the reader of transport-wide feedback: bits as text."""

from __future__ import annotations

import struct

from media.native.rtp import MalformedPacket
from tests.oracle.rtcp import parse_compound

STATUSES_MAX = 1024
FIXED_BYTES = 12


def parse_feedback(packet: bytes) -> tuple[int, int, tuple[int | None, ...]]:
    try:
        return read(packet)
    except MalformedPacket as error:
        raise MalformedPacket(f"RTCP packet of {len(packet)} bytes {error}") from None


def read(packet: bytes) -> tuple[int, int, tuple[int | None, ...]]:
    body = body_of(packet)
    if len(body) < FIXED_BYTES:
        raise MalformedPacket("ends before what it tells of")
    _, base, count, word = struct.unpack_from("!IHHI", body)
    if count == 0:
        raise MalformedPacket("tells of no packet, or has a run of none")
    if count > STATUSES_MAX:
        raise MalformedPacket(f"tells of more than {STATUSES_MAX} packets")
    symbols, rest = read_symbols(body[FIXED_BYTES:], count)
    tick = 0
    ticks: list[int | None] = []
    for symbol in symbols:
        if symbol > len(rest):
            raise MalformedPacket("ends before what it tells of")
        tick += int.from_bytes(rest[:symbol], "big", signed=symbol == 2)
        rest = rest[symbol:]
        ticks.append(tick if symbol else None)
    return base, word >> 8, tuple(ticks)


def body_of(packet: bytes) -> bytes:
    """Return what follows the sender's ssrc in the first packet of a compound."""
    try:
        first = parse_compound(packet[: 4 * (int.from_bytes(packet[2:4]) + 1)])[0]
    except (MalformedPacket, IndexError):
        raise MalformedPacket("is no transport-wide feedback") from None
    if (first.packet_type, first.count_or_format) != (205, 15):
        raise MalformedPacket("is no transport-wide feedback")
    return first.body


def read_symbols(chunks: bytes, count: int) -> tuple[list[int], bytes]:
    """Return so many symbols, and what follows them."""
    symbols: list[int] = []
    while len(symbols) < count:
        if len(chunks) < 2:
            raise MalformedPacket("ends before what it tells of")
        told = symbols_of(f"{int.from_bytes(chunks[:2]):016b}")
        if not told:
            raise MalformedPacket("tells of no packet, or has a run of none")
        wanted = told if told[0] == 3 == told[-1] else told[: count - len(symbols)]
        if 3 in wanted:
            raise MalformedPacket("has a status symbol that is reserved")
        symbols += wanted
        chunks = chunks[2:]
    return symbols[:count], chunks


def symbols_of(bits: str) -> list[int]:
    if bits[0] == "0":
        run = int(bits[3:], 2)
        return [3] if bits[1:3] == "11" else [int(bits[1:3], 2)] * run
    width = 2 if bits[1] == "1" else 1
    return [int(bits[at : at + width], 2) for at in range(2, 16, width)]
