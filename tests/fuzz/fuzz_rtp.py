"""RTP headers from arbitrary bytes: parsed or refused, never anything else."""

from __future__ import annotations

from media.native import rtp

NATIVE = "rtp"  # the loop of mutator.pyx that does the same without Python

SEEDS = [
    # A VP8 packet with mid, abs-send-time, transport-wide number and rid in one-byte form.
    bytes.fromhex("90e01234000004d2cafef00dbede000410302232110305003101a0663a71")
    + bytes(2)
    + b"\x90\xe0\x81\x23\x45\x60\x10",
    # Two-byte form with a dependency descriptor of 20 bytes.
    bytes.fromhex("906f0001000003e8000000011001000701013a0c148000018003eb0000000000000000000000000000000000")
    + b"\x0a\x0b",
    bytes.fromhex("80e0ffffffffffff00000000") + b"plain",
    bytes.fromhex("8fe0000000000000ffffffff") + bytes(60) + b"csrcs",
    bytes.fromhex("a061000100000002000000030000000000000008"),
    bytes.fromhex("b0610001000000020000000300000000000004"),
    bytes.fromhex("90600001000000020000000312340002ffffffffffffffff01"),
]


def target(data: bytes) -> None:
    try:
        header = rtp.parse_header(data)
    except rtp.MalformedPacket:
        return
    assert header.payload_offset + header.payload_length + header.padding_length == len(data)
    written = rtp.write_extensions(list(header.extensions))
    assert not written or rtp.parse_header(b"\x90" + data[1:12] + written).extensions == header.extensions
