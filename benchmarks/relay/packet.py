"""What a relay can see of a datagram without its keys: its kind, and an RTP packet's SSRC and number."""

from __future__ import annotations

import enum
import hashlib
from typing import Final, NamedTuple

RTP_HEADER_BYTES: Final = 12
DIGEST_BYTES: Final = 8


class Kind(enum.Enum):
    """Protocols that share a port, told apart by the first byte (RFC 7983), RTCP by its type (RFC 5761)."""

    STUN = "stun"
    DTLS = "dtls"
    RTP = "rtp"
    RTCP = "rtcp"
    OTHER = "other"


class Sight(NamedTuple):
    kind: Kind
    ssrc: int | None = None
    sequence_number: int | None = None


def look_at(datagram: bytes) -> Sight:
    """Return what a datagram shows to everybody on its way."""
    if not datagram:
        return Sight(Kind.OTHER)
    first = datagram[0]
    if first <= 3:
        return Sight(Kind.STUN)
    if 20 <= first <= 63:
        return Sight(Kind.DTLS)
    if not 128 <= first <= 191 or len(datagram) < 2:
        return Sight(Kind.OTHER)
    if 64 <= datagram[1] & 0x7F <= 95:
        return Sight(Kind.RTCP)
    if len(datagram) < RTP_HEADER_BYTES:
        return Sight(Kind.OTHER)
    return Sight(Kind.RTP, int.from_bytes(datagram[8:12]), int.from_bytes(datagram[2:4]))


def digest(datagram: bytes) -> str:
    """Return what names a datagram in the log: 16 hex digits of BLAKE2b."""
    return hashlib.blake2b(datagram, digest_size=DIGEST_BYTES).hexdigest()


def flip(datagram: bytes, bit: int) -> bytes:
    """Return the datagram with one bit changed."""
    changed = bytearray(datagram)
    changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)
