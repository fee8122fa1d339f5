"""RTP headers and extension blocks in plain Python: what media/native/rtp.pyx must equal."""

from __future__ import annotations

import struct

from media.native.rtp import Header, MalformedPacket

EXTENSIONS_MAX = 16


def parse_header(packet: bytes) -> Header:
    size = len(packet)
    if size < 12:
        raise MalformedPacket(f"RTP packet is {size} bytes, expected at least 12")
    if size > 65535:
        raise MalformedPacket(f"RTP packet is {size} bytes, expected at most 65535")
    first, second, sequence_number, timestamp, ssrc = struct.unpack_from("!BBHLL", packet)
    if first // 64 != 2:
        raise MalformedPacket(f"RTP packet of {size} bytes is not of version 2")
    start = 12 + 4 * (first % 16)
    if start > size:
        raise MalformedPacket(f"RTP packet of {size} bytes ends within its CSRC list")
    elements: list[tuple[int, bytes]] = []
    if first & 0b0001_0000:
        block = _extension_block(packet[start:])
        if block is None:
            raise MalformedPacket(f"RTP packet of {size} bytes has a header extension that leaves its bounds")
        elements, length = block
        start += length
    padding = 0
    if first & 0b0010_0000:
        padding = packet[-1] if start < size else 0
        if not 1 <= padding <= size - start:
            raise MalformedPacket(f"RTP packet of {size} bytes has no valid padding length in its last byte")
    return Header(
        sequence_number,
        second % 128,
        second >= 128,
        timestamp,
        ssrc,
        start,
        size - start - padding,
        padding,
        tuple(elements[:EXTENSIONS_MAX]),
    )


def _extension_block(data: bytes) -> tuple[list[tuple[int, bytes]], int] | None:
    """Return the elements and the size of the block at the start of `data`; None if anything leaves its bounds."""
    if len(data) < 4:
        return None
    profile, words = struct.unpack_from("!HH", data)
    content = data[4 : 4 + 4 * words]
    if len(content) < 4 * words:
        return None
    elements: list[tuple[int, bytes]] | None = []
    if profile == 0xBEDE:
        elements = _one_byte_elements(content)
    elif profile // 16 == 0x100:
        elements = _two_byte_elements(content)
    return None if elements is None else (elements, 4 + 4 * words)


def _one_byte_elements(content: bytes) -> list[tuple[int, bytes]] | None:
    elements = []
    while content := content.lstrip(b"\0"):
        identifier, length = content[0] // 16, content[0] % 16 + 1
        if identifier in {0, 15}:
            break
        if len(content) < 1 + length:
            return None
        elements.append((identifier, content[1 : 1 + length]))
        content = content[1 + length :]
    return elements


def _two_byte_elements(content: bytes) -> list[tuple[int, bytes]] | None:
    elements = []
    while content := content.lstrip(b"\0"):
        if len(content) < 2 or len(content) < 2 + content[1]:
            return None
        elements.append((content[0], content[2 : 2 + content[1]]))
        content = content[2 + content[1] :]
    return elements


def write_extensions(items: list[tuple[int, bytes]], first_id: int = 0) -> bytes:
    if first_id:
        items = [(first_id, bytes(2)), *items]
    if not items:
        return b""
    if all(identifier <= 14 and 1 <= len(value) <= 16 for identifier, value in items):
        profile = 0xBEDE
        content = b"".join(bytes([identifier * 16 + len(value) - 1]) + value for identifier, value in items)
    else:
        profile = 0x1000
        content = b"".join(bytes([identifier, len(value)]) + value for identifier, value in items)
    content += bytes(-len(content) % 4)
    return struct.pack("!HH", profile, len(content) // 4) + content
