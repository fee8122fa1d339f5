"""Fuzz the sealer: whatever can be sealed opens as it was, and nothing else is touched."""

from __future__ import annotations

from media.native import rtp
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import SrtpSession
from media.native.srtp_answers import RTP_PACKET

SEEDS = [RTP_PACKET, b"\x92" + RTP_PACKET[1:12] + bytes(8) + b"\xbe\xde\x00\x01\x10\x07\x00\x00payload"]


def target(data: bytes) -> None:
    profile = GCM_PROFILES[len(data) % len(GCM_PROFILES)]
    key = bytes(range(100, 100 + profile.key_bytes + profile.salt_bytes))
    try:
        header = rtp.parse_header(data).payload_offset
    except rtp.MalformedPacket:
        header = data[0] if data else 12
    sealer, opener = PacketSealer(profile, key), SrtpSession(profile, key, "inbound")
    index = int.from_bytes(data[2:4], "big")
    try:
        sealed = sealer.seal(data, header, index)
    except ValueError:
        assert header > len(data) or header < 12
    else:
        assert sealed[:header] == data[:header]
        assert len(sealed) == len(data) + 16
        if is_rtp(data, header) and not 0xC0 <= data[1] <= 0xDF:
            assert opener.unprotect(sealed) == data
    sealer.close()
    opener.close()


def is_rtp(data: bytes, header: int) -> bool:
    try:
        return rtp.parse_header(data).payload_offset == header
    except rtp.MalformedPacket:
        return False
