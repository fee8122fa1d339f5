"""RTCP from arbitrary bytes: walked, read as every kind of message, or refused."""

from __future__ import annotations

from contextlib import suppress

from media.native import rtcp
from media.native.rtp import MalformedPacket

NATIVE = "rtcp"  # the loop of mutator.pyx that does the same without Python

SENDER_REPORT = bytes.fromhex("81c8000c0000000100000000000000020000000300000004000000050000000601fffffd") + bytes(16)
RECEIVER_REPORT = bytes.fromhex("81c90007000000010000000280ffffff0000ffff000000100000000000000000")
NACK = bytes.fromhex("81cd00040000000100000002fffe80030064ffff")
PLI = bytes.fromhex("81ce00020000000100000002")
FIR = bytes.fromhex("84ce000600000001000000000000000203000000000000040a000000")
REMB = bytes.fromhex("8fce00060000000100000000") + b"REMB" + bytes.fromhex("020bd0900000000700000008")
DESCRIPTION = bytes.fromhex("81ca0003000000010103616263000000")
BYE = bytes.fromhex("81cb000100000001")
TWCC = bytes.fromhex("8fcd0005000000010000000200640004000001ff20040400")
APPLICATION = bytes.fromhex("80cc0002000000016e616d65")
PADDED = bytes.fromhex("a1cb00020000000100000004")

SEEDS = [
    SENDER_REPORT + DESCRIPTION,
    RECEIVER_REPORT + DESCRIPTION + NACK,
    NACK,
    PLI + FIR,
    REMB,
    TWCC + BYE,
    RECEIVER_REPORT + APPLICATION + PADDED,
    bytes.fromhex("80c90000"),
]

READERS = [
    rtcp.read_sender,
    rtcp.read_reports,
    rtcp.read_nack,
    rtcp.read_fir,
    rtcp.read_remb,
    rtcp.read_media_ssrc,
]


def target(data: bytes) -> None:
    try:
        packets = rtcp.parse_compound(data)
    except MalformedPacket:
        return
    for packet in packets:
        for read in READERS:
            with suppress(MalformedPacket):
                read(packet)
