"""Fuzz libsrtp through our pointers: no random packet may open, and any that can be sealed opens as it was."""

from __future__ import annotations

from collections.abc import Callable

from media.native.srtp import Profile, SrtpError, SrtpSession
from media.native.srtp_answers import KNOWN_ANSWERS, RTCP_PACKET, RTP_PACKET

SEEDS = [
    RTP_PACKET,
    RTCP_PACKET,
    *[answer.sealed_rtp for answer in KNOWN_ANSWERS],
    *[answer.sealed_rtcp for answer in KNOWN_ANSWERS],
    b"\x92" + RTP_PACKET[1:12] + bytes(8) + b"\xbe\xde\x00\x01\x10\x07\x00\x00payload",
]
PROFILES = tuple(Profile)


def target(data: bytes) -> None:
    profile = PROFILES[len(data) % len(PROFILES)]
    key = bytes(range(100, 100 + profile.key_bytes + profile.salt_bytes))
    sealer, opener = SrtpSession(profile, key, "outbound"), SrtpSession(profile, key, "inbound")
    for unprotect in (opener.unprotect, opener.unprotect_rtcp):
        assert attempt(unprotect, data) is None
    for protect, unprotect in ((sealer.protect, opener.unprotect), (sealer.protect_rtcp, opener.unprotect_rtcp)):
        sealed = attempt(protect, data)
        assert sealed is None or attempt(unprotect, sealed) == data
    sealer.close()
    opener.close()


def attempt(call: Callable[[bytes], bytes], packet: bytes) -> bytes | None:
    try:
        return call(packet)
    except SrtpError:
        return None
