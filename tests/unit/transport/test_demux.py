"""First bytes and usernames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.transport.demux import DatagramKind, classify, peek_ufrag
from tests.unit.transport.support import LOCAL, check


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        (0, 3, DatagramKind.STUN),
        (4, 19, DatagramKind.UNKNOWN),
        (20, 63, DatagramKind.DTLS),
        (64, 127, DatagramKind.UNKNOWN),
        (128, 191, DatagramKind.MEDIA),
        (192, 255, DatagramKind.UNKNOWN),
    ],
)
def test_ranges_of_rfc_7983(first: int, last: int, kind: DatagramKind) -> None:
    for byte in range(first, last + 1):
        assert classify(bytes([byte]) + b"rest") is kind


def test_nothing_is_unknown() -> None:
    assert classify(b"") is DatagramKind.UNKNOWN


def test_the_ufrag_of_a_check_is_ours() -> None:
    assert peek_ufrag(check()) == LOCAL.ufrag


@pytest.mark.parametrize(
    "username", ["abc:defg", "nocolon", ":theirs", "x" * 257 + ":y", "\u062d\u0644\u0642\u0629:abcd"]
)
def test_no_ufrag(username: str) -> None:
    assert peek_ufrag(check(username=username)) is None


def test_no_prefix_raises() -> None:
    whole = check()
    for size in range(len(whole)):
        assert peek_ufrag(whole[:size]) in {None, LOCAL.ufrag}
    assert peek_ufrag(whole[:8] + bytes(2000)) is None


@given(st.binary(max_size=100))
def test_random_bytes(data: bytes) -> None:
    classify(data)
    assert peek_ufrag(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + data) is None or data
