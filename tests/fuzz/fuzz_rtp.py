"""RTP headers from arbitrary bytes: parsed or refused, never anything else."""

from __future__ import annotations

from media.native import rtp

NATIVE = "rtp"  # the loop of mutator.pyx that does the same without Python

SEEDS = [
    # A VP8 packet with mid, abs-send-time, transport-wide number and rid in one-byte form.
    bytes.fromhex("90e01234000004d2cafef00d bede0003 1030 22321103 311001 a066 00 90e0812345 6010"),
    # Two-byte form with a dependency descriptor of 20 bytes.
    bytes.fromhex("906f0001000003e800000001 10010007 01013a 0c148000018003eb") + bytes(17) + b"opus",
    bytes.fromhex("80e0ffffffffffff00000000") + b"plain",
    bytes.fromhex("8fe0000000000000ffffffff") + bytes(60) + b"csrcs",
    bytes.fromhex("a06100010000000200000003 0000000000000008"),
    bytes.fromhex("b06100010000000200000003 bede0001 10300000 00000004"),
    bytes.fromhex("906000010000000200000003 12340002 ffffffffffffffff 01"),
]


def target(data: bytes) -> None:
    try:
        header = rtp.parse_header(data)
    except rtp.MalformedPacket:
        return
    assert header.payload_offset + header.payload_length + header.padding_length == len(data)
    written = rtp.write_extensions(list(header.extensions))
    assert not written or rtp.parse_header(b"\x90" + data[1:12] + written).extensions == header.extensions
