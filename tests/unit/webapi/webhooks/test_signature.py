"""Signatures as Standard Webhooks has them, with two live keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.webhooks.secrets import decode_secret
from webapi.webhooks.signature import BadSignatureError, sign, verify

OLD, NEW, OTHER = b"o" * 24, b"n" * 24, b"x" * 24
NOW = 1_790_000_000


def test_example_of_the_standard() -> None:
    key = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("known", [[OLD], [NEW], [OLD, NEW], [NEW, OTHER]])
def test_receiver_may_change_keys_at_leisure(known: list[bytes]) -> None:
    verify(known, sign([OLD, NEW], "id", NOW, b"{}"), b"{}", wallclock=NOW + 3)


@pytest.mark.parametrize(
    ("changes", "body", "wallclock"),
    [
        ({}, b"{ }", NOW),
        ({"webhook-id": "other"}, b"{}", NOW),
        ({"webhook-timestamp": str(NOW + 1)}, b"{}", NOW),
        ({"webhook-timestamp": ""}, b"{}", NOW),
        ({"webhook-timestamp": "-1"}, b"{}", NOW),
        ({"webhook-timestamp": "٣"}, b"{}", NOW),
        ({"webhook-timestamp": "9" * 5000}, b"{}", NOW),
        ({"webhook-signature": ""}, b"{}", NOW),
        ({"webhook-signature": "v1,"}, b"{}", NOW),
        ({"webhook-signature": "v1,é"}, b"{}", NOW),
        ({}, b"{}", NOW + 301),
        ({}, b"{}", NOW - 301),
    ],
)
def test_what_was_changed_or_is_old_is_not_believed(changes: dict[str, str], body: bytes, wallclock: float) -> None:
    with pytest.raises(BadSignatureError):
        verify([OLD], sign([OLD], "id", NOW, b"{}") | changes, body, wallclock=wallclock)


def test_another_key_is_not_believed() -> None:
    with pytest.raises(BadSignatureError, match="no key"):
        verify([OTHER], sign([OLD, NEW], "id", NOW, b"{}"), b"{}", wallclock=NOW)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_any_headers_are_answered_with_the_one_error(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignatureError):
        verify([OLD], headers, b"{}", wallclock=NOW)
