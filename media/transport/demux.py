"""Which protocol a datagram belongs to, told by its first byte (RFC 7983), and whose STUN request it is."""

from __future__ import annotations

import enum
import struct

from media.transport.stun import ATTRIBUTE_USERNAME, HEADER_BYTES, MAGIC_COOKIE

_STUN_LAST = 3
_DTLS_FIRST, _DTLS_LAST = 20, 63
_MEDIA_FIRST, _MEDIA_LAST = 128, 191

UFRAG_MIN_CHARACTERS = 4  # RFC 8839 section 5.4
UFRAG_MAX_CHARACTERS = 256

_ATTRIBUTES_MAX = 16  # USERNAME stands first or nearly so; further walking would serve an attacker only
_HEADER = struct.Struct("!HHI")
_ATTRIBUTE = struct.Struct("!HH")


class DatagramKind(enum.Enum):
    """Protocol of a datagram on the one UDP port."""

    STUN = "stun"
    DTLS = "dtls"
    MEDIA = "media"
    """RTP or RTCP, protected or not."""
    UNKNOWN = "unknown"
    """Empty, ZRTP, TURN channel data, or nothing that we know."""


def classify(data: bytes) -> DatagramKind:
    """Return the protocol of a datagram from its first byte alone (RFC 7983 section 7); any bytes will do."""
    if not data:
        return DatagramKind.UNKNOWN
    first = data[0]
    if _MEDIA_FIRST <= first <= _MEDIA_LAST:
        return DatagramKind.MEDIA
    if first <= _STUN_LAST:
        return DatagramKind.STUN
    if _DTLS_FIRST <= first <= _DTLS_LAST:
        return DatagramKind.DTLS
    return DatagramKind.UNKNOWN


def peek_ufrag(data: bytes) -> str | None:
    """Return our ufrag from the USERNAME of a STUN message, "ours:theirs" (RFC 8445 section 7.2.2).

    None for whatever carries none. Nothing is authenticated by this: it only says which transport should look.
    """
    end = len(data)
    if end < HEADER_BYTES or _HEADER.unpack_from(data)[2] != MAGIC_COOKIE:
        return None
    position = HEADER_BYTES
    for _ in range(_ATTRIBUTES_MAX):
        if position + 4 > end:
            return None
        attribute, length = _ATTRIBUTE.unpack_from(data, position)
        position += 4
        if attribute == ATTRIBUTE_USERNAME:
            return _local_part(data[position : position + length]) if position + length <= end else None
        position += (length + 3) & ~3
    return None


def _local_part(username: bytes) -> str | None:
    local, colon, _ = username.partition(b":")
    if not colon or not UFRAG_MIN_CHARACTERS <= len(local) <= UFRAG_MAX_CHARACTERS or not local.isascii():
        return None
    return local.decode("ascii")
