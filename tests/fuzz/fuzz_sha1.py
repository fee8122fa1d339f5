"""Fuzz HMAC-SHA1 and CRC-32: the first byte says how long the secret is; the standard library is the twin."""

from __future__ import annotations

import hmac
import zlib

from media.native.sha1 import checksum, sign

SEEDS = [b"\x00", b"\x04Jefewhat do ya want for nothing?", bytes(range(256)), bytes([80]) + bytes(300)]


def target(data: bytes) -> None:
    size = data[0] if data else 0
    secret, message = data[1 : 1 + size], data[1 + size :]
    assert sign(secret, message) == hmac.digest(secret, message, "sha1")
    assert checksum(message) == zlib.crc32(message)
