"""Unit tests of HMAC-SHA1 and CRC-32 without the interpreter: what the standard library says."""

from __future__ import annotations

import hmac
import zlib

from hypothesis import given
from hypothesis import strategies as st

from media.native.sha1 import checksum, sign


def test_a_published_vector() -> None:
    # RFC 2202 section 3, test case 2
    assert sign(b"Jefe", b"what do ya want for nothing?").hex() == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"


def test_every_length_around_the_blocks_is_padded_rightly() -> None:
    for size in range(200):
        message = bytes(range(256))[:size]
        assert sign(b"key", message) == hmac.digest(b"key", message, "sha1"), size


@given(secret=st.binary(max_size=200), message=st.binary(max_size=1400))
def test_it_agrees_with_the_standard_library(secret: bytes, message: bytes) -> None:
    assert sign(secret, message) == hmac.digest(secret, message, "sha1")
    assert checksum(message) == zlib.crc32(message)
